"""Where the phrasings of a task put its main field and its options: first, last, or between.

In: masked phrasings. Out: findings. A block is what blank lines part; a prompt of one block is looked at by its lines,
one of a single line by what stands around.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

import polars as pl

from instruction_kit.review.finding import Finding, Rule, of_task
from instruction_kit.review.masked import Masked, mark
from instruction_kit.schema.columns import frame_schema
from instruction_kit.task.task import Task
from instruction_kit.template.language import OPTIONS, RATIONALE

MIN_MAIN = 3
MIN_OPTIONS = 2
"""Different positions over the phrasings of a task."""

Position = Literal["first", "middle", "last"]


def main_field(task: Task) -> str:
    """The longest text of a task: the first that may be shortened, else the first that every row has."""
    schema = task.schema
    others = schema.target_fields() | {RATIONALE}
    mine = [name for name in schema.model_fields if name in task.columns and name not in others]
    long = [name for name in mine if name in schema.shortenable()]
    texts = [name for name in mine if frame_schema(schema)[name] in (pl.String, pl.List(pl.String))]
    return next(iter([*long, *texts, *mine]))


def position(prompt: str, field: str) -> Position | None:
    r"""Where a prompt first prints a field; None where it does not.

    >>> position("Read this.\n\n⟦text⟧\n\nWhat is it about?", "text"), position("Say ⟦text⟧", "text")
    ('middle', 'last')
    """
    if mark(field) not in prompt:
        return None
    parts = re.split(r"\n\s*\n", prompt)
    parts = parts if len(parts) > 1 else prompt.split("\n")
    if len(parts) == 1:
        before, _, after = prompt.partition(mark(field))
        return "first" if not before.strip() else "middle" if re.search(r"\w", after) else "last"
    at = next(number for number, part in enumerate(parts) if mark(field) in part)
    return "first" if at == 0 else "last" if at == len(parts) - 1 else "middle"


def position_findings(task: Task, answering: Sequence[Masked]) -> Iterator[Finding]:
    """Whether the phrasings that answer vary enough."""
    main = main_field(task)
    yield from _varied(task, answering, main, MIN_MAIN, "main_position")
    if task.has_options:
        yield from _varied(task, answering, OPTIONS, MIN_OPTIONS, "options_position")


def _varied(task: Task, phrasings: Sequence[Masked], field: str, wanted: int, rule: Rule) -> Iterator[Finding]:
    found = {place for one in phrasings if (place := position(one.prompt, field))}
    if len(found) < wanted:
        told = f"over its phrasings {field} stands in {len(found)} positions ({', '.join(sorted(found)) or 'none'})"
        mend = f"let it stand in {wanted} of first, middle and last block of the prompt"
        yield of_task(task, rule, f"{told}; {mend}")
