"""The outcome of an experiment as a picture: a panel a check, a curve a measure, the paper's points beside them."""

from pathlib import Path

from instruction_kit.canvas import INK, Axes, canvas, own_settings, quiet
from instruction_kit.experiment.outcome import CheckOutcome, Experiment
from instruction_kit.experiment.paper import TITLES

COLOURS = {"zero_shot": "#1f5fa8", "few_shot": "#2e8b57", "chain_of_thought": "#8a4fa3"}
CHANCE = "#c0392b"
WIDTH_INCHES, PANEL_INCHES, HEAD_INCHES = 9.0, 3.6, 0.7
FOOT = "Points: mean over held-out tasks, bars: 95% interval over rows. Broken lines: before tuning. Hollow: the paper."


def draw(experiment: Experiment, path: Path) -> None:
    """Draw the experiment into a PNG file."""
    height = HEAD_INCHES + PANEL_INCHES * len(experiment.checks)
    with own_settings():
        sheet = canvas(WIDTH_INCHES, height)
        top = height - HEAD_INCHES
        for check in experiment.checks:
            axes = sheet.add_axes((0.09, (top - PANEL_INCHES + 0.75) / height, 0.66, (PANEL_INCHES - 1.2) / height))
            _draw_check(axes, check)
            top -= PANEL_INCHES
        title = f"Four checks after FLAN: {experiment.model}, scale {experiment.scale}"
        sheet.text(0.02, 1 - 0.25 / height, title, fontsize=13, fontweight="bold", color=INK, va="center")
        sheet.text(0.02, 1 - 0.53 / height, FOOT, fontsize=8, color=INK, va="center")
        sheet.savefig(path, format="png", dpi=150, metadata={"Software": None})


def _draw_check(axes: Axes, check: CheckOutcome) -> None:
    axes.set_title(check.title, loc="left", fontsize=11, color=INK)
    axes.set_xlim(-0.5, len(check.arms) - 0.5)
    axes.set_ylim(0, 100)
    axes.set_ylabel("accuracy, %", fontsize=8.5, color=INK)
    axes.set_xticks(range(len(check.arms)), [_wrapped(arm.title) for arm in check.arms], fontsize=7.5)
    quiet(axes, grid="y", size=7.5)
    for place, measure in enumerate(check.measures):
        _draw_measure(axes, check, measure, shift=0.08 * (place - (len(check.measures) - 1) / 2))
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=8)


def _draw_measure(axes: Axes, check: CheckOutcome, measure: str, *, shift: float) -> None:
    """One curve, the line of the model before tuning, chance, and the paper's points."""
    colour, name = COLOURS[measure], TITLES[measure]
    figures = [arm.figures[measure] for arm in check.arms]
    places = [place + shift for place in range(len(figures))]
    line, dotted = ("", "") if check.name == "templates" else ("-", ":")  # kinds of wording have no order
    axes.plot(places, [100 * of.mean for of in figures], f"o{line}", color=colour, markersize=5, label=name)
    for place, figure in zip(places, figures, strict=True):
        if figure.low is not None and figure.high is not None:
            axes.plot([place, place], [100 * figure.low, 100 * figure.high], color=colour, linewidth=1.6)
    axes.axhline(100 * check.before[measure].mean, color=colour, linewidth=1.1, linestyle="--", alpha=0.7)
    if measure == check.measures[0] and (chance := check.chance[measure]) is not None:
        axes.axhline(100 * chance, color=CHANCE, linewidth=1.1, linestyle=":", label="chance")
    there = {place: check.published.get(measure, {}).get(arm.name) for place, arm in enumerate(check.arms)}
    paper = {place: value for place, value in there.items() if value is not None}
    if paper:
        axes.plot(
            list(paper), list(paper.values()), f"s{dotted}", color=colour, markerfacecolor="white", markersize=5,
            linewidth=1, alpha=0.8, label=f"paper, {name}",
        )  # fmt: skip


def _wrapped(title: str) -> str:
    """Break a name into lines that fit below a point.

    >>> _wrapped("2 (+ struct to text)").split(chr(10))
    ['2 (+ struct', 'to text)']
    """
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + len(word) > 12:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)
