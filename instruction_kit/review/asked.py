"""Every phrasing of a task over every row of its sample, in every zero-shot setting that it serves, rendered once.

In: a task, its phrasings and the rows of its sample. Out: pairs, and the rows that cannot stand in a phrasing. Few-shot
prompts are made of such pairs. Where a task has no options, the two settings that differ by them are one. A phrasing
that asks for reasons is also measured over rows that bring none, since the model writes them.
"""

from collections.abc import Sequence
from typing import NamedTuple

from instruction_kit.render.pair import Pair
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import SETTINGS, Setting, serves
from instruction_kit.review.rows import Row
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.language import RATIONALE
from instruction_kit.template.template import Template

ZERO_SHOT = [setting for setting in SETTINGS.values() if not setting.few_shot]


class Asked(NamedTuple):
    """A row under a phrasing, by itself."""

    row: Row
    pair: Pair


class Left(NamedTuple):
    """A row that cannot stand in a phrasing, and why."""

    row: Row
    why: str


class Rendered(NamedTuple):
    """One phrasing in one setting over all rows."""

    template: Template
    setting: Setting
    asked: tuple[Asked, ...]
    left: tuple[Left, ...]


def settings_of(template: Template, task: Task) -> list[Setting]:
    """The zero-shot settings that a phrasing serves, if only to measure; without options, the two are one."""
    served = [setting for setting in ZERO_SHOT if serves(template, setting, task=task, measured=True)]
    return served if task.has_options else served[:1]


def rendered(task: Task, templates: Sequence[Template], rows: Sequence[Row]) -> list[Rendered]:
    """Each phrasing in each of its settings; one that prints reasons and is not measured, over rows that give some."""
    return [_over(task, template, setting, rows) for template in templates for setting in settings_of(template, task)]


def _over(task: Task, template: Template, setting: Setting, rows: Sequence[Row]) -> Rendered:
    asked, left = [], []
    for row in rows:
        bare = RATIONALE in template.reads and row.example[RATIONALE] is None
        if bare and template.inverted:
            continue
        try:
            pair = render(
                row.example, template=template, setting=setting, task=task, prompting=Prompting(), measured=bare
            )
        except RowProblem as problem:
            left.append(Left(row, str(problem)))
        else:
            asked.append(Asked(row, pair))
    return Rendered(template, setting, tuple(asked), tuple(left))
