"""Several measurements side by side: their folders go in, figures over the same pairs come out.

Only pairs that every run measured count, so that all figures are about the same rows; what a run has beyond these is
counted. Differences are against the first run, over the same rows in every resample. Where a pair is not the same in
two runs, the data are others, and nothing is compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.files import ROWS_PARQUET, read_rows
from instruction_kit.evaluation.report import (
    BASELINE,
    CHOOSING,
    MODEL,
    Figure,
    GroupResult,
    Kind,
    MeasuredSplit,
    Record,
    Report,
    Run,
    Shots,
    TaskResult,
)
from instruction_kit.evaluation.rows import PAIR, Protocol, check_rows
from instruction_kit.evaluation.summary import summarise

COMPARISON_VERSION = 1
SAME = ("prompt", "candidates", "options", "gold", "references")
"""What must be the same in a pair of two runs."""


class ComparedRun(Record):
    """One measurement."""

    name: str
    """The name of its folder; the whole path where two have the same."""
    run: Run | None
    num_pairs: int
    """Pairs that its model measured."""
    not_shared: int
    """Those of them that another run did not measure; they are in no figure."""


class Compared(Record):
    """One task, cluster or all, by all runs."""

    cluster: str | None
    """Null for everything."""
    task: str | None
    """Null for a cluster and for everything."""
    protocol: Protocol
    shots: Shots
    measure: str
    num_rows: int
    chance: float | None
    majority: float | None
    figures: dict[str, Figure]
    """Run -> its figure."""
    differences: dict[str, Figure]
    """Run -> its figure less that of the first run, over the same rows; the first has none."""

    @property
    def kind(self) -> Kind:
        """What it may be averaged with."""
        return Kind(self.protocol, self.shots, self.measure)


class ComparedSplit(Record):
    """All that was compared of one split."""

    split: MeasuredSplit
    overall: tuple[Compared, ...]
    clusters: tuple[Compared, ...]
    tasks: tuple[Compared, ...]


class Comparison(Record):
    """What `instruction-kit compare --json` prints."""

    format_version: int
    runs: tuple[ComparedRun, ...]
    """In the order in which they were named; the first is what the others are compared with."""
    splits: tuple[ComparedSplit, ...]


class _Loaded(NamedTuple):
    name: str
    run: Run | None
    rows: pl.DataFrame


def compare(folders: Sequence[str | Path]) -> Comparison:
    """Compare the models of several measurements on the pairs that all of them measured.

    Raises:
        EvaluationError: fewer than two folders, no rows in one, nothing in common, or other data.

    """
    if len({*map(str, folders)}) < 2 or len({*map(str, folders)}) < len(folders):
        raise EvaluationError("compare: name two measurements or more, each once: the folders of evaluate --output_dir")
    loaded = [_load(Path(folder), name) for folder, name in zip(folders, _names(folders), strict=True)]
    shared = _shared(loaded)
    first, *others = [one._replace(rows=shared.join(one.rows, on=PAIR, how="inner")) for one in loaded]
    for other in others:
        _check_same(first, other)
    reports = {other.name: _report(first.rows, other.rows) for other in others}
    runs = [
        ComparedRun(name=one.name, run=one.run, num_pairs=one.rows.height, not_shared=one.rows.height - shared.height)
        for one in loaded
    ]
    return Comparison(format_version=COMPARISON_VERSION, runs=tuple(runs), splits=tuple(_splits(first.name, reports)))


def _names(folders: Sequence[str | Path]) -> list[str]:
    ends = [Path(folder).resolve().name for folder in folders]
    return [end if ends.count(end) == 1 else str(folder) for end, folder in zip(ends, folders, strict=True)]


def _load(folder: Path, name: str) -> _Loaded:
    """The pairs that the model of one run measured; those that only choose a template are no figure."""
    rows, run = read_rows(folder / ROWS_PARQUET)
    check_rows(rows)
    of_model = rows.filter(pl.col("dropped").is_null(), pl.col("measured_split") != CHOOSING, model=MODEL)
    return _Loaded(name, run, of_model)


def _shared(loaded: Sequence[_Loaded]) -> pl.DataFrame:
    """Name the pairs that all have."""
    shared = loaded[0].rows.select(PAIR)
    for one in loaded[1:]:
        shared = shared.join(one.rows.select(PAIR), on=PAIR, how="semi")
        if shared.is_empty():
            raise EvaluationError(
                f"compare: {one.name} measured no pair that those before it did ({'; '.join(map(_data, loaded))}); "
                "compare runs over one built folder, with the same --split and --protocol"
            )
    return shared


def _check_same(first: _Loaded, other: _Loaded) -> None:
    both = first.rows.join(other.rows, on=PAIR, how="inner", suffix="_other")
    differ = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_other")) for name in SAME)
    if (wrong := both.filter(differ).sort(PAIR)).height:
        row = wrong.row(0, named=True)
        what = next(name for name in SAME if row[name] != row[f"{name}_other"])
        raise EvaluationError(
            f"compare: {other.name} was not measured on the data of {first.name}: {wrong.height:,} of {both.height:,} "
            f"pairs differ, the first in its {what}: {row['task']} {row['split']} row {row['row']} under "
            f"{row['template']}, {row['setting']} ({_data(first)}; {_data(other)}); measure both on one built folder"
        )


def _data(one: _Loaded) -> str:
    """Where a run's pairs are from, and how they were asked."""
    mixture = f"mixture {one.run.dataset[:16]}" if one.run else "no note on its mixture"
    asked = ", ".join(sorted({f"{split} {protocol}" for split, protocol in one.rows.select(PAIR[0], PAIR[2]).rows()}))
    return f"{one.name}: {mixture}, {asked or 'nothing measured'}"


