"""Exemplars for the rows of one split of one task: how many, which, and how they are written.

In: a pool of solved examples and the rows to ask about. Out: what each use of a row draws, and the exemplars rendered
under the phrasing of the question and in its style of options. A row that is measured is shown the same exemplars under
all its templates.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from instruction_kit import choice
from instruction_kit.build.listing import Lister
from instruction_kit.exemplar.arrangement import ARRANGEMENTS, Arrangement, Shown
from instruction_kit.exemplar.pool import Pool, balanced_field, input_fields, offered
from instruction_kit.render.listing import Listing
from instruction_kit.render.pair import Pair
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import Setting
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.language import RATIONALE
from instruction_kit.template.style import Style
from instruction_kit.template.template import Template

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

TRAIN = "train"
MEASURED = -1
"""The use of a row that is measured."""


@dataclass(frozen=True)
class Shots:
    """What one use of a row draws for its exemplars."""

    key: np.uint64
    num: int
    arrangement: Arrangement


Solve = Callable[[Pool, int, Template, Setting, Listing], Pair]
"""One place of a pool, rendered; a `RowProblem` where it cannot stand in that phrasing."""


class FewShot:
    """Draws and renders the exemplars of one split of one task; `solve` is for whoever has them rendered already."""

    def __init__(
        self, mixture: "Mixture", task: Task, pools: "Pools", *, split: str, solve: Solve | None = None
    ) -> None:
        self._task, self._pools, self._joiner = task, pools, mixture.joiner
        self._own = split == task.exemplar_split(mixture.data)
        self._rule = mixture.part(task.name).exemplars
        self._name = (mixture.seed, "exemplars", task.name, split)
        self._lister = Lister(mixture, task, split=split)
        self._solve = solve or self._solved

    def drawn(self, rows: choice.Keys, use: int) -> list[Shots]:
        """The draws of one use of each row."""
        own = choice.keys(rows, *self._name, use)
        numbers = choice.between(rows, *self._rule.num, *self._name, "number", use).tolist()
        last = 0 if use == MEASURED else len(ARRANGEMENTS) - 1
        places = choice.between(rows, 0, last, *self._name, "arrangement", use).tolist()
        return [Shots(*found) for found in zip(own, numbers, [ARRANGEMENTS[p] for p in places], strict=True)]

    def shown(
        self, example: Mapping[str, Any], row: str, shots: Shots, template: Template, setting: Setting, style: Style
    ) -> list[Shown]:
        """The exemplars of one question, in the order in which they stand; fewer where the pool has no more."""
        for pool in self._pools.of(setting):
            found = self._offered(pool, example, row, shots, template, setting, style)
            if taken := list(islice(found, shots.num)):
                return [shown for _, shown in sorted(taken)]
        return []

    def _offered(
        self,
        pool: Pool,
        example: Mapping[str, Any],
        row: str,
        shots: Shots,
        template: Template,
        setting: Setting,
        style: Style,
    ) -> Iterator[tuple[int, Shown]]:
        places = offered(
            pool,
            key=shots.key,
            row=row if self._own else None,
            question=example,
            fields=input_fields(template, self._task.schema),
            balanced=balanced_field(self._task.schema) if self._rule.balance == "label" else None,
            alike=self._rule.alike,
        )
        for rank, place in places:
            listing = self._lister.beside(shots.key ^ pool.hashes[place], pool.examples[place], style)
            try:
                pair = self._solve(pool, place, template, setting, listing)
            except RowProblem:  # it cannot stand in this phrasing; the next one may
                continue
            if not pair.turns:
                yield rank, Shown(pool.rows[place], pair.prompt, pair.completion)

    def _solved(self, pool: Pool, place: int, template: Template, setting: Setting, listing: Listing) -> Pair:
        return render(
            pool.examples[place],
            template=template,
            setting=setting,
            task=self._task,
            prompting=Prompting(self._joiner),
            listing=listing,
        )


@dataclass(frozen=True)
class Pools:
    """What a task may show."""

    rows: Pool
    file: Pool
    """Hand-written ones; or those of the user's prompts."""
    first: str

    def of(self, setting: Setting) -> tuple[Pool, ...]:
        """Those to take from, each where the one before it has none: hand-written ones where the mixture asks for them,
        or where reasons are to be shown that no row has.
        """
        if self.first != "rows":
            return (self.file,)
        return (self._reasoned, self.file) if setting.cot else (self.rows,)

    @cached_property
    def _reasoned(self) -> Pool:
        return self.rows.where([bool(example.get(RATIONALE)) for example in self.rows.examples])
