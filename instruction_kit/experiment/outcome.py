"""What came out: the rows of every arm go in, figures with their intervals and which way each claim points come out.

Two arms are compared over the same rows, resampled together, as a model is with its baseline. A direction counts only
where the interval of the difference leaves 0 out; it is over measured rows, and says nothing of another seed of tuning.
"""

from collections.abc import Iterator
from typing import Literal

import polars as pl

from instruction_kit.build.manifest import Manifest, read_manifest
from instruction_kit.evaluation.files import ROWS_PARQUET, read_report
from instruction_kit.evaluation.report import BASELINE, LIKELIHOOD, MODEL, Figure, GroupResult, Kind, Record, Report
from instruction_kit.evaluation.summary import summarise
from instruction_kit.experiment.arm import Arm, Check
from instruction_kit.experiment.paper import BEFORE, CLAIMS, MEASURES, PUBLISHED, Claim
from instruction_kit.experiment.run import BUILT, HELD_IN, HELD_OUT, Runner

FORMAT_VERSION = 1
Points = Literal["as in the paper", "the other way", "neither way"]


class HeldIn(Record):
    """Rows of the tasks that an arm trains on which it has not seen, before and after."""

    before: float
    after: float


class ArmOutcome(Record):
    """One arm."""

    name: str
    title: str
    clusters: tuple[str, ...]
    """What it trains on."""
    num_tasks: int
    num_pairs: int
    held_in: dict[str, HeldIn]
    """`accuracy`, and `log_likelihood` in nats a token; what its tasks have of them."""
    figures: dict[str, Figure]
    """Measure -> the mean over held-out tasks."""
    clusters_held_out: dict[str, dict[str, Figure]]
    """Measure -> held-out cluster -> the mean over its tasks."""


class Comparison(Record):
    """Two arms, or an arm and the model before tuning, over the same rows."""

    arm: str
    against: str
    measure: str
    paper: str
    source: str
    expected: Literal["higher", "lower"]
    difference: Figure
    points: Points


class CheckOutcome(Record):
    """One check."""

    name: str
    title: str
    measures: tuple[str, ...]
    before: dict[str, Figure]
    """Measure -> the model before tuning."""
    chance: dict[str, float | None]
    arms: tuple[ArmOutcome, ...]
    comparisons: tuple[Comparison, ...]
    paper: str
    """What the figures below are, and where they stand."""
    source: str
    published: dict[str, dict[str, float]]
    """Measure -> arm -> percent."""


class Experiment(Record):
    """The whole of `experiment.json`."""

    format_version: int
    model: str
    scale: str
    data: str
    max_steps: int
    checks: tuple[CheckOutcome, ...]


def outcome(check: Check, runner: Runner) -> CheckOutcome:
    """Work out one check from the files of its arms."""
    reports = {arm.name: read_report(runner.place(check, arm.name) / HELD_OUT) for arm in check.arms}
    alone = reports[check.arms[0].name]
    chance = {name: _group(alone, MEASURES[name]).chance for name in check.measures}
    paper, names = PUBLISHED[check.name], [arm.name for arm in check.arms]
    return CheckOutcome(
        name=check.name,
        title=check.title,
        measures=check.measures,
        before={name: _group(alone, MEASURES[name]).figures[BASELINE] for name in check.measures},
        chance=chance,
        arms=tuple(_arm(check, arm, reports[arm.name], runner) for arm in check.arms),
        comparisons=tuple(_comparisons(check, runner)),
        paper=paper.what,
        source=paper.source,
        published={measure: _of(figures, names) for measure, figures in paper.figures.items()},
    )


def _of(figures: dict[str, float], names: list[str]) -> dict[str, float]:
    return {name: figures[name] for name in names if name in figures}


def _arm(check: Check, arm: Arm, report: Report, runner: Runner) -> ArmOutcome:
    manifest = read_manifest(runner.place(check, arm.model_of or arm.name) / BUILT)
    trained = {name: task.cluster for name, task in manifest.tasks.items() if task.role == "train"}
    held_in = read_report(runner.place(check, arm.model_of or arm.name) / HELD_IN)
    return ArmOutcome(
        name=arm.name,
        title=arm.title,
        clusters=tuple(sorted(set(trained.values()))),
        num_tasks=len(trained),
        num_pairs=_num_pairs(manifest),
        held_in=dict(_held_in(held_in)),
        figures={name: _group(report, MEASURES[name]).figures[MODEL] for name in check.measures},
        clusters_held_out={name: _by_cluster(report, MEASURES[name]) for name in check.measures},
    )


def _num_pairs(manifest: Manifest) -> int:
    return manifest.splits["train"]["train"]


def _held_in(report: Report) -> Iterator[tuple[str, HeldIn]]:
    for measure in ("accuracy", LIKELIHOOD):
        before, after = (report.overall("validation", measure=measure, model=model) for model in (BASELINE, MODEL))
        if before is not None and after is not None:
            yield measure, HeldIn(before=before, after=after)


def _group(report: Report, kind: Kind) -> GroupResult:
    return next(group for group in report.split("held_out").overall if group.kind == kind)


def _by_cluster(report: Report, kind: Kind) -> dict[str, Figure]:
    groups = [group for group in report.split("held_out").clusters if group.kind == kind]
    return {group.cluster or "": group.figures[MODEL] for group in groups}


def _comparisons(check: Check, runner: Runner) -> Iterator[Comparison]:
    """Compare the arms that there are, each pair of them once."""
    names = {arm.name: arm.name for arm in check.arms}
    names |= {"first": check.arms[0].name, "last": check.arms[-1].name, BEFORE: BEFORE}
    for claim in CLAIMS[check.name]:
        if claim.arm in names and claim.against in names:
            yield _comparison(check, claim, names[claim.arm], names[claim.against], runner)


def _comparison(check: Check, claim: Claim, arm: str, against: str, runner: Runner) -> Comparison:
    kind = MEASURES[claim.measure]
    rows = pl.concat([_rows(check, arm, runner, role=MODEL), _rows(check, against, runner, role=BASELINE)])
    difference = _group(summarise(_of_kind(rows, kind)), kind).difference
    if difference is None:
        raise AssertionError(f"{check.name}: {arm} and {against} are two models")
    return Comparison(
        arm=arm,
        against=against,
        measure=claim.measure,
        paper=claim.paper,
        source=claim.source,
        expected=claim.direction,
        difference=difference,
        points=points(difference, claim.direction),
    )


def _rows(check: Check, arm: str, runner: Runner, *, role: str) -> pl.DataFrame:
    """The held-out rows of an arm, or of the model before tuning, under the name that comparing gives it."""
    name, model = (check.arms[0].name, BASELINE) if arm == BEFORE else (arm, MODEL)
    rows = pl.read_parquet(runner.place(check, name) / HELD_OUT / ROWS_PARQUET)
    return rows.filter(model=model).with_columns(model=pl.lit(role))


def _of_kind(rows: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """Held-out rows that were measured in one way."""
    return rows.filter(pl.col("setting").str.starts_with(kind.shots), measured_split="held_out", protocol=kind.protocol)


def points(difference: Figure, expected: Literal["higher", "lower"]) -> Points:
    """Say which way a difference points; one whose interval holds 0 points neither way.

    >>> points(Figure(mean=0.02, low=0.01, high=0.03), "higher")
    'as in the paper'
    >>> points(Figure(mean=0.02, low=-0.01, high=0.05), "higher")
    'neither way'
    """
    low, high = difference.low, difference.high
    if low is None or high is None or low <= 0 <= high:
        return "neither way"
    return "as in the paper" if (low > 0) == (expected == "higher") else "the other way"
