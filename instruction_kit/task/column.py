"""Column helpers: how one field of a schema follows from the source's columns, row by row.

In: a column name or a Polars expression. Out: a `Column`, which becomes expressions once the frame's types are known.
The helpers are non-strict: a value that they cannot convert becomes null with a reason, and the row is rejected with
it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from instruction_kit.errors import TaskError, nearest

Value = str | pl.Expr
COLUMN = "give a column's name, a Polars expression or one of the kit's helpers"


@dataclass(frozen=True)
class Resolved:
    """The expressions of one field over a frame whose types are known."""

    value: pl.Expr
    problem: pl.Expr | None = None
    """Reason as text where the value could not be converted, else null."""
    shown: pl.Expr | None = None
    """What the source has, as text, for the report of rejected rows."""


@dataclass(frozen=True)
class Column:
    """A field's mapping: which source columns it reads, and what it becomes."""

    reads: frozenset[str]
    resolve: Callable[[pl.Schema], Resolved]
    classes: tuple[str, ...] = ()
    """For `labels`: the classes in order."""
    source_names: tuple[str, ...] = ()
    """For `labels` by position: what the source must call its classes, in order."""
    source: str | None = None
    """For `labels`: the source's column, where it is one."""
    named: "Callable[[Sequence[str]], Column] | None" = None
    """For `labels` by value: the same over a column of codes whose classes the source itself names, in this order."""


def as_column(value: "Value | Column") -> Column:
    """A bare name or expression means the value as it is."""
    if isinstance(value, Column):
        return value
    expression = as_expression(value)
    return Column(reads_of(expression), lambda _: Resolved(expression))


def as_expression(value: Value) -> pl.Expr:
    """A column's name means the column.

    Raises:
        TaskError: it is neither a name nor an expression.

    """
    if isinstance(value, str):
        return pl.col(value)
    if isinstance(value, pl.Expr):
        return value
    raise TaskError(f"{value!r} is no column; {COLUMN}")


def reads_of(*expressions: pl.Expr) -> frozenset[str]:
    """The source columns that expressions read."""
    return frozenset(name for expression in expressions for name in expression.meta.root_names())


def _dtype(expression: pl.Expr, schema: pl.Schema) -> pl.DataType:
    return pl.LazyFrame(schema=schema).select(expression.alias("value")).collect_schema()["value"]


def text(value: Value) -> pl.Expr:
    r"""Text without the blanks at its edges and with plain line feeds; the inside stays as it is.

    >>> import polars as pl
    >>> pl.DataFrame({"a": [" x\r\ny "]}).select(text("a")).item()
    'x\ny'
    """
    return (
        as_expression(value).cast(pl.String, strict=False).str.replace_all("\r\n", "\n", literal=True).str.strip_chars()
    )


def options(*values: Value) -> pl.Expr:
    """A row's options from several columns, in their order.

    >>> import polars as pl
    >>> pl.DataFrame({"a": ["x "], "b": ["y"]}).select(options("a", "b")).item().to_list()
    ['x', 'y']
    """
    return pl.concat_list([text(value) for value in values])


def labels(value: Value, classes: Sequence[str] | Mapping[Any, str], *, names: Sequence[str] | None = None) -> Column:
    """Map the source's labels to class names.

    A list of classes is in the order of the source's codes: a number is a position, a text is one of `names` (by
    default the class names themselves) or, where no name is a number, a position written out. A source that declares
    its ClassLabel names must declare these, in this order, or the task is refused. A dict says each value's class by
    itself: letters, 1-based numbers, booleans; or the names of a ClassLabel, in any order and not all of them.

    Raises:
        TaskError: there are no classes, or `names` are not as many.

    """
    expression = as_expression(value)
    source = value if isinstance(value, str) else None
    if isinstance(classes, Mapping):
        table = {_as_text(key): name for key, name in classes.items()}
        order = tuple(dict.fromkeys(classes.values()))
        return Column(
            reads_of(expression),
            lambda schema: _looked_up(expression, schema, table),
            order,
            source=source,
            named=lambda declared: labels(value, _by_code(classes, declared, where=f"labels({value!r})")),
        )
    said = tuple(names or classes)
    if not classes or len(said) != len(classes):
        raise TaskError(f"labels({value!r}): {len(classes)} classes, {len(said)} names; give one name for each class")
    return Column(
        reads_of(expression),
        lambda schema: _by_position(expression, schema, classes, said),
        tuple(classes),
        said,
        source,
    )


