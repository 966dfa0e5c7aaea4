"""A report as Markdown: the tables, and above them how to read their figures."""

from collections.abc import Iterable

from instruction_kit.evaluation.grid import Grid, clusters, left_out, overview, tasks, templates
from instruction_kit.evaluation.report import BASELINE, MODEL, TITLES, Report, Run, SplitResult

READING = """\
- Rank accuracy: each candidate answer is scored by the sum of the log-probabilities of its tokens and of the stop token
  after the prompt; the highest score is the prediction. A tie with a wrong candidate is wrong. Per token: the sum
  divided by the number of tokens. Against an empty prompt: less the candidate's score where nothing stands before it.
- Log-likelihood: tasks without options; the mean log-probability of a token of the first reference and its stop token.
- Generated answers are read back through the template; an output from which none can be read counts as wrong.
- A task's figure is the mean over its templates, each in each setting; a cluster's the plain mean over its tasks.
- The interval is a 95% interval over rows, by 1,000 resamples in which rows that share a text stay together; that of a
  change compares both models on the same rows. It speaks of other rows of the same tasks and templates, not of other
  tasks or phrasings. Where all rows came out the same it has no width, whatever the number of rows.
- Chance: a guess among the candidates. Majority: the best constant answer, always the candidate at one position.
- Lowest to highest: over the templates of a task, for the model after tuning. Best, chosen on others: the template that
  is best on the task's validation rows, measured on its test rows; where there are none, each half of the rows under
  the template that is best on the other half.
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
    for kind in result.kinds:
        grids = [of(report, result, kind=kind) for of in (clusters, tasks, templates)]
        parts.extend([f"### {kind.title}", *(_table(grid, level=4) for grid in grids)])
    if result.left_out:
        parts.append(_table(left_out(result), level=3))
    return "\n\n".join(parts)


def _run(run: Run) -> str:
    return "## What was measured\n\n" + "\n".join(f"- {line}" for line in run_lines(run))


def run_lines(run: Run) -> list[str]:
    """How the rows came about, a line each."""
    names = {MODEL: "model", BASELINE: "model before"}
    lines = [f"{names[role]}: `{name}`" for role, name in run.models.items()]
    lines.append(f"mixture: fingerprint `{run.dataset}`")
    lines.append(f"layout: `{run.layout}`")
    lines.append(f"{run.dtype} on {run.device}; rows a task: {run.rows_per_task or 'all'}")
    if run.generation != "{}":
        lines.append(f"generation: `{run.generation}`")
    return [*lines, ", ".join(f"{package} {version}" for package, version in run.versions.items())]


def _table(grid: Grid, *, level: int) -> str:
    rule = ["---" if place < grid.num_names else "---:" for place in range(len(grid.columns))]
    lines = [_line(grid.columns), _line(rule), *map(_line, grid.rows)]
    return f"{'#' * level} {grid.title}\n\n" + "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
