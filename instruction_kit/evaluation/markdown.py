"""A report as Markdown: the tables, and above them how to read their figures."""

from collections.abc import Iterable

from instruction_kit.evaluation.grid import NAMES, Grid, clusters, left_out, overview, tasks, templates
from instruction_kit.evaluation.report import BASELINE, MODEL, TITLES, Report, Run, SplitResult

READING = """\
- Rank accuracy: each candidate answer is scored by the sum of the log-probabilities of its tokens and of the stop token
  after the prompt; the highest score is the prediction. A tie with a wrong candidate is wrong.
- Log-likelihood: tasks without options; the mean log-probability of a token of the first reference and its stop token.
- A task's figure is the mean over its templates, each in each setting; a cluster's the plain mean over its tasks.
- The interval is a 95% interval over rows: one row is one observation, however many templates it stands under. It
  speaks of other rows of the same tasks and templates, not of other tasks or phrasings. Accuracies: Wilson score.
- Chance: a guess among the candidates. Majority: the best constant answer, always the candidate at one position.
- Lowest, highest and standard deviation are over the templates of a task, for the model after tuning.
"""


def markdown(report: Report, *, picture: str) -> str:
    """Write the report; `picture` is the name of the picture beside it."""
    parts = [
        "# Measurement",
        *(_table(grid, level=2) for grid in overview(report)),
        f"![The same as a picture]({picture})",
    ]
    parts.extend(_split(report, result) for result in report.splits)
    parts.append("## How to read this\n\n" + READING.rstrip())
    if report.run:
        parts.append(_run(report.run))
    return "\n\n".join(parts) + "\n"


def _split(report: Report, result: SplitResult) -> str:
    parts = [f"## {TITLES[result.split]}"]
    for measure, title in NAMES.items():
        grids = [of(report, result, measure=measure) for of in (clusters, tasks, templates)]
        if any(grid.rows for grid in grids):
            parts.extend([f"### {title}", *(_table(grid, level=4) for grid in grids)])
    if result.left_out:
        parts.append(_table(left_out(result), level=3))
    return "\n\n".join(parts)


def _run(run: Run) -> str:
    names = {MODEL: "model", BASELINE: "model before"}
    lines = [f"- {names[role]}: `{name}`" for role, name in run.models.items()]
    lines.append(f"- mixture: fingerprint `{run.dataset}`")
    lines.append(f"- layout: `{run.layout}`")
    lines.append(f"- {run.dtype} on {run.device}; rows a task: {run.max_rows or 'all'}")
    lines.append("- " + ", ".join(f"{package} {version}" for package, version in run.versions.items()))
    return "## What was measured\n\n" + "\n".join(lines)


def _table(grid: Grid, *, level: int) -> str:
    rule = ["---" if place < grid.num_names else "---:" for place in range(len(grid.columns))]
    lines = [_line(grid.columns), _line(rule), *map(_line, grid.rows)]
    return f"{'#' * level} {grid.title}\n\n" + "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
