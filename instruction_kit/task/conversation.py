"""`conversation`: a list of messages becomes the fields of `OpenInstruction`.

In: a list of records that say who speaks and what. Out: three `Column`s. The last message is what is learned and must
be the assistant's, the one before it is the instruction and must be the user's, all that is earlier are the turns. A
conversation of any other form is rejected with the reason; none is mended by leaving messages out.
"""

from collections.abc import Callable, Mapping

import polars as pl

from instruction_kit.errors import TaskError
from instruction_kit.task.column import Column, Resolved, Value, as_expression, reads_of, reason_where, text

ROLES: Mapping[str, str] = {"user": "user", "assistant": "assistant", "system": "system"}


def conversation(
    messages: Value, *, role: str = "role", content: str = "content", roles: Mapping[str, str] = ROLES
) -> dict[str, Column]:
    """The columns `instruction`, `output` and `turns` from a list of messages.

    `role` and `content` are the keys of a message; `roles` says who is meant by each of the source's own names.

    >>> import polars as pl
    >>> said = [{"from": "human", "value": "Name a fruit."}, {"from": "gpt", "value": "A pear."}]
    >>> frame = pl.DataFrame({"messages": [said]})
    >>> fields = conversation("messages", role="from", content="value", roles={"human": "user", "gpt": "assistant"})
    >>> frame.select(fields["output"].resolve(frame.schema).value).item()
    'A pear.'

    Raises:
        TaskError: `roles` names what is no role.

    """
    if odd := sorted(set(roles.values()) - set(ROLES)):
        raise TaskError(f"conversation(…, roles={dict(roles)}): {odd[0]} is no role; there are {', '.join(ROLES)}")
    source = as_expression(messages)

    def field(resolved: Callable[[pl.Expr], tuple[pl.Expr, pl.Expr]]) -> Column:
        def resolve(schema: pl.Schema) -> Resolved:
            said = _messages(source, schema, (role, content), roles)
            shown = said.list.eval(pl.element().struct.field("name")).list.join(" ", ignore_nulls=True)
            return Resolved(*resolved(said), shown)

        return Column(reads_of(source), resolve)

    return {
        "instruction": field(lambda said: _one(said, -2, "user", "the last turn but one is not the user's")),
        "output": field(lambda said: _one(said, -1, "assistant", "the last turn is not the assistant's")),
        "turns": field(lambda said: _earlier(said, roles)),
    }


def _messages(source: pl.Expr, schema: pl.Schema, keys: tuple[str, str], roles: Mapping[str, str]) -> pl.Expr:
    """Each message with its role as the source names it and as the kit does; all null where the column is."""
    dtype = pl.LazyFrame(schema=schema).select(source.alias("messages")).collect_schema()["messages"]
    records = dtype.inner if isinstance(dtype, pl.List) else None
    held = [field.name for field in records.fields] if isinstance(records, pl.Struct) else []
    if dtype == pl.Null:
        return pl.lit(None, dtype=pl.List(pl.Struct({name: pl.String() for name in ("name", "role", "content")})))
    if not set(keys) <= set(held):
        there = f"records with {', '.join(held)}" if held else str(dtype)
        raise TaskError(f"conversation(…) needs lists of records with {' and '.join(keys)}; the source has {there}")
    name, content = (pl.element().struct.field(key).cast(pl.String, strict=False) for key in keys)
    role = name.replace_strict(list(roles), list(roles.values()), default=None, return_dtype=pl.String)
    message = pl.struct(name=name, role=role, content=text(content))
    return source.list.eval(pl.when(pl.element().is_not_null()).then(message))


def _one(said: pl.Expr, place: int, role: str, problem: str) -> tuple[pl.Expr, pl.Expr]:
    turn = said.list.get(place, null_on_oob=True).struct
    right = turn.field("role").eq_missing(pl.lit(role))
    return pl.when(right).then(turn.field("content")), reason_where(said.is_not_null() & ~right, problem)


def _earlier(said: pl.Expr, roles: Mapping[str, str]) -> tuple[pl.Expr, pl.Expr]:
    unknown = said.list.eval(pl.element().is_not_null() & pl.element().struct.field("role").is_null()).list.any()
    turn = pl.struct(pl.element().struct.field("role"), pl.element().struct.field("content"))
    turns = said.list.head(said.list.len().cast(pl.Int64) - 2).list.eval(pl.when(pl.element().is_not_null()).then(turn))
    kept = pl.when((said.list.len() > 2) & ~unknown).then(turns)
    return kept, reason_where(unknown, f"a role is none of {', '.join(roles)}")
