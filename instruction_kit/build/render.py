"""Render: the drawn examples of one scan become pairs, one sorted run for each shard.

In: a scan, its drawn rows, and the mixture's templates and settings. Out: run files and a ledger. Which setting and
phrasing a row takes is a choice by hash; a row that cannot stand in its first choice takes the next, and only a row
with none is lost, counted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from instruction_kit import choice
from instruction_kit.build.draw import PAIRS, ROLE, ROLES, Role
from instruction_kit.build.few_shot import MEASURED, FewShot, Pools, Shots
from instruction_kit.build.leakage import POS
from instruction_kit.build.length import measure
from instruction_kit.build.listing import Lister
from instruction_kit.build.phrasing import Drawing, Phrasing
from instruction_kit.build.quota import num_phrasings
from instruction_kit.build.reference import drawn_references
from instruction_kit.build.rowid import HASH, ROW
from instruction_kit.exemplar.prompt import behind
from instruction_kit.render.pair import Pair, record
from instruction_kit.render.render import TOO_LONG, Prompting, render
from instruction_kit.render.setting import Setting, parse_setting
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.template import Template

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

ORDER, HOME = "_order", "_home"
"""Columns of runs: the order key, and the split of the built mixture that the pair goes to."""


@dataclass
class RenderLedger:
    """What became of the drawn rows of one scan."""

    used: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    pairs: Counter[str] = field(default_factory=Counter)
    settings: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    """Setting -> bytes of the training pairs."""
    templates: Counter[str] = field(default_factory=Counter)
    phrasings: Counter[str] = field(default_factory=Counter)
    """Templates of all pairs, those that only measure training rows included."""
    exemplars: Counter[str] = field(default_factory=Counter)
    """Number of exemplars -> pairs that show so many."""
    shortened: int = 0
    fewer_exemplars: int = 0
    lost: list[dict[str, str]] = field(default_factory=list)
    """Rows that no phrasing could take: row, reason."""

    def numbers(self) -> dict[str, Any]:
        """The counts as plain data."""
        names = ("rejected", "removed", "missed", "pairs", "settings", "sizes", "templates", "phrasings", "exemplars")
        counts = {name: dict(sorted(getattr(self, name).items())) for name in names}
        cut = {"shortened": self.shortened, "fewer_exemplars": self.fewer_exemplars}
        return {"used": self.used, **cut, **counts}


def drawn_examples(path: Path, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The examples that are drawn, read one row group at a time, and the rows with their places among these."""
    places = rows[POS].unique().sort()
    parts, start = [], 0
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            if mine := places.filter(places.is_between(start, end, closed="left")).to_list():
                parts.append(pl.DataFrame(pl.from_arrow(file.read_row_group(group)))[[place - start for place in mine]])
            start = end
    return pl.concat(parts) if parts else pl.DataFrame(), rows.with_columns(places.search_sorted(rows[POS]).alias(POS))