def _by_code(classes: Mapping[Any, str], declared: Sequence[str], *, where: str) -> dict[Any, str]:
    """A text is a name that the source declares; a number, also one written out that is no such name, is a code."""
    codes = {name: code for code, name in enumerate(declared)}
    known = {key for key in classes if not isinstance(key, str) or key in codes or key.strip().lstrip("-").isdigit()}
    if absent := [key for key in classes if key not in known]:
        raise TaskError(f"{where}: the source has no class {absent[0]!r}; {nearest(absent[0], declared)}")
    return {codes.get(key, key) if isinstance(key, str) else key: name for key, name in classes.items()}


def _as_text(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _shown(expression: pl.Expr, schema: pl.Schema) -> pl.Expr:
    """A value as text. A whole number among fractions is shown as one: pandas makes 1.0 of 1 where one is missing."""
    written = expression.cast(pl.String, strict=False).str.strip_chars()
    if not _dtype(expression, schema).is_float():
        return written
    number = expression.fill_nan(None)
    whole = number.cast(pl.Int64, strict=False).cast(pl.String).fill_null(written)
    return pl.when(number == number.round()).then(whole).when(number.is_not_null()).then(written)


def _looked_up(expression: pl.Expr, schema: pl.Schema, table: Mapping[str, str]) -> Resolved:
    shown = _shown(expression, schema)
    value = shown.replace_strict(list(table), list(table.values()), default=None, return_dtype=pl.String)
    return Resolved(value, reason_where(shown.is_not_null() & value.is_null(), "not one of the labels"), shown)


def _by_position(expression: pl.Expr, schema: pl.Schema, classes: Sequence[str], names: Sequence[str]) -> Resolved:
    positions = {str(position): name for position, name in enumerate(classes)}
    by_name = dict(zip(names, classes, strict=True))
    if _dtype(expression, schema).is_numeric():
        return _looked_up(expression, schema, positions)
    numeric_names = any(name.strip().isdigit() for name in names)
    return _looked_up(expression, schema, by_name if numeric_names else {**positions, **by_name})


def index(value: Value, *, start: int = 0) -> Column:
    """A 0-based position from an integer or a text of digits; `start` is the source's number for the first.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"label": ["1", "2", "x"]})
    >>> frame.select(index("label", start=1).resolve(frame.schema).value).to_series().to_list()
    [0, 1, None]
    """
    expression = as_expression(value)
    return Column(reads_of(expression), lambda schema: _indexed(expression, schema, start))


def _indexed(expression: pl.Expr, schema: pl.Schema, start: int) -> Resolved:
    dtype = _dtype(expression, schema)
    shown = expression.cast(pl.String, strict=False).str.strip_chars()
    whole = shown if dtype.is_integer() or dtype == pl.String else pl.lit(None, dtype=pl.String)
    value = whole.cast(pl.Int64, strict=False) - start
    return Resolved(value, reason_where(shown.is_not_null() & value.is_null(), "not an integer"), shown)


def position(value: Value, *, within: Value) -> Column:
    """Where a value stands in a list of the same row, from 0; the first place if it stands there twice.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"key": ["B"], "marks": [["A", "B"]]})
    >>> frame.select(position("key", within="marks").resolve(frame.schema).value).item()
    1
    """
    expression, held = as_expression(value), as_expression(within)

    def resolve(_: pl.Schema) -> Resolved:
        shown = expression.cast(pl.String, strict=False).str.strip_chars()
        together = pl.concat_list(shown, held.cast(pl.List(pl.String), strict=False))
        found = together.list.eval((pl.element() == pl.element().first()).arg_true())
        place = found.list.get(1, null_on_oob=True).cast(pl.Int64) - 1
        return Resolved(place, reason_where(shown.is_not_null() & place.is_null(), "not in the list of options"), shown)

    return Column(reads_of(expression, held), resolve)


def reason_where(condition: pl.Expr, reason: str) -> pl.Expr:
    """The reason where the condition holds, else null."""
    return pl.when(condition).then(pl.lit(reason)).otherwise(pl.lit(None, dtype=pl.String))
