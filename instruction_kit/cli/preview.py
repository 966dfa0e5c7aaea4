"""`preview`: rows of one task as its templates render them, on the terminal.

In: a task's name and what to show. Out: panels, beside each other where a terminal has room. Only the first rows of a
source are read; in a few-shot setting also those of train, to show exemplars from.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from rich.text import Text

from instruction_kit.build.few_shot import FewShot, Pools
from instruction_kit.build.first import first_examples
from instruction_kit.build.rowid import HASH, ROW
from instruction_kit.cli.console import err, out
from instruction_kit.cli.panel import Measure, pair_panel, side_by_side
from instruction_kit.exemplar.pool import Pool
from instruction_kit.exemplar.prompt import behind
from instruction_kit.library import search_path
from instruction_kit.mixture import Exemplars, Mixture
from instruction_kit.render.listing import Listing
from instruction_kit.render.pair import Pair
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import SETTINGS, Setting, has_exemplars, once_each, parse_setting
from instruction_kit.task.exemplars import read_exemplars
from instruction_kit.task.load import load_tasks
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.load import named, templates_of
from instruction_kit.template.template import Template

Data = Literal["sample", "source"]
NUM_POOL = 200
"""Rows of train from which exemplars are taken."""


@dataclass(frozen=True)
class Wanted:
    """What is to be shown of a task."""

    template: str | None = None
    rows: int = 1
    setting: str | None = None
    exemplars: int = 2
    split: str | None = None
    data: Data | None = None
    data_dir: Path | None = None
    tokenizer: str | None = None
    paths: Sequence[Path] = ()


def preview_task(name: str, wanted: Wanted) -> None:
    """Print the first rows of a task under each of its templates.

    Raises:
        InstructionKitError: no such task, template, setting, split or tokenizer, or nothing to show.

    """
    folders = search_path(wanted.paths)
    task = load_tasks(folders, names=[name])[name]
    phrasings = named(templates_of(folders, schema=task.schema, task=name), wanted.template)
    settings = [parse_setting(wanted.setting)] if wanted.setting else list(SETTINGS.values())
    data: Data = wanted.data or ("sample" if task.sample_path.is_file() else "source")
    shown = once_each(phrasings, settings, task=task)
    split = wanted.split or task.reading(data).split_names[0]
    examples, _ = first_examples(task, split, data=data, data_dir=wanted.data_dir, num_rows=wanted.rows)
    pairs = _few_shot(task, split, data, wanted) if settings[0].few_shot else _zero_shot(task)
    measures = _measures(wanted.tokenizer)
    told = f"{name}: {data}, split {split}, {task.schema.__name__}, cluster {task.cluster}"
    err.print(told, highlight=False, markup=False, soft_wrap=True)
    for example in examples.to_dicts():
        out.rule(Text(example[ROW]))
        panels = [pair_panel(pairs(example, t, setting), t, setting, measures=measures) for t, setting in shown]
        out.print(side_by_side(panels, out.width if out.is_terminal else 0))


def _measures(tokenizer: str | None) -> list[Measure]:
    measures = [Measure("characters", len)]
    if tokenizer:
        from instruction_kit.build.length import counter  # the one thing here that needs an extra

        measures.append(Measure("tokens", counter(tokenizer)))
    return measures


Pairs = Callable[[dict[str, Any], Template, Setting], Pair | str]
"""A row under a template in a setting: the pair, or why there is none."""


def _zero_shot(task: Task) -> Pairs:
    def pair(example: dict[str, Any], template: Template, setting: Setting) -> Pair | str:
        try:
            return render(example, template=template, setting=setting, task=task, prompting=Prompting())
        except RowProblem as problem:
            return str(problem)

    return pair


def _few_shot(task: Task, split: str, data: Data, wanted: Wanted) -> Pairs:
    """Behind exemplars as a mixture would draw them for a measured row, from the first rows of train."""
    mixture = Mixture(exemplars=Exemplars(num=(wanted.exemplars, wanted.exemplars)))
    few_shot = FewShot(mixture, task, _pools(task, data, wanted.data_dir), split=split)

    def pair(example: dict[str, Any], template: Template, setting: Setting) -> Pair | str:
        shots = few_shot.drawn(np.array([example[HASH]], dtype=np.uint64), 0)[0]
        row, style = {k: v for k, v in example.items() if k not in (ROW, HASH)}, Listing().style_of(template)

        def ask(prompting: Prompting) -> Pair:
            return render(row, template=template, setting=setting, task=task, prompting=prompting)

        try:
            shown = few_shot.shown(row, example[ROW], shots, template, setting, style)
            return behind(shown, ask, arrangement=shots.arrangement, prompting=Prompting())
        except RowProblem as problem:
            return str(problem)

    return pair


def _pools(task: Task, data: Data, data_dir: Path | None) -> Pools:
    rows = pl.DataFrame({ROW: [], HASH: []})
    if has_exemplars(task, "rows"):
        rows, _ = first_examples(task, task.exemplar_split(data), data=data, data_dir=data_dir, num_rows=NUM_POOL)
    named = dict(zip(rows[ROW], rows.drop(ROW, HASH).to_dicts(), strict=True))
    return Pools(Pool.named(named), Pool.named(read_exemplars(task)), "rows")
