"""A plan as tables for the terminal."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from instruction_kit.build.plan import Plan, Planned
from instruction_kit.build.share import Amount

NUMBERS = ("rows", "pairs", "share", "tokens", "of them", "rounds")


def plan_table(plan: Plan) -> RenderableType:
    """What trains with its expected shares, summed in several ways; what is measured, what leaves and why."""
    whole = _whole(plan)
    if not plan.training:
        return Group(Text("training: nothing, only what is held out"), *(Text(line) for line in _measured(plan)))
    tasks = _table(("task", "cluster"), NUMBERS)
    for name, task in plan.training.items():
        amount = plan.sums.get(("task", name))
        shown = _amount(amount, whole, estimated=task.estimated)
        tasks.add_row(name, task.cluster, _rows(task), *shown, _number(task.rounds))
    return Group(Text("training"), tasks, *_sums(plan, whole), *(Text(line) for line in _lines(plan, whole)))


def _table(texts: tuple[str, ...], numbers: tuple[str, ...]) -> Table:
    table = Table()
    for column in texts:
        table.add_column(column, overflow="fold")
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _whole(plan: Plan) -> Amount | None:
    """All of it, as far as it is known."""
    parts = [amount for (by, _), amount in plan.sums.items() if by == "cluster"]
    return sum(parts[1:], start=parts[0]) if parts and plan.pairs else None


def _sums(plan: Plan, whole: Amount | None) -> Iterator[RenderableType]:
    """A line for each part, cluster and setting; nothing while the number of pairs is not known."""
    if whole is None:
        return
    rough = any(task.estimated for task in plan.training.values())
    table = _table(("by", "name"), NUMBERS[1:5])
    for (by, name), amount in plan.sums.items():
        if by != "task":
            table.add_row(by, name, *_amount(amount, whole, estimated=rough))
    yield table


def _lines(plan: Plan, whole: Amount | None) -> Iterator[str]:
    if whole is None:
        yield "the number of training pairs is not known yet"
    else:
        rough = "~" if any(task.estimated for task in plan.training.values()) else "about "
        tokens = "an unknown number of" if whole.tokens is None else f"{rough}{whole.tokens:,.0f}"
        yield f"{plan.pairs:,} training pairs, {tokens} tokens"
    yield from _measured(plan)
    if any(task.estimated for task in plan.training.values()):
        yield (
            "~ is the size that a task file states, its pairs as long as in the sample; "
            "? is not known before a first build"
        )


def _measured(plan: Plan) -> Iterator[str]:
    yield f"measured: {', '.join(plan.measured) or 'nothing'}"
    yield from (f"leaves: {name} ({why})" for name, why in plan.leaving.items())
    yield from (f"note: {line}" for line in plan.notices)


def _amount(amount: Amount | None, whole: Amount | None, *, estimated: bool) -> tuple[str, str, str, str]:
    if amount is None or whole is None:
        return ("?",) * 4
    pairs = (f"{amount.pairs:,.0f}", f"{amount.pairs / whole.pairs:.1%}")
    if amount.tokens is None:
        return (*pairs, "?", "?")
    of_them = f"{amount.tokens / whole.tokens:.1%}" if whole.tokens else "?"
    return (*pairs, f"{'~' if estimated else ''}{amount.tokens:,.0f}", of_them)


def _rows(task: Planned) -> str:
    return ("~" if task.estimated and task.rows is not None else "") + _number(task.rows)


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"
