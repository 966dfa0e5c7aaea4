"""Plan: how many rows and pairs each task gives, what leaves and why; from counts alone.

In: a mixture and the rows that each task has. Out: quotas, and a `Plan` to read before anything is rendered. Counts
come from scans that were done before, else from the sizes that a task file states, which are marked as estimates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import polars as pl

from instruction_kit.build.examples import ROW
from instruction_kit.build.scan import cache_folder, cached, remembered, scan_units
from instruction_kit.errors import MixtureError, SourceError
from instruction_kit.render.setting import parse_setting, serving
from instruction_kit.source import Frame, Hub

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

MAX_VALIDATION_SHARE = 5
"""Validation rows taken from train are at most one in so many, so that a small task still trains."""


@dataclass(frozen=True)
class Quota:
    """What one training task gives."""

    pool: int
    """Rows that may be drawn."""
    pairs: int
    phrasings: int
    """Pairs of one use of a row."""

    @property
    def uses(self) -> int:
        """Uses of rows; the last may give fewer pairs than `phrasings`."""
        return -(-self.pairs // self.phrasings)

    @property
    def rounds(self) -> int:
        """How often the most used row is used."""
        return -(-self.uses // self.pool) if self.pool else 0

    @property
    def rows(self) -> int:
        """Different rows that are used."""
        return min(self.uses, self.pool)


@dataclass(frozen=True)
class Planned:
    """One training task in the plan."""

    cluster: str
    rows: int | None
    """Rows of train; None where nobody has counted them yet."""
    estimated: bool
    pairs: int | None
    share: float | None
    rounds: int | None
    settings: Mapping[str, float]
    """Setting -> expected share of this task's pairs."""


@dataclass(frozen=True)
class Plan:
    """What a mixture would hold."""

    training: Mapping[str, Planned]
    measured: tuple[str, ...]
    leaving: Mapping[str, str]

    @property
    def pairs(self) -> int | None:
        """Training pairs in all, if every task's rows are known."""
        counts = [task.pairs for task in self.training.values()]
        return None if None in counts else sum(count for count in counts if count is not None)


def num_carved(mixture: "Mixture", rows: int) -> int:
    """Validation rows that are taken from train where the source has no validation split of its own."""
    return min(mixture.num_validation, rows // MAX_VALIDATION_SHARE)


def num_phrasings(mixture: "Mixture", task: str) -> int:
    """Pairs of one use of a row: `phrasings`, or as many as the task has templates for."""
    keys = [parse_setting(key) for key in mixture.settings]
    templates = {t.name for key in keys for t in serving(mixture.templates[task], key, task=mixture.chosen[task])}
    return min(mixture.phrasings, len(templates))


def quotas(mixture: "Mixture", pools: Mapping[str, int]) -> dict[str, Quota]:
    """Divide the mixture's pairs among the training tasks, whose drawable rows are `pools`.

    Raises:
        MixtureError: no task has rows, or tasks would be repeated more than `max_repeats` times.

    """
    pools = {name: min(rows, mixture.num_examples_per_task) for name, rows in pools.items()}
    if not any(pools.values()):
        raise MixtureError(
            "no training task has a row that can be used; see the rejections of each with: instruction-kit preview TASK"
        )
    rates = {name: mixture.rates.rate(rows) for name, rows in pools.items()}
    phrasings = {name: num_phrasings(mixture, name) for name in pools}
    if mixture.num_pairs is None:
        given = {name: min(pools[name], int(rates[name])) * phrasings[name] for name in pools}
    else:
        given = largest_remainder(mixture.num_pairs, rates)
    made = {name: Quota(pools[name], given[name], phrasings[name]) for name in pools}
    over = {name: quota.rounds for name, quota in made.items() if quota.rounds > mixture.max_repeats}
    if over:
        told = ", ".join(f"{name} {rounds} times" for name, rounds in sorted(over.items()))
        raise MixtureError(
            f"num_pairs {mixture.num_pairs} would use the rows of these tasks more than max_repeats "
            f"{mixture.max_repeats} times: {told}; lower num_pairs, raise max_repeats or phrasings, or take them out"
        )
    return made


def largest_remainder(total: int, rates: Mapping[str, float]) -> dict[str, int]:
    """Divide a whole number in proportion to rates; what rounding leaves goes to the largest remainders (Hamilton's
    method).

    >>> largest_remainder(10, {"a": 1, "b": 1, "c": 1})
    {'a': 4, 'b': 3, 'c': 3}
    """
    whole = sum(Fraction(rate) for rate in rates.values())
    exact = {name: total * Fraction(rate) / whole for name, rate in rates.items()}
    floors = {name: int(share) for name, share in exact.items()}
    left = total - sum(floors.values())
    first = sorted(exact, key=lambda name: (floors[name] - exact[name], name))[:left]
    return {name: count + (name in first) for name, count in floors.items()}


def expected_settings(mixture: "Mixture", task: str) -> dict[str, float]:
    """Share of each setting among a task's pairs: the weights of those that it serves."""
    chosen, templates = mixture.chosen[task], mixture.templates[task]
    served = {k: w for k, w in mixture.settings.items() if serving(templates, parse_setting(k), task=chosen)}
    return {key: weight / sum(served.values()) for key, weight in served.items()}


def plan(mixture: "Mixture") -> Plan:
    """Say what a mixture would hold, without reading a row.

    Raises:
        MixtureError: the mixture cannot be.

    """
    held = mixture.held_out
    counts = {name: _count(mixture, name) for name in held.training}
    known = {name: rows - _carved(mixture, name, rows) for name, (rows, _) in counts.items() if rows is not None}
    made = quotas(mixture, known) if len(known) == len(counts) else {}
    total = sum(quota.pairs for quota in made.values())
    training = {}
    for name, (rows, estimated) in counts.items():
        quota = made.get(name)
        training[name] = Planned(
            cluster=mixture.chosen[name].cluster,
            rows=rows,
            estimated=estimated,
            pairs=quota.pairs if quota else None,
            share=quota.pairs / total if quota else None,
            rounds=quota.rounds if quota else None,
            settings=expected_settings(mixture, name),
        )
    return Plan(training, held.measured, held.leaving)


def _carved(mixture: "Mixture", name: str, rows: int) -> int:
    own = "validation" in mixture.chosen[name].reading(mixture.data).split_names
    return 0 if own else num_carved(mixture, rows)


def _count(mixture: "Mixture", name: str) -> tuple[int | None, bool]:
    """Accepted rows of train from cached scans, else the size that the task states."""
    task = mixture.chosen[name]
    stated = task.sizes.get("train") if mixture.data == "source" else None
    if isinstance(task.source, Frame) and not task.path:
        stated = task.source.rows("train")
    if isinstance(task.source, Hub) and mixture.data == "source":  # its scans could not be found without the network
        rows = remembered(task, "train")
        return (stated, True) if rows is None else (rows, False)
    try:
        units = [u for u in scan_units(task, data=mixture.data, data_dir=mixture.data_dir) if u.split == "train"]
    except SourceError:
        return stated, True
    scans = [scan for unit in units if (scan := cached(unit, cache_folder())) is not None]
    if len(scans) < len(units):
        return stated, True
    if task.key is None:
        return sum(scan.accepted for scan in scans), False
    keys = pl.scan_parquet([scan.examples for scan in scans]).select(pl.col(ROW).n_unique())
    return int(keys.collect().item()), False