def _report(first: pl.DataFrame, other: pl.DataFrame) -> Report:
    """Both as the two models of one measurement."""
    before, after = first.with_columns(model=pl.lit(BASELINE)), other.with_columns(model=pl.lit(MODEL))
    return summarise(pl.concat([before, after.select(before.columns)]))


def _splits(first: str, reports: Mapping[str, Report]) -> Iterator[ComparedSplit]:
    for results in zip(*(report.splits for report in reports.values()), strict=True):
        of = dict(zip(reports, results, strict=True))
        yield ComparedSplit(
            split=results[0].split,
            overall=_lines(first, {name: result.overall for name, result in of.items()}),
            clusters=_lines(first, {name: result.clusters for name, result in of.items()}),
            tasks=_lines(first, {name: result.tasks for name, result in of.items()}),
        )


def _lines(first: str, of: Mapping[str, Sequence[TaskResult | GroupResult]]) -> tuple[Compared, ...]:
    """One line for each result that all have, in the order of the first."""
    found = {name: {_key(result): result for result in results} for name, results in of.items()}
    every = [key for key in next(iter(found.values())) if all(key in results for results in found.values())]
    return tuple(_line(first, {name: results[key] for name, results in found.items()}) for key in every)


def _key(result: TaskResult | GroupResult) -> tuple[str | None, str | None, Kind]:
    return result.cluster, result.task if isinstance(result, TaskResult) else None, result.kind


def _line(first: str, of: Mapping[str, TaskResult | GroupResult]) -> Compared:
    one = next(iter(of.values()))
    cluster, task, kind = _key(one)
    return Compared(
        cluster=cluster,
        task=task,
        protocol=kind.protocol,
        shots=kind.shots,
        measure=kind.measure,
        num_rows=one.num_rows,
        chance=one.chance,
        majority=one.majority,
        figures={first: one.figures[BASELINE], **{name: result.figures[MODEL] for name, result in of.items()}},
        differences={name: result.difference for name, result in of.items() if result.difference is not None},
    )
