"""The rules of a schema as Polars expressions, derived from the class.

In: a frame with a column for each field. Out: for each row the list of what is wrong with it, `field: reason`, the same
verdicts as pydantic's (a property test holds both equal). Pydantic row by row does about 150,000 rows a second, these
expressions some millions. A schema with validators or types of its own is checked row by row instead.
"""

from dataclasses import dataclass, replace
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import polars as pl
from annotated_types import Len, MaxLen, MinLen
from pydantic.fields import FieldInfo

from instruction_kit.schema.field import VISIBLE, Choice, Shorten, Text
from instruction_kit.schema.schema import Schema, check_row
from instruction_kit.schema.turn import Turn

PROBLEMS = "_problems"
"""Column of `check_frame`: list of `field: reason`, empty where the row is good."""


@dataclass(frozen=True)
class Kind:
    """What the annotation of one field comes down to."""

    type: type
    """str, int, bool or list (of text, or of records)."""
    required: bool
    choices: tuple[str, ...] = ()
    min_items: int = 0
    max_items: int | None = None
    keys: tuple[tuple[str, "Kind"], ...] = ()
    """What each record of a list holds; none for a list of text."""


def kind_of(field: FieldInfo) -> Kind | None:
    """Read a field's annotation; None if the columnar rules do not cover it, or not all that it says."""
    core, optional = _without_none(field.annotation)
    if optional == field.is_required():
        return None  # "must be given, may be null" has no columnar twin: a frame cannot tell the two apart
    marks = list(field.metadata)
    if get_origin(core) is Annotated:
        core, *more = get_args(core)
        marks += more
    if core is str and _is_text(marks):
        return Kind(str, required=not optional)
    if core in (int, bool) and not marks:
        return Kind(core, required=not optional)
    if get_origin(core) is Literal and not marks and all(isinstance(choice, str) for choice in get_args(core)):
        return Kind(str, required=not optional, choices=get_args(core))
    if get_origin(core) is list and all(isinstance(mark, Len | MinLen | MaxLen) for mark in marks):
        low, high = _bounds(marks)
        kind = Kind(list, required=not optional, min_items=low, max_items=high)
        return _list_of(get_args(core)[0], kind)
    return None


def _list_of(item: Any, kind: Kind) -> Kind | None:
    if item is Turn:
        keys = tuple((name, found) for name, field in Turn.model_fields.items() if (found := kind_of(field)))
        return replace(kind, keys=keys)
    text, *marks = get_args(item) or (None,)
    return kind if text is str and _is_text(marks) else None


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, UnionType):
        rest = [part for part in get_args(annotation) if part is not NoneType]
        if len(rest) == 1 and len(get_args(annotation)) == 2:
            return rest[0], True
    return annotation, False


def _is_text(marks: list[Any]) -> bool:
    """Whether a str with these marks is `Text` or `LongText`, and nothing narrower."""
    return [mark for mark in marks if not isinstance(mark, Shorten)] == list(Text.__metadata__)  # type: ignore[attr-defined]


def _bounds(metadata: list[Any]) -> tuple[int, int | None]:
    low, high = 0, None
    for mark in metadata:
        if isinstance(mark, Len | MinLen):
            low = mark.min_length
        if isinstance(mark, Len | MaxLen):
            high = mark.max_length
    return low, high


_WAYS = ("__init__", "__get_pydantic_core_schema__", "_answer_among_options", "model_post_init")
"""Where a class can say more about a row than its fields and its validators do."""


def is_columnar(schema: type[Schema]) -> bool:
    """Whether the derived expressions say all that the class says."""
    own = [kind for kind in schema.__mro__ if issubclass(kind, Schema) and kind is not Schema]
    return (
        schema.model_config == Schema.model_config
        and _validators(schema) == _validators(Schema)
        and not any(way in vars(kind) for kind in own for way in _WAYS)
        and all(kind_of(field) is not None for field in schema.model_fields.values())
    )


def _validators(schema: type[Schema]) -> set[str]:
    known = schema.__pydantic_decorators__
    return {*known.field_validators, *known.model_validators, *known.validators, *known.root_validators}


_DTYPES: dict[type, pl.DataType] = {
    str: pl.String(),
    int: pl.Int64(),
    bool: pl.Boolean(),
    list: pl.List(pl.String()),
}


def frame_schema(schema: type[Schema]) -> dict[str, pl.DataType]:
    """Polars types of the fields of accepted examples; a field of a type of the user's own is an Object of Polars."""
    kinds = {name: kind_of(field) for name, field in schema.model_fields.items()}
    return {name: _dtype(kind) if kind else pl.Unknown() for name, kind in kinds.items()}


def _dtype(kind: Kind) -> pl.DataType:
    if kind.keys:
        return pl.List(pl.Struct({name: _dtype(held) for name, held in kind.keys}))
    return _DTYPES[kind.type]


def check_frame(frame: pl.DataFrame, *, schema: type[Schema]) -> pl.Series:
    """Say for each row what is wrong with it: a list of `field: reason`, empty where the row is good.

    A field without a column counts as missing in every row.
    """
    if not is_columnar(schema):
        return _row_by_row(frame, schema)
    kinds = {name: kind_of(field) for name, field in schema.model_fields.items()}
    plain = frame.cast({name: _plain(dtype) for name, dtype in frame.schema.items()})
    found = [reason for name, kind in kinds.items() if kind for reason in _field_rules(plain, name, kind)]
    problems = pl.concat_list(found).list.drop_nulls()
    series = plain.with_columns(problems.alias(PROBLEMS)).get_column(PROBLEMS)  # `select` would not repeat a literal
    return _answer_rule(plain, schema, series)


