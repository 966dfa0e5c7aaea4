"""What a report holds: the schema of `report.json`, stable within one `format_version`.

Every figure follows from `rows.parquet` alone. The design decision: one record shape for every level (template, task,
cluster, overall) and for every measure, with the models side by side in it, so that a reader needs no joins.
"""

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from instruction_kit.errors import EvaluationError, nearest
from instruction_kit.evaluation.metrics import METRICS
from instruction_kit.evaluation.rows import Protocol

FORMAT_VERSION = 2

Shots = Literal["zero_shot", "few_shot"]
Measure = str
"""`accuracy`, `accuracy_per_token` and `accuracy_calibrated` of ranked candidates, `log_likelihood`, or a metric."""
MeasuredSplit = Literal["seen", "validation", "held_out"]
SPLITS: tuple[MeasuredSplit, ...] = ("seen", "validation", "held_out")
CHOOSING = "choosing"
"""Rows of held-out tasks on which a template is chosen that is then measured on others."""
TITLES: dict[str, str] = {
    "seen": "Rows seen in training",
    "validation": "Rows of trained tasks, not seen",
    "held_out": "Held-out clusters",
}
MODEL = "model"
"""The name of the measured model in `rows.parquet` and in every `figures`."""
BASELINE = "baseline"
"""The name of the model that it is compared with: the one before tuning."""

SCORINGS: dict[Measure, str] = {
    "accuracy": "Rank accuracy",
    "accuracy_per_token": "Rank accuracy, scores per token",
    "accuracy_calibrated": "Rank accuracy, scores against an empty prompt",
}
LIKELIHOOD = "log_likelihood"
_PROTOCOLS: dict[Protocol, str] = {
    "rank": "",
    "likelihood": "",
    "generate": " of generated answers",
    "chain_of_thought": " behind a chain of thought",
    "zero_shot_chain_of_thought": " by zero-shot chain of thought",
}
_SHOTS: dict[Shots, str] = {"zero_shot": "", "few_shot": ", few-shot"}


class Kind(NamedTuple):
    """What figures must share to be averaged: how they were measured, behind exemplars or not, and by what."""

    protocol: Protocol
    shots: Shots
    measure: Measure

    @property
    def title(self) -> str:
        """Say it in words."""
        unit = ", %" if self.in_percent else ""
        name = _name(self.measure) if self.protocol in ("rank", "likelihood") else METRICS[self.measure].title
        return f"{name}{_PROTOCOLS[self.protocol]}{_SHOTS[self.shots]}{unit}"

    @property
    def is_headline(self) -> bool:
        """Whether it is told wherever there is little room: other scorings of the same candidates are not."""
        return self.measure == "accuracy" or self.measure not in SCORINGS

    @property
    def in_percent(self) -> bool:
        """Whether its figures are written in percent."""
        return self.measure in SCORINGS or (self.measure in METRICS and METRICS[self.measure].unit == "percent")


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
    rows_per_task: int | None
    generation: str
    """How answers were generated, as JSON; `{}` where none were."""
    versions: dict[str, str]
    """Package -> version."""


class Figure(Record):
    """One model's figure, or a difference, with its 95% interval over rows; null where there is one group of rows."""

    mean: float
    low: float | None
    high: float | None


class Spread(Record):
    """How one model's figure varies over the templates of a task; quartiles as linear interpolation gives them."""

    min: float
    lower_quartile: float
    median: float
    upper_quartile: float
    max: float
    standard_deviation: float
    """That of these very templates."""


class Best(Record):
    """What one model reaches under the template that is best on rows other than those it is measured on."""

    chosen_on: Literal["validation", "halves"]
    """Validation rows of the task; without those each half of the rows is measured under the best of the other half."""
    templates: tuple[str, ...]
    """`template, setting`: one, or that of each half."""
    figure: Figure


class TemplateResult(Record):
    """One task under one phrasing in one setting."""

    template: str
    setting: str
    num_rows: int
    figures: dict[str, Figure]
    """Model -> its figure."""


class Result(Record):
    """What every level has."""

    protocol: Protocol
    shots: Shots
    measure: Measure
    num_rows: int
    """Rows, not pairs: each counts once, however many templates it stands under."""
    chance: float | None
    """Mean of right candidates over candidates; null without candidates."""
    majority: float | None
    """Accuracy of the best constant answer; null without candidates."""
    figures: dict[str, Figure]
    difference: Figure | None
    """Model minus baseline, over the same rows; null without a baseline."""

    @property
    def kind(self) -> Kind:
        """What it may be averaged with."""
        return Kind(self.protocol, self.shots, self.measure)


class TaskResult(Result):
    """One task: the mean over its templates."""

    task: str
    cluster: str
    num_groups: int
    """Groups of rows that share a text: what is resampled."""
    unread: dict[str, int]
    """Model -> generated outputs from which no answer could be read; they count as wrong."""
    spread: dict[str, Spread]
    best: dict[str, Best]
    """Model -> what it reaches under its best template; of held-out tasks with several templates."""
    templates: tuple[TemplateResult, ...]


class GroupResult(Result):
    """The plain mean over the tasks of a cluster, or of everything, that share a kind."""

    cluster: str | None
    """Null for everything."""
    num_tasks: int


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
    """One for each kind that its tasks have."""
    clusters: tuple[GroupResult, ...]
    tasks: tuple[TaskResult, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def kinds(self) -> list[Kind]:
        """The kinds of figures that there are, those of ranking first."""
        return [group.kind for group in self.overall]


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
        """Give one model's overall figure on one split: of the first kind with this measure, ranking before others."""
        for group in self.split(name).overall:
            if group.measure == measure:
                return group.figures[model].mean
        return None


def _name(measure: Measure) -> str:
    if measure == LIKELIHOOD:
        return "Log-likelihood of the reference, nats a token"
    return SCORINGS.get(measure) or METRICS[measure].title
