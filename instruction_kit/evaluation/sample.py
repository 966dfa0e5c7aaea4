"""Figures with what they might have been: the pairs of one task and kind go in, samples of its figure come out.

A sample is a figure beside the figures of resampled rows, draw by draw. Templates, models and tasks are combined draw
by draw too, so a mean's interval and that of a difference need no formula of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from instruction_kit.choice import keys, row_hashes
from instruction_kit.evaluation.metrics import Sums
from instruction_kit.evaluation.report import Best, Figure, Measure
from instruction_kit.evaluation.resample import NUM_DRAWS, Draws, interval, weights
from instruction_kit.evaluation.sums import Contribution, contribution

Phrasing = tuple[str, str]
"""Template and setting."""
PHRASING = ("template", "setting")
GROUP = pl.when(pl.col("group") == "").then(pl.concat_str("split", "row", separator="\t")).otherwise("group")
"""What is resampled together: the rows about one text, else a row."""
EXACT = 12
"""Decimals of a difference: further ones are those of adding up in another order, and 0 must be 0."""


class Sample(NamedTuple):
    """A figure, and what it is in other samples of rows."""

    point: float
    draws: Draws

    @property
    def figure(self) -> Figure:
        """The figure with its interval."""
        low, high = interval(self.draws) or (None, None)
        return Figure(mean=self.point, low=low, high=high)

    def less(self, other: "Sample") -> "Sample":
        """The difference, over the same rows in every draw; what rounding leaves of none at all is none."""
        return Sample(round(self.point - other.point, EXACT), np.round(self.draws - other.draws, EXACT))


def average(samples: Sequence[Sample]) -> Sample:
    """The plain mean, draw by draw; a draw in which one has no row leaves it out, one without draws leaves none."""
    draws = np.stack([sample.draws for sample in samples])
    known = np.isfinite(draws) & np.isfinite(draws).any(axis=1).all()
    total = np.where(known, draws, 0).sum(axis=0)
    mean = np.divide(total, known.sum(axis=0), out=np.full(total.shape, np.nan), where=known.any(axis=0))
    return Sample(float(np.mean([sample.point for sample in samples])), mean)


@dataclass(frozen=True)
class Pairs:
    """The pairs of one task in one protocol, by all models, in a fixed order."""

    frame: pl.DataFrame

    @cached_property
    def groups(self) -> list[str]:
        """The groups of its rows, each once."""
        return self.frame.select(GROUP.alias("g")).unique()["g"].sort().to_list()

    @cached_property
    def weights(self) -> npt.NDArray[np.float64]:
        """How often each group counts in each draw; the same for every model and template."""
        return weights(tuple(self.groups), self.frame["task"][0])

    @cached_property
    def parts(self) -> dict[tuple[str, Phrasing], pl.DataFrame]:
        """(model, phrasing) -> its pairs."""
        named = self.frame.with_columns(GROUP.alias("g")).sort(*PHRASING, maintain_order=True)
        parts = named.partition_by("model", *PHRASING, as_dict=True, maintain_order=True)
        return {(str(key[0]), (str(key[1]), str(key[2]))): part for key, part in parts.items()}

    @cached_property
    def phrasings(self) -> list[Phrasing]:
        """In the order of their names."""
        return list(dict.fromkeys(phrasing for _, phrasing in self.parts))

    def sample(self, model: str, phrasing: Phrasing, measure: Measure) -> Sample:
        """One model's figure under one phrasing."""
        part = self.parts[model, phrasing]
        found = contribution(part, measure)
        if len(self.groups) < 2:  # nothing else could have been drawn
            return Sample(float(found.figure(found.rows.sum(axis=0))), np.full(NUM_DRAWS, np.nan))
        sums = self._by_group(part, found)
        return Sample(float(found.figure(found.rows.sum(axis=0))), found.figure(self.weights @ sums))

    def _by_group(self, part: pl.DataFrame, found: Contribution) -> Sums:
        places = {name: place for place, name in enumerate(self.groups)}
        sums = np.zeros((len(self.groups), found.rows.shape[1]))
        np.add.at(sums, [places[name] for name in part["g"]], found.rows)
        return sums

    def best(self, model: str, measure: Measure, *, choosing: "Pairs | None", lower: bool) -> Best | None:
        """What a model reaches under a phrasing that was chosen on other rows; None where there is no choice."""
        halves = [choosing, self] if choosing is not None else self._halves()
        among = [one for one in self.phrasings if all((model, one) in half.parts for half in halves)]
        if len(among) < 2:
            return None
        if choosing is not None:
            chosen = _favourite(choosing, model, measure, among, lower=lower)
            figure = self.sample(model, chosen, measure).figure
            return Best(chosen_on="validation", templates=(", ".join(chosen),), figure=figure)
        chosen_of = [_favourite(half, model, measure, among, lower=lower) for half in halves]
        crossed = [half.parts[model, other] for half, other in zip(halves, reversed(chosen_of), strict=True)]
        renamed = [part.drop("g").with_columns(template=pl.lit("best"), setting=pl.lit("")) for part in crossed]
        figure = Pairs(pl.concat(renamed)).sample(model, ("best", ""), measure).figure
        return Best(chosen_on="halves", templates=tuple(", ".join(one) for one in chosen_of), figure=figure)

    def _halves(self) -> list["Pairs"]:
        """The groups, in two halves by hash."""
        order = np.argsort(keys(row_hashes(self.groups), "halves"), kind="stable")
        first = [self.groups[place] for place in order[: len(order) // 2]]
        inside = GROUP.is_in(first)
        return [Pairs(self.frame.filter(inside)), Pairs(self.frame.filter(~inside))]


def _favourite(pairs: Pairs, model: str, measure: Measure, among: Sequence[Phrasing], *, lower: bool) -> Phrasing:
    """The phrasing with the best figure; of equal ones the first by name."""
    sign = 1 if lower else -1

    def rank(phrasing: Phrasing) -> tuple[float, Phrasing]:
        found = contribution(pairs.parts[model, phrasing], measure)
        return sign * float(found.figure(found.rows.sum(axis=0))), phrasing

    return min(among, key=rank)
