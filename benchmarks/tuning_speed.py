"""How fast packed rows are trained: this kit's trainer against TRL with its defaults and TRL at its best, one GPU.

    python benchmarks/tuning_speed.py --size 1.5b            # on a GPU
    python benchmarks/tuning_speed.py --size tiny            # on a CPU: that it runs, no figure

A model from a config (random weights; Qwen 2.5's shape) trains on a made-up mixture of texts in rows of `--length`
tokens. Model FLOPs are 6N + 12LHT for each token (N parameters without the input embedding, L layers, H width, T the
row's length), over `--peak` (989 TFLOP/s: an H200 in bfloat16, dense). The first `WARM` steps are not counted. The file
of figures says what ran; `--profile` adds a table of where the time of the kit's steps goes.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import torch
from datasets import Dataset
from machine import write_results
from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM, TrainerCallback
from trl import SFTConfig, SFTTrainer

from instruction_kit import Frame, Mixture, Task, labels, text
from instruction_kit.schema import Classification
from instruction_kit.training.flag import as_arguments, parse
from instruction_kit.training.start import prepare
from instruction_kit.training.toy import make_tokenizer

SIZES = {  # width, layers, heads, key-value heads, inner width, vocabulary
    "tiny": (64, 2, 4, 2, 128, 512),
    "0.5b": (896, 24, 14, 2, 4864, 151_936),
    "1.5b": (1536, 28, 12, 2, 8960, 151_936),
}
FULL = {"length": 4096, "steps": 30, "rows": 4000}
TINY = {"length": 512, "steps": 8, "rows": 200}  # a minute on a CPU
WARM = 5
VARIANTS = ("kit", "trl defaults", "trl best")
WORDS = ("river", "stone", "cloud", "amber", "quiet", "seven", "under", "morning", "letter", "paper", "window", "early")


class Clock(TrainerCallback):  # type: ignore[misc]
    """Notes when each step ends."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Wait for the device, and look at the clock."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ends.append(time.perf_counter())


