"""Plan: how many rows and pairs each task would give, what leaves and why; from counts alone.

In: a mixture. Out: a `Plan` to read before anything is rendered. Counts come from scans that were done before, else
from the sizes that a task file states, which are marked as estimates; then how long pairs are follows from the sample.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from instruction_kit.build.quota import num_carved, quotas
from instruction_kit.build.rowid import ROW
from instruction_kit.build.scan import cache_folder, cached, remember, remembered, scan, scan_units, sizes_of
from instruction_kit.build.share import Amount, Key, Place, sums
from instruction_kit.build.size import Sizes, expected_tokens
from instruction_kit.errors import SourceError
from instruction_kit.render.setting import parse_setting
from instruction_kit.source import Frame, Hub
from instruction_kit.task.task import Task

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture


@dataclass(frozen=True)
class Planned:
    """One training task in the plan."""

    cluster: str
    part: str
    """The path of the part that it stands in; empty where the mixture is not made of others."""
    rows: int | None
    """Rows of train; None where nobody has counted them yet."""
    estimated: bool
    """Whether `rows` is what the task file states, and tokens follow from the sample."""
    pairs: int | None
    share: float | None
    rounds: int | None
    settings: Mapping[str, float]
    """Setting -> expected share of this task's pairs."""
    lengths: Mapping[str, float]
    """Setting -> tokens that a pair is expected to have; nothing where nobody can say."""

    @property
    def amounts(self) -> dict[str, Amount]:
        """Setting -> expected pairs and tokens; nothing while the number of pairs is not known."""
        if self.pairs is None:
            return {}
        return amounts(self.pairs, self.settings, self.lengths)


@dataclass(frozen=True)
class Plan:
    """What a mixture would hold."""

    training: Mapping[str, Planned]
    measured: tuple[str, ...]
    leaving: Mapping[str, str]
    """Tasks, and phrasings as `template <folder>/<name>`, -> why."""
    notices: tuple[str, ...] = ()
    """What is no error and may be a slip."""

    @property
    def pairs(self) -> int | None:
        """Training pairs in all, if every task's rows are known."""
        counts = [task.pairs for task in self.training.values()]
        return None if None in counts else sum(count for count in counts if count is not None)

    @property
    def sums(self) -> dict[Key, Amount]:
        """Expected pairs and tokens of each part, cluster, task and setting; nothing while pairs are not known."""
        places = {name: Place(task.cluster, task.part) for name, task in self.training.items()}
        return sums({name: task.amounts for name, task in self.training.items()}, places)


def amounts(pairs: int, settings: Mapping[str, float], lengths: Mapping[str, float]) -> dict[str, Amount]:
    """Setting -> expected pairs and tokens of a task, from its share and from how long a pair is."""
    return {
        key: Amount(pairs * share, pairs * share * lengths[key] if key in lengths else None)
        for key, share in settings.items()
    }


def expected_settings(mixture: "Mixture", task: str) -> dict[str, float]:
    """Share of each setting among a task's pairs: the weights of those that it serves."""
    served = {k: w for k, w in mixture.part(task).settings.items() if mixture.serving(task, parse_setting(k))}
    return {key: weight / sum(served.values()) for key, weight in served.items()}


def mean_tokens(mixture: "Mixture", lengths: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Tokens that a pair of each task is expected to have, over all its settings; of tasks of which that is known."""
    shares = {name: expected_settings(mixture, name) for name in lengths}
    return {
        name: sum(shares[name][key] * of[key] for key in shares[name])
        for name, of in lengths.items()
        if all(key in of for key in shares[name])
    }


def plan(mixture: "Mixture") -> Plan:
    """Say what a mixture would hold, without reading a row of a source.

    Raises:
        MixtureError: the mixture cannot be.

    """
    mixture.check()
    held = mixture.held_out
    counts = {name: _counted(mixture, name) for name in held.training}
    known = {name: of.rows - _carved(mixture, name, of.rows) for name, of in counts.items() if of.rows is not None}
    lengths = {name: expected_tokens(mixture, name, of.sizes) if of.sizes else {} for name, of in counts.items()}
    tokens = mean_tokens(mixture, lengths)
    unknown = mixture.num_tokens is not None and len(tokens) < len(counts)
    made = {} if len(known) < len(counts) or unknown else quotas(mixture, known, tokens)
    total = sum(quota.pairs for quota in made.values())
    training = {}
    for name, of in counts.items():
        quota = made.get(name)
        training[name] = Planned(
            cluster=mixture.chosen[name].cluster,
            part=mixture.home(name),
            rows=of.rows,
            estimated=of.estimated,
            pairs=quota.pairs if quota else None,
            share=quota.pairs / total if quota and total else None,
            rounds=quota.rounds if quota else None,
            settings=expected_settings(mixture, name),
            lengths=lengths[name],
        )
    return Plan(training, held.measured, mixture.leaving, tuple(mixture.notices))


class _Counted(NamedTuple):
    rows: int | None
    sizes: Sizes | None
    """How much text they hold; from the sample, where the rows were not read yet."""
    estimated: bool = False


def _carved(mixture: "Mixture", name: str, rows: int) -> int:
    own = "validation" in mixture.chosen[name].reading(mixture.data).split_names
    return 0 if own else num_carved(mixture, name, rows)


def _counted(mixture: "Mixture", name: str) -> _Counted:
    """Accepted rows of train from cached scans, else the size that the task states."""
    task = mixture.chosen[name]
    stated = task.sizes.get("train") if mixture.data == "source" else None
    if isinstance(task.source, Frame) and not task.path:
        stated = task.source.rows("train")
    if isinstance(task.source, Hub) and mixture.data == "source":  # its scans could not be found without the network
        found = remembered(task, "train")
        return _Counted(*found) if found else _stated(task, stated)
    try:
        units = [u for u in scan_units(task, data=mixture.data, data_dir=mixture.data_dir) if u.split == "train"]
    except SourceError:
        return _stated(task, stated)
    if mixture.data == "sample":  # a few rows that ship with the task
        scans = [scan(unit, task=task, root=cache_folder()) for unit in units]
    else:
        scans = [done for unit in units if (done := cached(unit, cache_folder())) is not None]
    if len(scans) < len(units):
        return _stated(task, stated)
    if task.key is None:
        return _Counted(sum(done.accepted for done in scans), sizes_of(scans))
    keys = pl.scan_parquet([done.examples for done in scans]).select(pl.col(ROW).n_unique())
    return _Counted(int(keys.collect().item()), sizes_of(scans))


def _stated(task: Task, rows: int | None) -> _Counted:
    """What a task file states, and how much text the rows of its sample hold, where there is one."""
    if task.path is None or not task.sample_path.is_file():
        return _Counted(rows, None, estimated=True)
    if (known := remembered(task, "sample")) is None:
        units = [unit for unit in scan_units(task, data="sample", data_dir=None) if unit.split == "train"]
        sizes = sizes_of([scan(unit, task=task, root=cache_folder()) for unit in units])
        remember(task, "sample", sizes.rows, sizes)
    else:
        sizes = known[1]
    return _Counted(rows, sizes if sizes.rows else None, estimated=True)