class Renderer:
    """Renders the rows of one task."""

    def __init__(self, mixture: "Mixture", task: Task, *, split: str, pools: Pools | None = None) -> None:
        self.task, self.split, self.seed = task, split, mixture.seed
        self.templates = mixture.templates[task.name]
        self.prompting = Prompting(mixture.joiner, *measure(mixture.budget))
        self.serving = partial(mixture.serving, task.name)
        self.few_shot = FewShot(mixture, task, pools, split=split) if pools else None
        self.weights = {parse_setting(key): weight for key, weight in mixture.part(task.name).settings.items()}
        self.phrasings = num_phrasings(mixture, task.name)
        self.measured_in = [parse_setting(key) for key in mixture.held_out_settings]
        self.lister = Lister(mixture, task, split=split)
        self.ledger = RenderLedger()

    def pairs(self, examples: pl.DataFrame, drawn: pl.DataFrame) -> Iterator[dict[str, Any]]:
        """Every pair of every drawn row, as records of `PAIR_SCHEMA` with order key and home."""
        fields = [name for name in examples.columns if name not in (ROW, HASH)]
        used: set[str] = set()
        failed: dict[str, str] = {}
        for role in ROLES:  # train before seen, which holds trained rows
            rows = drawn.filter((pl.col(ROLE) == role) & ~pl.col(ROW).is_in(list(failed)))
            values = examples[rows[POS].to_list()].select(fields).to_dicts() if rows.height else []
            made = self._train(rows, values) if role == "train" else self._measured(rows, values, role)
            for row, records, reason in made:
                if records:
                    used.add(row)
                    yield from records
                else:
                    failed.setdefault(row, reason)
        self.ledger.used = len(used)
        self._lose({row: reason for row, reason in failed.items() if row not in used})

    def _lose(self, failed: Mapping[str, str]) -> None:
        for row, reason in failed.items():
            (self.ledger.removed if reason == TOO_LONG else self.ledger.rejected)[reason] += 1
            self.ledger.lost.append({"row": row, "reason": reason})

    def _train(
        self, rows: pl.DataFrame, values: list[dict[str, Any]]
    ) -> Iterator[tuple[str, list[dict[str, Any]], str]]:
        hashes, counts = rows[HASH].to_numpy(), rows[PAIRS].to_list()
        served = {s: self.serving(s) for s in self.weights}
        open_settings = [setting for setting, templates in served.items() if templates]
        most = max(counts, default=0)
        drawn = self._drawn_settings(hashes, open_settings, most)
        ranks = choice.preference(
            hashes, [t.name for t in self.templates], self.seed, "phrasing", self.task.name, self.split
        )
        orders = [
            choice.keys(hashes, self.seed, "order", self.task.name, self.split, "train", use) for use in range(most)
        ]
        references = [
            drawn_references(self.task, hashes, values, split=self.split, seed=self.seed, turn=turn)
            for turn in range(-(-most // self.phrasings))
        ]
        listings = [self.lister.drawn(hashes, values, use) for use in range(most)]
        shots = [self._shots(hashes, use) for use in range(most)]
        for index, (row, count) in enumerate(zip(rows[ROW].to_list(), counts, strict=True)):
            order = [self.templates[place].name for place in ranks[index]]
            phrasing = Phrasing(partial(self.render, values[index]), order, served)
            records = []
            for use in range(count):
                turn = self._turn(use)
                drawing = Drawing(references[turn][index], listings[use][index], row, shots[use][index])
                made = phrasing.next(open_settings[drawn[use][index]], turn, drawing)
                if made is None:
                    continue
                template, setting, pair = made
                records.append(self._record(row, pair, template, setting, "train", use, int(orders[use][index])))
            yield row, records, phrasing.reason

    def _drawn_settings(self, hashes: choice.Keys, settings: Sequence[Setting], uses: int) -> list[choice.Index]:
        weights = np.array([self.weights[setting] for setting in settings])
        names = [str(setting) for setting in settings]
        name = (self.seed, "setting", self.task.name, self.split)
        return [choice.weighted_pick(hashes, names, weights, *name, use) for use in range(uses)]

    def _measured(
        self, rows: pl.DataFrame, values: list[dict[str, Any]], role: Role
    ) -> Iterator[tuple[str, list[dict[str, Any]], str]]:
        order = choice.keys(rows[HASH].to_numpy(), self.seed, "order", self.task.name, self.split, role)
        phrasings = [(t, s) for s in self.measured_in for t in self.serving(s, measured=True)]
        shots = self._shots(rows[HASH].to_numpy(), MEASURED)
        listings = self.lister.measured(rows[HASH].to_numpy(), values)
        for index, (row, example, key) in enumerate(zip(rows[ROW].to_list(), values, order.tolist(), strict=True)):
            records, reasons = [], []
            drawing = Drawing(listing=listings[index], row=row, shots=shots[index])
            for template, setting in phrasings:
                try:
                    pair = self.render(example, template, setting, drawing, measured=True)
                except RowProblem as problem:
                    reasons.append(str(problem))
                    continue
                records.append(self._record(row, pair, template, setting, role, 0, key))
            if records:
                self.ledger.missed.update(reasons)
            yield row, records, reasons[0] if reasons else "no template for the settings in which it is measured"

    def render(
        self,
        example: Mapping[str, Any],
        template: Template,
        setting: Setting,
        drawing: Drawing,
        *,
        measured: bool = False,
    ) -> Pair:
        """Render one example.

        Raises:
            RowProblem: it cannot stand in this phrasing.

        """

        def ask(prompting: Prompting) -> Pair:
            return render(
                example,
                template=template,
                setting=setting,
                task=self.task,
                prompting=prompting,
                measured=measured,
                reference=drawing.reference,
                listing=drawing.listing,
            )

        if not setting.few_shot or self.few_shot is None or drawing.shots is None:
            return ask(self.prompting)
        style = drawing.listing.style
        shown = self.few_shot.shown(example, drawing.row, drawing.shots, template, setting, style)
        return behind(shown, ask, arrangement=drawing.shots.arrangement, prompting=self.prompting)

    def _shots(self, hashes: choice.Keys, use: int) -> list[Shots | None]:
        return [*self.few_shot.drawn(hashes, use)] if self.few_shot else [None] * len(hashes)

    def _record(
        self, row: str, pair: Pair, template: Template, setting: Setting, role: Role, use: int, order: int
    ) -> dict[str, Any]:
        home = f"{self.task.name}__{self.split}" if role == "held_out" else role
        self.ledger.pairs[home] += 1
        self.ledger.shortened += pair.shortened > 0
        self.ledger.fewer_exemplars += pair.dropped > 0
        if pair.exemplars:
            self.ledger.exemplars[str(len(pair.exemplars))] += 1
        self.ledger.phrasings[template.name] += 1
        if role == "train":
            self.ledger.sizes[str(setting)] += len(pair.prompt.encode()) + len(pair.completion.encode())
        if role in ("train", "held_out"):
            self.ledger.settings[str(setting)] += 1
            self.ledger.templates[template.name] += 1
        told = record(
            pair, task=self.task, split=self.split, row=row, template=template, setting=setting, turn=self._turn(use)
        )
        return {ORDER: order, HOME: home, **told}

    def _turn(self, use: int) -> int:
        """The round of one use of a row."""
        return use // self.phrasings
