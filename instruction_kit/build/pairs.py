"""The pairs of one task, without a mixture: every row under every template, or under one.

In: a task. Out: a `datasets.Dataset` with the columns of a built mixture. Rows of train are rendered as a mixture
with default keys trains on them, those of other splits as it measures them, with candidates. Each template stands in
the first setting that it serves.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
import pyarrow as pa

from instruction_kit.build.first import first_examples
from instruction_kit.build.listing import Lister
from instruction_kit.build.reference import drawn_references
from instruction_kit.build.rowid import HASH, ROW
from instruction_kit.errors import TaskError
from instruction_kit.library import search_path
from instruction_kit.mixture import Mixture
from instruction_kit.render.pair import PAIR_SCHEMA, record
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import SETTINGS, Setting, once_each
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.load import named, templates_of
from instruction_kit.template.template import Template

if TYPE_CHECKING:
    from datasets import Dataset

SLICE = 10_000
"""Rows that are rendered before their pairs become columns."""
logger = logging.getLogger(__name__)


def pairs(
    task: Task,
    template: str | None,
    *,
    split: str,
    data: Literal["source", "sample"],
    data_dir: Path | None,
    paths: Sequence[Path],
    num_rows: int | None,
    seed: int,
) -> "Dataset":
    """Render one task.

    Raises:
        SourceError: the source cannot be read, or has no such split.
        TaskError: it does not fit the task, or no row can be used.
        TemplateError: there is no such template, or none that this task can use.

    """
    from datasets import Dataset

    found = named(templates_of(search_path(paths), schema=task.schema, task=task.name), template)
    phrasings = once_each(found, list(SETTINGS.values()), task=task)
    examples, lost = first_examples(task, split, data=data, data_dir=data_dir, num_rows=num_rows)
    missed: Counter[str] = Counter()
    mixture = Mixture(seed=seed)
    tables = [
        pa.Table.from_pylist(list(_records(mixture, task, split, phrasings, rows, missed)), schema=PAIR_SCHEMA)
        for rows in examples.iter_slices(SLICE)
    ]
    made = pa.concat_tables(tables)
    if not made.num_rows:
        raise TaskError(f"task {task.name}: no row of {split} can stand in these templates: {'; '.join(missed)}")
    _tell(task, split, lost, missed)
    return Dataset(made)


def _records(
    mixture: Mixture,
    task: Task,
    split: str,
    phrasings: Sequence[tuple[Template, Setting]],
    rows: pl.DataFrame,
    missed: Counter[str],
) -> Iterator[dict[str, Any]]:
    hashes, values = rows[HASH].to_numpy(), rows.drop(ROW, HASH).to_dicts()
    lister, measured = Lister(mixture, task, split=split), split != "train"
    drawn = drawn_references(task, hashes, values, split=split, seed=mixture.seed, turn=0)
    listings = lister.measured(hashes, values) if measured else lister.drawn(hashes, values, 0)
    for row, example, reference, listing in zip(rows[ROW].to_list(), values, drawn, listings, strict=True):
        for template, setting in phrasings:
            try:
                pair = render(
                    example,
                    template=template,
                    setting=setting,
                    task=task,
                    prompting=Prompting(mixture.joiner),
                    measured=measured,
                    reference=0 if measured else reference,
                    listing=listing,
                )
            except RowProblem as problem:
                missed[str(problem)] += 1
                continue
            yield record(pair, task=task, split=split, row=row, template=template, setting=setting)


def _tell(task: Task, split: str, lost: Counter[str], missed: Counter[str]) -> None:
    """Nothing is lost in silence."""
    for what, counts in (("rows cannot be used", lost), ("pairs cannot be rendered", missed)):
        if counts:
            told = "; ".join(f"{why} ({count:,})" for why, count in counts.most_common())
            logger.warning("task %s %s: %s %s: %s", task.name, split, f"{counts.total():,}", what, told)
