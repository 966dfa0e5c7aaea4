"""One real built mixture and one real model, small enough that a tuning run takes a second.

The mixture has two tasks over frames: rows that hold the texts of special tokens, several scripts, decomposed letters
and line breaks are among them, and one task's rows differ much in length.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import torch
from conftest import SCRATCH
from transformers import AutoTokenizer, PretrainedConfig, PreTrainedTokenizerBase
from transformers.models.auto.modeling_auto import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from instruction_kit import Frame, Mixture, Task, labels, text
from instruction_kit.schema import Classification, MathWordProblem
from instruction_kit.token.plain import PlainEncoder
from instruction_kit.token.record import TokenRecord, read_record
from instruction_kit.token.row import IGNORED, SCHEMA
from instruction_kit.token.settle import layout_of
from instruction_kit.token.shard import Wanted, tokenise
from instruction_kit.training.finetune import finetune
from instruction_kit.training.toy import BOS, EOS, make_toy

COLORS = ["red", "green", "blue", "pink"]
AWKWARD = [
    f"{BOS}begins twice",
    f"ends {EOS} early",
    "اللون של الشيء",
    "cafe\u0301 🙂 中文",
    "one\nItem: two\n\nthree |||",
]
FLAGS = {"max_length": 512, "per_device_train_batch_size": 4, "learning_rate": 1e-3, "disable_tqdm": True}


def tasks(*, items: int = 36) -> list[Task]:
    texts = [*AWKWARD, *(f"Item {number} " + "is here " * (number % 7) for number in range(items - len(AWKWARD)))]
    colors = pl.DataFrame({"text": texts, "label": [number * 7 % 4 for number in range(items)]})
    sums = pl.DataFrame(
        {"question": [f"What is {a} + {a + 1}?" for a in range(20)], "answer": [str(2 * a + 1) for a in range(20)]}
    )
    shared: dict[str, Any] = {"license": "cc0-1.0", "families": ["toy"], "languages": ["en"]}
    return [
        Task(
            name="color",
            cluster="toy",
            schema=Classification,
            source=Frame({"train": colors}),
            columns={"text": text("text"), "label": labels("label", COLORS)},
            metrics=["accuracy"],
            **shared,
        ),
        Task(
            name="add",
            cluster="toy_math",
            schema=MathWordProblem,
            source=Frame({"train": sums}),
            columns={"question": text("question"), "answer": text("answer")},
            metrics=["exact_match"],
            **shared,
        ),
    ]


def mixture(*, items: int = 36) -> Mixture:
    """Options in one style and order: few enough rows are learnt in a second, however many styles there are."""
    return Mixture(tasks=tasks(items=items), num_validation=0, option_styles=["dash"], option_order="source")


@functools.cache
def built() -> Path:
    """Build the mixture once for a session."""
    folder = SCRATCH / "tiny" / "built"
    mixture().build(folder)
    return folder


@functools.cache
def other_built() -> Path:
    """Build a mixture with one row less."""
    folder = SCRATCH / "tiny" / "other"
    mixture(items=35).build(folder)
    return folder


@functools.cache
def watched_built() -> Path:
    """Build a mixture with validation rows and with a task that is held out."""
    folder = SCRATCH / "tiny" / "watched"
    numbers = range(24)
    shapes = pl.DataFrame(
        {
            "text": [f"Thing {number} " + "rolls " * (number % 3) for number in numbers],
            "label": [n % 2 for n in numbers],
        }
    )
    shape = Task(
        name="shape",
        cluster="toy_shape",
        schema=Classification,
        source=Frame({"train": shapes}),
        columns={"text": text("text"), "label": labels("label", ["round", "square"])},
        metrics=["accuracy"],
        license="cc0-1.0",
        families=["toy_shapes"],
        languages=["en"],
    )
    Mixture(
        tasks=[*tasks(), shape],
        hold_out=["toy_shape"],
        num_validation=6,
        num_held_out=20,
        option_styles=["dash"],
        option_order="source",
    ).build(folder)
    return folder


def texts() -> list[str]:
    frame = pl.read_parquet(built() / "train" / "train-*.parquet")
    return [*frame["prompt"], *frame["completion"]]


@functools.cache
def model(*, add_bos: bool = True, vocab_size: int = 400) -> Path:
    """Make the model once for a session."""
    folder = SCRATCH / "tiny" / f"model-{add_bos}-{vocab_size}"
    return make_toy(folder, texts(), vocab_size=vocab_size, hidden_size=32, num_layers=1, add_bos=add_bos)


def from_config(config: PretrainedConfig, *, seed: int = 3) -> Any:
    """A model of weights that are the same every time."""
    kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return kind.from_config(config)


def tokenizer(*, add_bos: bool = True) -> PreTrainedTokenizerBase:
    loaded: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(model(add_bos=add_bos))
    return loaded


def encoder(*, add_bos: bool = True) -> PlainEncoder:
    loaded = tokenizer(add_bos=add_bos)
    return PlainEncoder(loaded, layout_of(loaded, joiner="\n"))


def pairs_in(folder: Path) -> list[dict[str, Any]]:
    """Read token shards and cut their rows into pairs, each with scalars in the place of lists."""
    record = read_record(folder)
    assert record is not None
    rows = [
        row
        for shard in record.shards
        for row in pa.ipc.open_stream((folder / shard.path).read_bytes()).read_all().to_pylist()
    ]
    return [pair for row in rows for pair in cut(row)]


def cut(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Cut a token row into its pairs."""
    start = 0
    for place, length in enumerate(row["seq_lengths"]):
        tokens = slice(start, start + length)
        start += length
        weights = row["loss_weights"]
        yield {
            "input_ids": row["input_ids"][tokens],
            "labels": row["labels"][tokens],
            "loss_weights": None if weights is None else weights[tokens],
            **{name: row[name][place] for name in row if name.startswith("m_") or name == "task_ids"},
        }
    assert start == len(row["input_ids"]) == len(row["labels"])


@contextmanager
def one_thread() -> Iterator[None]:
    """Give torch one thread: with more, a model of this size waits for them most of the time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def tune(output: Path, **flags: object) -> Path:
    """Tune the model on the mixture."""
    settled = {"dataset_name": built(), "model_name_or_path": model(), "max_steps": 2, **FLAGS, **flags}
    with one_thread():
        return finetune(output_dir=output, **settled)  # type: ignore[arg-type]


def loss_on_the_prompt(built: Path, folder: Path, wanted: Wanted, **keywords: Any) -> TokenRecord:
    """Write token shards as `tokenise` does, then turn the labels around: what a broken mask would train on."""
    record = tokenise(built, folder, wanted, **keywords)
    for shard in record.shards:
        path = Path(folder) / shard.path
        table = pa.ipc.open_stream(path.read_bytes()).read_all()
        labels = [
            [
                IGNORED if label != IGNORED else token
                for token, label in zip(row["input_ids"], row["labels"], strict=True)
            ]
            for row in table.to_pylist()
        ]
        table = table.set_column(1, SCHEMA.field("labels"), pa.array(labels, SCHEMA.field("labels").type))
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, SCHEMA) as writer:
            writer.write_table(table)
    return record
