"""What is to be said of every phrasing of a task over every row of its sample, in every setting that it serves.

In: a task, its phrasings and the rows of its sample. Out: findings, each over the first row that shows it, zero-shot
settings first.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from instruction_kit.render.render import EMPTY_OUTPUT, EMPTY_PROMPT, NOT_FOUND_AGAIN
from instruction_kit.render.setting import has_exemplars
from instruction_kit.review.answer import copied_answers, leaks, pair_flaws
from instruction_kit.review.asked import Rendered, rendered
from instruction_kit.review.few_shot import few_shot_flaws
from instruction_kit.review.finding import Finding, Flaw, Rule, line_of
from instruction_kit.review.masked import Shape, masked, masked_values, shape
from instruction_kit.review.rows import Row, Rows
from instruction_kit.review.wording import wording_flaws
from instruction_kit.task.task import Task
from instruction_kit.template.template import Template

_LEFT_OUT: dict[str, Rule] = {EMPTY_PROMPT: "empty", EMPTY_OUTPUT: "empty", NOT_FOUND_AGAIN: "not_read_back"}
"""Why a row cannot stand in a phrasing, where that has a rule of its own."""


def rendered_findings(
    task: Task, templates: Sequence[Template], files: Mapping[str, Path], rows: Rows
) -> Iterator[Finding]:
    """What is to be said of these phrasings over these rows."""
    shapes: dict[Shape, Row] = {}
    for row in rows.usable:
        shapes.setdefault(shape(row.example, task), row)
    made = rendered(task, templates, rows.usable)
    for one in made:
        for row, flaw in [*_pairs(task, one), *_shapes(task, one, [*shapes.values()])]:
            yield _finding(flaw, files[one.template.name], f"{one.setting}, {rows.path.name}:{row.line}")
    for told in few_shot_flaws(task, rows, made):
        yield _finding(told.flaw, files[told.template], told.where)
    yield from _sample_findings(task, rows)


def _finding(flaw: Flaw, file: Path, row: str) -> Finding:
    words = re.escape(flaw.words.strip())
    return Finding(str(file), line_of(file, words) if words else 1, flaw.rule, flaw.what, row=row)


def _pairs(task: Task, made: Rendered) -> Iterator[tuple[Row, Flaw]]:
    for row, why in made.left:
        yield row, Flaw(_LEFT_OUT.get(why, "row_left_out"), f"cannot take every row: {why}")
    for row, pair in made.asked:
        yield from ((row, flaw) for flaw in pair_flaws(pair, made.template, made.setting, task))


def _shapes(task: Task, made: Rendered, rows: Sequence[Row]) -> Iterator[tuple[Row, Flaw]]:
    """Of each shape one row is looked at; one that cannot stand there is told as a row that is left out."""
    template, options = made.template, made.setting.options
    for row in rows:
        if said := masked(template, masked_values(row.example, task, template=template, options=options)):
            listed, languages = options and task.has_options, template.front.languages
            flaws = wording_flaws(said, has_options=task.has_options, listed=listed, languages=languages)
            yield from ((row, flaw) for flaw in (*flaws, *leaks(said, template, task)))


def _sample_findings(task: Task, rows: Rows) -> Iterator[Finding]:
    """What goes for all phrasings alike."""
    split = task.exemplar_split("sample")
    if has_exemplars(task, "rows") and not any(row.split == split for row in rows.usable):
        told = f"no row of {split} can be used, so no question finds an exemplar"
        yield Finding(str(rows.path), None, "no_exemplar", told)
    if field := copied_answers([row.example for row in rows.usable], task):
        told = f"{field} holds the whole answer of every usable row, and every prompt would show it"
        yield Finding(str(rows.path), None, "leak", told)
