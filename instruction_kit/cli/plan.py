"""A plan as tables for the terminal."""

from collections import Counter

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from instruction_kit.build.plan import Plan, Planned


def plan_table(plan: Plan) -> RenderableType:
    """What trains with its expected share, what is measured, what leaves and why."""
    table = Table()
    for column in ("task", "cluster"):
        table.add_column(column, overflow="fold")
    for column in ("rows", "pairs", "share", "rounds"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, task in plan.training.items():
        table.add_row(name, task.cluster, _rows(task), _number(task.pairs), _share(task.share), _number(task.rounds))
    lines = [f"settings: {setting} {share:.1%}" for setting, share in _settings(plan).items()]
    lines += [f"measured: {', '.join(plan.measured) or 'nothing'}"]
    lines += [f"leaves: {name} ({why})" for name, why in plan.leaving.items()]
    if any(task.estimated for task in plan.training.values()):
        lines.append("~ is the size that a task file states; ? is not known before a first build")
    total = (
        f"{plan.pairs:,} training pairs" if plan.pairs is not None else "the number of training pairs is not known yet"
    )
    return Group(Text("training"), table, Text(total), *(Text(line) for line in lines))


def _settings(plan: Plan) -> dict[str, float]:
    """Expected share of each setting among all training pairs; nothing while a task's rows are not known."""
    shares: Counter[str] = Counter()
    for task in plan.training.values():
        shares.update({setting: share * (task.share or 0.0) for setting, share in task.settings.items()})
    return dict(sorted(shares.items())) if plan.pairs else {}


def _rows(task: Planned) -> str:
    return ("~" if task.estimated and task.rows is not None else "") + _number(task.rows)


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _share(value: float | None) -> str:
    return "?" if value is None else f"{value:.1%}"
