"""Plan: how many rows and pairs each task would give, what leaves and why; from counts alone.

In: a mixture. Out: a `Plan` to read before anything is rendered. Counts come from scans that were done before, else
from the sizes that a task file states, which are marked as estimates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from instruction_kit.build.quota import quotas
from instruction_kit.build.rowid import ROW
from instruction_kit.build.scan import cache_folder, cached, remembered, scan_units
from instruction_kit.errors import SourceError
from instruction_kit.render.setting import parse_setting
from instruction_kit.source import Frame, Hub

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

MAX_VALIDATION_SHARE = 5
"""Validation rows taken from train are at most one in so many, so that a small task still trains."""


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
    """Tasks, and phrasings as `template <folder>/<name>`, -> why."""

    @property
    def pairs(self) -> int | None:
        """Training pairs in all, if every task's rows are known."""
        counts = [task.pairs for task in self.training.values()]
        return None if None in counts else sum(count for count in counts if count is not None)


def num_carved(mixture: "Mixture", rows: int) -> int:
    """Validation rows that are taken from train where the source has no validation split of its own."""
    return min(mixture.num_validation, rows // MAX_VALIDATION_SHARE)


def expected_settings(mixture: "Mixture", task: str) -> dict[str, float]:
    """Share of each setting among a task's pairs: the weights of those that it serves."""
    served = {k: w for k, w in mixture.settings.items() if mixture.serving(task, parse_setting(k))}
    return {key: weight / sum(served.values()) for key, weight in served.items()}


def plan(mixture: "Mixture") -> Plan:
    """Say what a mixture would hold, without reading a row.

    Raises:
        MixtureError: the mixture cannot be.

    """
    mixture.check()
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
    return Plan(training, held.measured, mixture.leaving)


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