def make_model(folder: Path, size: str, length: int) -> Path:
    """Write a model of random weights and a tokenizer."""
    width, layers, heads, pairs, inner, vocabulary = SIZES[size]
    tokenizer = make_tokenizer([" ".join(WORDS)], vocab_size=512, add_bos=False)
    config = Qwen2Config(
        vocab_size=max(vocabulary, len(tokenizer)), hidden_size=width, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=pairs, intermediate_size=inner,
        max_position_embeddings=length, tie_word_embeddings=True, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    torch.manual_seed(0)
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_mixture(folder: Path, rows: int, length: int) -> Path:
    """Build pairs of 30 words and more, the longest a good third of a row, over two tasks."""

    def frame(shift: int) -> pl.DataFrame:
        sizes = [30 + n * 37 % (length // 4) for n in range(rows)]
        texts = [" ".join(WORDS[(n * 5 + place * 3 + shift) % len(WORDS)] for place in range(size))
                 for n, size in enumerate(sizes)]  # fmt: skip
        return pl.DataFrame({"text": texts, "label": [n % 2 for n in range(rows)]})

    tasks = [
        Task(name=f"speed_{shift}", cluster="speed", schema=Classification, source=Frame({"train": frame(shift)}),
             columns={"text": text("text"), "label": labels("label", ["left", "right"])}, metrics=["accuracy"],
             license="cc0-1.0", families=[f"speed_{shift}"], languages=["en"])
        for shift in (0, 1)
    ]  # fmt: skip
    Mixture(tasks=tasks, num_validation=0, num_examples_per_task=rows).build(folder)
    return folder


def flops_per_token(model: torch.nn.Module, length: int) -> float:
    """6N + 12LHT."""
    config = model.config  # type: ignore[union-attr]
    weights = sum(weight.numel() for weight in model.parameters())  # tied: the output layer's are counted once, as used
    return 6 * weights + 12 * config.num_hidden_layers * config.hidden_size * length


def kit(folder: Path, flags: dict[str, Any]) -> Any:
    """Make the kit's trainer ready for its first step."""
    shutil.rmtree(folder / "kit", ignore_errors=True)
    return prepare(parse(as_arguments({**flags, "output_dir": folder / "kit", "packing": True}))).trainer


def trl(folder: Path, flags: dict[str, Any], *, best: bool) -> Any:
    """Make TRL's own trainer ready on the same texts: as it comes, or packed with the flags that help it."""
    rows = pl.concat([pl.read_parquet(path) for path in sorted((folder / "built" / "train").glob("train-*.parquet"))])
    pairs = Dataset.from_polars(rows.select("prompt", "completion"))
    cuda = torch.cuda.is_available()
    shared = {"output_dir": str(folder / "trl"), "max_length": flags["max_length"], "max_steps": flags["max_steps"],
              "report_to": [], "save_strategy": "no", "disable_tqdm": True, "learning_rate": 1e-5,
              "bf16": cuda}  # fmt: skip
    if best:
        shared |= {"packing": True, "per_device_train_batch_size": 1, "gradient_checkpointing": flags["checkpoint"],
                   "gradient_accumulation_steps": flags["gradient_accumulation_steps"]}  # fmt: skip
    model = Qwen2ForCausalLM.from_pretrained(
        folder / "model", dtype=torch.float32, attn_implementation=flags["attn_implementation"] if best else None
    )
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    return SFTTrainer(model=model, args=SFTConfig(**shared), train_dataset=pairs, processing_class=tokenizer)


def measured(trainer: Any, length: int, peak: float) -> dict[str, float]:
    """Train, and tell tokens for each second and the share of the device's peak."""
    clock = Clock()
    trainer.add_callback(clock)
    seen: list[int] = []
    trainer.add_callback(_counter(trainer, seen))
    trainer.train()
    seconds = clock.ends[-1] - clock.ends[WARM - 1]
    tokens = seen[-1] - seen[WARM - 1]
    rate = tokens / seconds
    losses = [entry["train_loss"] for entry in trainer.state.log_history if "train_loss" in entry]
    return {
        "mean_loss": round(losses[-1], 4),
        "tokens_per_second": round(rate, 1),
        "mfu": round(rate * flops_per_token(trainer.accelerator.unwrap_model(trainer.model), length) / peak, 4),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 1) if torch.cuda.is_available() else 0.0,
    }


def _counter(trainer: Any, seen: list[int]) -> TrainerCallback:
    class Counter(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            seen.append(int(trainer._total_train_tokens))

    return Counter()


def profiled(make: Callable[[], Any]) -> str:
    """Say where the time of the steps goes."""
    with torch.profiler.profile() as profile:
        make().train()
    key = "cuda_time_total" if torch.cuda.is_available() else "cpu_time_total"
    return str(profile.key_averages().table(sort_by=key, row_limit=25))


def main() -> None:
    """Measure the variants one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--length", type=int, help="4096; tiny: 512")
    parser.add_argument("--steps", type=int, help="30; tiny: 8")
    parser.add_argument("--accumulate", type=int, default=4)
    parser.add_argument("--attention", default="sdpa", help="flash_attention_2, flash_attention_3, a kernel of the hub")
    parser.add_argument("--checkpoint", action="store_true", help="recompute activations: slower, smaller")
    parser.add_argument("--rows", type=int, help="pairs of each of two tasks: 4000; tiny: 200")
    parser.add_argument("--peak", type=float, default=989e12)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--profile", action="store_true")
    parser.set_defaults(**(TINY if parser.parse_args().size == "tiny" else FULL))
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tuning-speed-"))
    flags = {
        "dataset_name": make_mixture(folder / "built", given.rows, given.length), "max_length": given.length,
        "model_name_or_path": make_model(folder / "model", given.size, given.length), "max_steps": given.steps,
        "per_device_train_batch_size": 1, "gradient_accumulation_steps": given.accumulate, "save_strategy": "no",
        "attn_implementation": given.attention, "disable_tqdm": True, "learning_rate": 1e-5,
        "activation_checkpointing": given.checkpoint,
    }  # fmt: skip
    makers: dict[str, Callable[[], Any]] = {
        "kit": lambda: kit(folder, flags),
        "trl defaults": lambda: trl(folder, {**flags, "checkpoint": True}, best=False),
        "trl best": lambda: trl(folder, {**flags, "checkpoint": given.checkpoint}, best=True),
    }
    found: dict[str, Any] = {}
    for name in given.variants:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        found[name] = measured(makers[name](), given.length, given.peak)
        print(name, found[name])
    if given.profile:
        print(profiled(makers["kit"]))
    shutil.rmtree(folder)
    settings = {name: value for name, value in vars(given).items() if name != "profile"}
    if torch.cuda.is_available():
        print(write_results(f"tuning_speed_{given.size}", {"settings": settings, **found}, device="cuda"))


if __name__ == "__main__":
    main()
