"""What a report holds: the schema of `report.json`, stable within one `format_version`.

Every figure follows from `rows.parquet` alone. The design decision: one record shape for every level (template, task,
cluster, overall) and for both measures, with the models side by side in it, so that a reader needs no joins.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from instruction_kit.errors import EvaluationError, nearest

FORMAT_VERSION = 1

Measure = Literal["accuracy", "log_likelihood"]
"""Rank classification where a task has options, else mean log-likelihood per token of the first reference."""
MeasuredSplit = Literal["seen", "validation", "held_out"]
SPLITS: tuple[MeasuredSplit, ...] = ("seen", "validation", "held_out")
TITLES: dict[str, str] = {
    "seen": "Rows seen in training",
    "validation": "Rows of trained tasks, not seen",
    "held_out": "Held-out clusters",
}
MODEL = "model"
"""The name of the measured model in `rows.parquet` and in every `figures`."""
BASELINE = "baseline"
"""The name of the model that it is compared with: the one before tuning."""


class Record(BaseModel):
    """A frozen part of the report; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Run(Record):
    """How the rows came about."""

    dataset: str
    """Fingerprint of the built folder."""
    models: dict[str, str]
    """`model` or `baseline` -> the name it was asked for by; of a local path only the last part."""
    layout: str
    """How prompt and completion became tokens, as JSON."""
    dtype: str
    device: str
    max_rows: int | None
    versions: dict[str, str]
    """Package -> version."""


class Figure(Record):
    """One model's figure with its 95% interval over rows; the interval is null where one row is all there is."""

    mean: float
    low: float | None
    high: float | None


class Spread(Record):
    """How one model's figure varies over the templates of a task; the deviation is that of these very templates."""

    min: float
    max: float
    standard_deviation: float


class TemplateResult(Record):
    """One task under one phrasing in one setting."""

    template: str
    setting: str
    num_rows: int
    figures: dict[str, Figure]
    """Model -> its figure."""


class TaskResult(Record):
    """One task: the mean over its templates."""

    task: str
    cluster: str
    measure: Measure
    num_rows: int
    """Rows, not pairs: each counts once, however many templates it stands under."""
    chance: float | None
    """Mean of right candidates over candidates; null without candidates."""
    majority: float | None
    """Accuracy of the best constant answer; null without candidates."""
    figures: dict[str, Figure]
    spread: dict[str, Spread]
    difference: float | None
    """Model minus baseline; null without a baseline."""
    templates: tuple[TemplateResult, ...]


class GroupResult(Record):
    """The plain mean over the tasks of a cluster, or of everything, that share a measure."""

    cluster: str | None
    """Null for everything."""
    measure: Measure
    num_tasks: int
    num_rows: int
    chance: float | None
    majority: float | None
    figures: dict[str, Figure]
    difference: float | None


class LeftOut(Record):
    """Pairs of one task and phrasing that one model could not take; they are left out for the other one too."""

    task: str
    template: str
    setting: str
    model: str
    reason: str
    rows: tuple[str, ...]


class SplitResult(Record):
    """All that was measured of one split."""

    split: MeasuredSplit
    overall: tuple[GroupResult, ...]
    """One for each measure that its tasks have."""
    clusters: tuple[GroupResult, ...]
    tasks: tuple[TaskResult, ...]
    left_out: tuple[LeftOut, ...]


class Report(Record):
    """The whole of `report.json`."""

    format_version: int
    run: Run | None
    """Null where the rows were made by other means than the command."""
    models: tuple[str, ...]
    """`model`, and `baseline` where there is one."""
    splits: tuple[SplitResult, ...]

    def split(self, name: str) -> SplitResult:
        """Give the results of one split.

        Raises:
            EvaluationError: that split was not measured.

        """
        for result in self.splits:
            if result.split == name:
                return result
        raise EvaluationError(f"split {name} is not in this report; {nearest(name, [s.split for s in self.splits])}")

    def overall(self, name: str, *, measure: Measure = "accuracy", model: str = MODEL) -> float | None:
        """Give one model's overall figure on one split; None where no task of that split has this measure."""
        for group in self.split(name).overall:
            if group.measure == measure:
                return group.figures[model].mean
        return None
