"""Models with chat templates of the common kinds, written here, and a built mixture with exemplars and turns in it.

The tokenizers are trained on the spot, and the tokens that their templates write are special in them. The mixture is
the tiny one, with some rows made over: a prompt's exemplars and turns stand in its text and in columns of their own.
"""

import functools
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import tiny_model
from conftest import SCRATCH
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from instruction_kit.token.chat import ChatEncoder
from instruction_kit.token.encoder import Encoder
from instruction_kit.token.settle import Asked, layout_of
from instruction_kit.training.toy import make_toy

CHATML = """\
{{- heading | default('') }}
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{% endif %}"""

HEADERS = """\
{{- bos_token }}
{%- for message in messages %}
{{- '<|head|>' + message.role + '<|/head|>\\n\\n' + message.content | trim + '<|eot|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|head|>assistant<|/head|>\\n\\n' }}{% endif %}"""

TURNS = """\
{{- bos_token }}
{%- if messages[0].role == 'system' %}{{ raise_exception('there is no system role') }}{% endif %}
{%- for message in messages %}
{%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}
{{- '<turn>' + ('model' if message.role == 'assistant' else 'user') + '\\n' + message.content | trim + '</turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<turn>model\\n' }}{% endif %}"""

TEMPLATES = {"chatml": CHATML, "headers": HEADERS, "turns": TURNS}
MARKERS = ["<|im_start|>", "<|im_end|>", "<|head|>", "<|/head|>", "<|eot|>", "<turn>", "</turn>", "<think>", "</think>"]
STOPS = {"chatml": "<|im_end|>", "headers": "<|eot|>", "turns": "</turn>"}
RESTS = {"chatml": "\n", "headers": "", "turns": "\n"}
SYSTEM = "Answer in a word."
SOLVED = [("Item 1 is here\n", "blue"), ("Item 2 is here\n", "red")]
SAID = [("user", "Hello, are you there?"), ("assistant", "I am.")]


@functools.cache
def model(kind: str = "chatml") -> Path:
    """Make a model once for a session; the weights and the tokens are the same for all templates."""
    folder = SCRATCH / "chat" / f"model-{kind}"
    flags: dict[str, Any] = {"vocab_size": 420, "hidden_size": 32, "num_layers": 1}
    return make_toy(folder, tiny_model.texts(), chat_template=TEMPLATES[kind], markers=MARKERS, **flags)


def tokenizer(kind: str = "chatml", *, template: str | None = None) -> PreTrainedTokenizerBase:
    loaded: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(model(kind))
    if template is not None:
        loaded.chat_template = template
    return loaded


def encoder(kind: str = "chatml", *, template: str | None = None, **asked: Any) -> ChatEncoder:
    loaded = tokenizer(kind, template=template)
    return ChatEncoder(loaded, layout_of(loaded, joiner="\n", asked=Asked("chat", **asked)))


def own_ids(made: Encoder, conversation: list[dict[str, str]], **keywords: Any) -> list[int]:
    """What the tokenizer itself makes of a conversation."""
    told: Any = made.tokenizer.apply_chat_template(conversation, **keywords)
    return list(told["input_ids"])


def with_exemplars(row: dict[str, Any]) -> dict[str, Any]:
    shown = "\n\n".join(prompt + completion for prompt, completion in SOLVED) + "\n\n"
    exemplars = [
        {"row": str(number), "prompt": prompt, "completion": completion}
        for number, (prompt, completion) in enumerate(SOLVED)
    ]
    return {**row, "prompt": shown + row["prompt"], "question_start": len(shown), "exemplars": exemplars}


def with_turns(row: dict[str, Any]) -> dict[str, Any]:
    shown = "\n".join(content for _, content in SAID) + "\n\n"
    turns = [{"role": role, "content": content} for role, content in SAID]
    return {**row, "prompt": shown + row["prompt"], "question_start": len(shown), "turns": turns}


@functools.cache
def built() -> Path:
    """Make the tiny mixture over, once for a session: rows in turn as they are, with exemplars, and with turns."""
    folder = SCRATCH / "chat" / "built"
    shutil.copytree(tiny_model.built(), folder)
    [path] = (folder / "train").glob("train-*.parquet")
    frame = pl.read_parquet(path)
    makers = (dict, with_exemplars, with_turns)
    rows = [makers[number % 3](row) for number, row in enumerate(frame.to_dicts())]
    pl.DataFrame(rows, schema=frame.schema).write_parquet(path)
    content = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for shard in content["shards"]:
        if shard["path"].endswith(path.name):
            shard["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def rows() -> list[dict[str, Any]]:
    return pl.read_parquet(built() / "train" / "train-*.parquet").to_dicts()


def tune(output: Path, *, kind: str = "chatml", **flags: object) -> Path:
    """Tune a model with a chat template; the two rows that hold the text of special tokens are dropped."""
    settled = {"dataset_name": built(), "model_name_or_path": model(kind), "accept_dropped": True, **flags}
    return tiny_model.tune(output, **settled)
