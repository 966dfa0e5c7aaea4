"""The one layout of rendered pairs, in `train` and `held_out` alike.

In: a rendered pair and where it comes from. Out: its record, and the Arrow schema of records. Text is text; `prompt`
ends with the joiner, so `prompt + completion` is exactly what a plain model sees. None of the names is one that TRL
takes for its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from instruction_kit.library import text_hash
from instruction_kit.render.setting import Setting
from instruction_kit.schema.schema import Schema
from instruction_kit.task.task import Task
from instruction_kit.template.template import Template

_TEXTS = pa.list_(pa.string())
PAIR_SCHEMA = pa.schema(
    [
        *(
            (name, pa.string())
            for name in ("prompt", "completion", "task", "cluster", "template", "setting", "split", "row", "group")
        ),
        *((name, pa.int64()) for name in ("round", "question_start", "answer_start", "answer_end")),
        ("inverted", pa.bool_()),
        *((name, _TEXTS) for name in ("options", "references", "candidates")),
        ("gold", pa.list_(pa.int64())),
        (
            "exemplars",
            pa.list_(pa.struct([("row", pa.string()), ("prompt", pa.string()), ("completion", pa.string())])),
        ),
        ("turns", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
    ]
)


@dataclass(frozen=True)
class Pair:
    """One rendered row, before it is given its place in a mixture."""

    prompt: str
    completion: str
    question_start: int
    """Code point of `prompt` where the row's own part begins; 0 without exemplars and earlier turns."""
    answer_start: int | None
    answer_end: int | None
    """Code points of the answer in `completion`; None for an inverted output."""
    options: list[str]
    """The words of the options that the prompt lists or could list."""
    references: list[str]
    """Every right output."""
    candidates: list[str] = field(default_factory=list)
    """The output rendered once per option; only where the row is measured."""
    gold: list[int] = field(default_factory=list)
    """Indexes of the right candidates."""
    exemplars: list[dict[str, str]] = field(default_factory=list)
    """Row, prompt and completion of each that `prompt` begins with."""
    turns: list[dict[str, str]] | None = None
    """What was said before, each with its role; `prompt` begins with it."""
    group: str = ""
    """Names the text that the row is about, and others may be too: their results hang together. Empty: it is alone."""
    shortened: int = 0
    """Characters that were cut from fields to fit the budget."""
    dropped: int = 0
    """Exemplars that were dropped to fit the budget."""


def group_of(example: Mapping[str, Any], schema: type[Schema]) -> str:
    """Hash of the text that the example is about: the first of the schema's long texts that it has.

    >>> from instruction_kit.schema import ReadingComprehension as Reading
    >>> one, other = ({"passage": text, "question": "Who?"} for text in ("Ann  ran.", "ann ran."))
    >>> group_of(one, Reading) == group_of(other, Reading)
    True
    """
    text = next((example[name] for name in schema.shortenable() if example.get(name)), None)
    return "" if text is None else text_hash(" ".join(text.casefold().split()))[:16]


def record(
    pair: Pair, *, task: Task, split: str, row: str, template: Template, setting: Setting, turn: int = 0
) -> dict[str, Any]:
    """A pair with its provenance, as `PAIR_SCHEMA` has it; `turn` is the round in which the row is used."""
    return {
        "prompt": pair.prompt,
        "completion": pair.completion,
        "task": task.name,
        "cluster": task.cluster,
        "template": template.name,
        "setting": str(setting),
        "split": split,
        "row": row,
        "group": pair.group,
        "round": turn,
        "question_start": pair.question_start,
        "answer_start": pair.answer_start,
        "answer_end": pair.answer_end,
        "inverted": template.inverted,
        "options": pair.options,
        "references": pair.references,
        "candidates": pair.candidates,
        "gold": pair.gold,
        "exemplars": pair.exemplars,
        "turns": pair.turns,
    }
