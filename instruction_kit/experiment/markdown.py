"""The outcome of an experiment as Markdown: a table an arm a line, and below it which way each claim points."""

from collections.abc import Iterable, Iterator, Sequence

from instruction_kit.evaluation.grid import interval, number
from instruction_kit.evaluation.report import LIKELIHOOD, Figure, Kind
from instruction_kit.experiment.outcome import ArmOutcome, CheckOutcome, Comparison, Experiment
from instruction_kit.experiment.paper import BEFORE, MEASURES, TITLES

NONE = "-"
HOW = """\
Figures are rank accuracy in percent, or accuracy behind reasons that a trigger asked for: means over held-out tasks,
each the mean over its templates. Intervals cover 95 % of resamples of the measured rows. They say nothing of how much
another seed of tuning would change, so a direction is a finding about these models alone. Held in are rows of an arm's
own tasks that it did not train on: accuracy in percent, and log-likelihood in nats a token where a task has no options.
A claim points as in the paper, or the other way, where the interval of the difference leaves 0 out; else neither way.
The papers' numbers are of other models, tasks and sizes: what can be compared is the direction. FLAN's figure 7 has
tuning lower held-out figures in decoder-only models up to 8B, so a small model is not expected to follow them."""
TOY = "This is the toy scale: it shows that the path works. Its figures say nothing."


def markdown(experiment: Experiment, *, picture: str) -> str:
    """Write the page."""
    of = f"Base model {experiment.model}; scale {experiment.scale}; data {experiment.data}"
    lines = [
        "# Four directional checks after FLAN",
        "",
        f"{of}; every arm {experiment.max_steps:,} steps of the same size.",
        "",
        *([TOY, ""] if experiment.scale == "toy" else []),
        *HOW.split("\n"),
        "",
        f"![Figures of each arm, with the papers' beside them]({picture})",
    ]
    for check in experiment.checks:
        lines += ["", *_check(check)]
    return "\n".join(lines) + "\n"


def verdicts(check: CheckOutcome) -> Iterator[str]:
    """Say each claim in one line."""
    for of in check.comparisons:
        claim, measured, _, mean, between, direction = _claim(check, of)
        yield f"{check.title}: {claim}, {measured}: {mean} ({between}), points {direction}"


def _check(check: CheckOutcome) -> Iterator[str]:
    yield f"## {check.title}"
    yield ""
    yield from _table(_columns(check), _arm_rows(check))
    yield ""
    yield f"Paper: {check.paper}; {check.source}."
    yield ""
    columns = ("claim", "measured", "paper", "here", "95% interval", "points")
    yield from _table(columns, [_claim(check, of) for of in check.comparisons])
    yield ""
    yield from _sources(check)


def _columns(check: CheckOutcome) -> tuple[str, ...]:
    measured = [name for measure in check.measures for name in (TITLES[measure], "95% interval", "paper")]
    return ("arm", "tasks", "pairs", "held in, %", "held in, nats", *measured)


def _arm_rows(check: CheckOutcome) -> Iterator[Sequence[str]]:
    before = [cell for name in check.measures for cell in _cells(check.before[name], name, None)]
    yield ("before tuning", NONE, NONE, NONE, NONE, *before)
    for arm in check.arms:
        paper = {name: check.published.get(name, {}).get(arm.name) for name in check.measures}
        measured = [cell for name in check.measures for cell in _cells(arm.figures[name], name, paper[name])]
        yield (arm.title, str(arm.num_tasks), f"{arm.num_pairs:,}", *_held_in(arm), *measured)
    chance = [cell for name in check.measures for cell in (number(check.chance[name], MEASURES[name]), NONE, NONE)]
    yield ("chance", NONE, NONE, NONE, NONE, *chance)


def _held_in(arm: ArmOutcome) -> Iterator[str]:
    for kind in (MEASURES["zero_shot"], Kind("likelihood", "zero_shot", LIKELIHOOD)):
        of = arm.held_in.get(kind.measure)
        yield NONE if of is None else f"{number(of.before, kind)} → {number(of.after, kind)}"


def _cells(figure: Figure, measure: str, paper: float | None) -> tuple[str, str, str]:
    """Fill the three columns of a measure."""
    kind = MEASURES[measure]
    return number(figure.mean, kind), interval(figure, kind), NONE if paper is None else f"{paper:.1f}"


def _claim(check: CheckOutcome, of: Comparison) -> tuple[str, str, str, str, str, str]:
    titles = {arm.name: arm.title for arm in check.arms} | {BEFORE: "before tuning"}
    kind = MEASURES[of.measure]
    told = f"{titles[of.arm]} {of.expected} than {titles[of.against]}"
    mean, between = number(of.difference.mean, kind, signed=True), interval(of.difference, kind, signed=True)
    return told, TITLES[of.measure], of.paper, mean, between, of.points


def _sources(check: CheckOutcome) -> Iterator[str]:
    sources = dict.fromkeys(of.source for of in check.comparisons)
    yield f"Claims: {'; '.join(sources)}."


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
