"""The one layout of rendered pairs, in `train` and `held_out` alike.

In: a rendered pair and where it comes from. Out: its record, and the Arrow schema of records. Text is text; `prompt`
ends with the joiner, so `prompt + completion` is exactly what a plain model sees. None of the names is one that TRL
takes for its own.
"""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from instruction_kit.render.setting import Setting
from instruction_kit.task.task import Task
from instruction_kit.template.template import Template

_TEXTS = pa.list_(pa.string())
PAIR_SCHEMA = pa.schema(
    [
        *(
            (name, pa.string())
            for name in ("prompt", "completion", "task", "cluster", "template", "setting", "split", "row")
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
    shortened: int = 0
    """Characters that were cut from fields to fit the budget."""


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