def _plain(dtype: pl.DataType) -> pl.DataType:
    """What pydantic sees: a category is text, an array is a list."""
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: _plain(field.dtype) for field in dtype.fields})  # type: ignore[arg-type]
    if isinstance(dtype, pl.List | pl.Array):
        return pl.List(_plain(dtype.inner))  # type: ignore[arg-type]
    return pl.String() if isinstance(dtype, pl.Categorical | pl.Enum) else dtype


def _row_by_row(frame: pl.DataFrame, schema: type[Schema]) -> pl.Series:
    fields = [name for name in schema.model_fields if name in frame.columns]
    rows = ({name: row[name] for name in fields} for row in frame.iter_rows(named=True))
    verdicts = [sorted(f"{f}: {why}" for f, why in check_row(schema, row)) for row in rows]
    return pl.Series(PROBLEMS, verdicts, dtype=pl.List(pl.String))


def _field_rules(frame: pl.DataFrame, name: str, kind: Kind) -> list[pl.Expr]:
    dtype = frame.schema.get(name, pl.Null())
    if dtype == pl.Null():
        return [pl.lit(f"{name}: missing")] if kind.required else []
    value = pl.col(name)
    rules = [_when(value.is_null(), f"{name}: missing")] if kind.required else []
    return rules + [_when(bad, f"{name}: {why}") for bad, why in _value_rules(value, dtype, kind)]


def _when(condition: pl.Expr, reason: str) -> pl.Expr:
    return pl.when(condition).then(pl.lit(reason)).otherwise(pl.lit(None, dtype=pl.String))


def _value_rules(value: pl.Expr, dtype: pl.DataType, kind: Kind) -> list[tuple[pl.Expr, str]]:
    given = value.is_not_null()
    if kind.choices:
        wrong = ~value.is_in(list(kind.choices)) if dtype == pl.String else pl.lit(value=True)
        return [(given & wrong, "not one of " + ", ".join(kind.choices))]
    if kind.type is str:
        return [(given & ~value.str.contains(VISIBLE), "blank")] if dtype == pl.String else [(given, "not text")]
    if kind.type is int:
        return [] if dtype.is_integer() else [(given, "not an integer")]
    if kind.type is bool:
        return [] if dtype == pl.Boolean else [(given, "not true or false")]
    return _list_rules(value, dtype, kind)


def _list_rules(value: pl.Expr, dtype: pl.DataType, kind: Kind) -> list[tuple[pl.Expr, str]]:
    """In pydantic's order: a list that is too long is not looked into, one with a bad item is not found too short."""
    given = value.is_not_null()
    if not isinstance(dtype, pl.List):
        return [(given, "not a list")]
    long = value.list.len() > kind.max_items if kind.max_items is not None else pl.lit(value=False)
    items = _record_rules(dtype, kind) if kind.keys else _item_rules(dtype)
    flaws = [(given & ~long & value.list.eval(bad).list.any(), why) for bad, why in items]
    short = given & (value.list.len() < kind.min_items) & ~pl.any_horizontal([bad for bad, _ in flaws])
    return [*flaws, (short, f"fewer than {kind.min_items} items"), (given & long, f"more than {kind.max_items} items")]


def _item_rules(dtype: pl.List) -> list[tuple[pl.Expr, str]]:
    item = pl.element()
    missing = (item.is_null(), "an item is missing")
    if dtype.inner == pl.String:
        return [missing, (item.is_not_null() & ~item.str.contains(VISIBLE), "an item is blank")]
    return [missing] if dtype.inner == pl.Null else [missing, (item.is_not_null(), "an item is not text")]


def _record_rules(dtype: pl.List, kind: Kind) -> list[tuple[pl.Expr, str]]:
    item = pl.element()
    rules, given = [(item.is_null(), "an item is missing")], item.is_not_null()
    if not isinstance(dtype.inner, pl.Struct):
        return rules if dtype.inner == pl.Null else [*rules, (given, "an item is not a record")]
    held, known = dtype.inner.to_schema(), dict(kind.keys)
    rules += [(given, f"an item has an unknown key, {key}") for key in held if key not in known]
    for key, inner in known.items():
        absent = held.get(key, pl.Null()) == pl.Null()
        value = pl.lit(None) if absent else item.struct.field(key)
        rules.append((given & value.is_null(), f"an item's {key} is missing"))
        told = [] if absent else _value_rules(value, held[key], inner)  # type: ignore[arg-type]  # of a frame: instances
        rules += [(bad, f"an item's {key} is {why}") for bad, why in told]
    return rules


def _answer_rule(frame: pl.DataFrame, schema: type[Schema], problems: pl.Series) -> pl.Series:
    """A choice's index must fall among its options; like pydantic, only asked of rows that are good so far."""
    if not isinstance(schema.target, Choice) or not problems.list.len().eq(0).any():
        return problems
    answer, options = pl.col(schema.target.answer), pl.col(schema.target.options)
    outside = (answer < 0) | (answer >= options.list.len().cast(pl.Int64))
    reason = pl.lit([f"{schema.target.answer}: not an index into the options"])
    good = pl.col(PROBLEMS).list.len() == 0
    checked = frame.with_columns(problems.alias(PROBLEMS)).select(
        pl.when(good & outside).then(reason).otherwise(pl.col(PROBLEMS)).alias(PROBLEMS)
    )
    return checked.to_series()
