"""Every phrasing of a task over every row of its sample, in every setting that it serves, rendered once.

In: a task, its phrasings and the rows of its sample. Out: findings, each over the first row that shows it. A few-shot
prompt is made of zero-shot ones, so those are all that is rendered; where a task has no options, the two settings that
differ by them are one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import SETTINGS, Setting, serves
from instruction_kit.review.answer import copied_answers, leaks, pair_flaws
from instruction_kit.review.finding import Finding, Flaw, line_of
from instruction_kit.review.masked import Shape, masked, masked_values, shape
from instruction_kit.review.rows import Row, Rows
from instruction_kit.review.wording import wording_flaws
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.language import RATIONALE
from instruction_kit.template.template import Template

ZERO_SHOT = [setting for setting in SETTINGS.values() if not setting.few_shot]


def settings_of(template: Template, task: Task) -> list[Setting]:
    """The zero-shot settings that a phrasing serves; for a task without options, the two are one."""
    served = [setting for setting in ZERO_SHOT if serves(template, setting, task=task)]
    return served if task.has_options else served[:1]


def rendered_findings(
    task: Task, templates: Sequence[Template], files: Mapping[str, Path], rows: Rows
) -> Iterator[Finding]:
    """What is to be said of these phrasings over these rows."""
    shapes: dict[Shape, Row] = {}
    for row in rows.usable:
        shapes.setdefault(shape(row.example, task), row)
    for template in templates:
        for setting in settings_of(template, task):
            seen = Seen(task, template, setting)
            for row, flaw in [*_pairs(seen, rows.usable), *_shapes(seen, [*shapes.values()])]:
                yield _finding(flaw, files[template.name], f"{setting}, {rows.path.name}:{row.line}")
    if field := copied_answers([row.example for row in rows.usable], task):
        told = f"{field} holds the whole answer of every usable row, and every prompt would show it"
        yield Finding(str(rows.path), None, "leak", told)


class Seen(NamedTuple):
    """One phrasing of a task in one setting."""

    task: Task
    template: Template
    setting: Setting


def _finding(flaw: Flaw, file: Path, row: str) -> Finding:
    words = re.escape(flaw.words.strip())
    return Finding(str(file), line_of(file, words) if words else 1, flaw.rule, flaw.what, row=row)


def _pairs(seen: Seen, rows: Sequence[Row]) -> Iterator[tuple[Row, Flaw]]:
    task, template, setting = seen
    for row in rows:
        if RATIONALE in template.reads and row.example[RATIONALE] is None:
            continue  # only rows that give reasons stand there
        try:
            pair = render(row.example, template=template, setting=setting, task=task, prompting=Prompting())
        except RowProblem as problem:
            yield row, Flaw("row_left_out", f"cannot take every row: {problem}")
            continue
        yield from ((row, flaw) for flaw in pair_flaws(pair, template, setting, task))


def _shapes(seen: Seen, rows: Sequence[Row]) -> Iterator[tuple[Row, Flaw]]:
    """Of each shape one row is looked at; one that cannot stand there is told as a row that is left out."""
    task, template, setting = seen
    for row in rows:
        if said := masked(template, masked_values(row.example, task, template=template, options=setting.options)):
            listed, languages = setting.options and task.has_options, template.front.languages
            flaws = wording_flaws(said, has_options=task.has_options, listed=listed, languages=languages)
            yield from ((row, flaw) for flaw in (*flaws, *leaks(said, template, task)))
