"""`spans`: tags over tokens become text, so that sequence labelling is text in, text out.

In: a list of tokens and a list of IOB tags of the same row. Out: a `Column` with `piece: kind; piece: kind`, in the
order of the text, or `none`. Every prefix in use is read by one rule: a piece goes on where its kind does, unless a
prefix says that it begins here or has ended before.
"""

import re
from collections.abc import Mapping, Sequence

import polars as pl

from instruction_kit.task.column import Column, Resolved, Value, as_expression, reads_of

NONE = "none"
"""What stands where a text has no piece of any kind."""

_TAG = re.compile(r"([BIESLU])-(.+)", re.DOTALL)
_FOUND = pl.Struct({"value": pl.String(), "problem": pl.String()})


def spans(
    tokens: Value, tags: Value, *, names: Mapping[str, str] | None = None, codes: Sequence[str] | None = None
) -> Column:
    """Tagged pieces of a text, as text.

    `names` says the words of each kind of tag, by default the kind itself: `{"PER": "person"}`. `codes` says which tags
    the source's integers stand for, in their order; a source that declares its ClassLabel names must declare these.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"words": [["Ada", "King", "met", "Ben"]], "tags": [["B-PER", "I-PER", "O", "B-PER"]]})
    >>> frame.select(spans("words", "tags", names={"PER": "person"}).resolve(frame.schema).value).item()
    'Ada King: person; Ben: person'
    """
    pieces, marks = as_expression(tokens), as_expression(tags)

    def all_told(rows: pl.Series) -> pl.Series:
        return pl.Series([_told(row["tokens"], row["tags"], names, codes) for row in rows], dtype=_FOUND)

    def resolve(_: pl.Schema) -> Resolved:
        both = pl.struct(pieces.alias("tokens"), marks.alias("tags"))
        found = both.map_batches(all_told, return_dtype=_FOUND)
        shown = marks.cast(pl.List(pl.String), strict=False).list.join(" ", ignore_nulls=True)
        return Resolved(found.struct.field("value"), found.struct.field("problem"), shown)

    source = tags if isinstance(tags, str) else None
    return Column(reads_of(pieces, marks), resolve, source_names=tuple(codes or ()), source=source)


def _told(
    tokens: list[str | None] | None,
    tags: list[str | int | None] | None,
    names: Mapping[str, str] | None,
    codes: Sequence[str] | None,
) -> dict[str, str | None]:
    if tokens is None or tags is None:
        return {"value": None, "problem": None}
    try:
        pieces = _pieces(tokens, tags, names, codes)
    except ValueError as error:
        return {"value": None, "problem": str(error)}
    return {"value": "; ".join(f"{' '.join(piece)}: {kind}" for piece, kind in pieces) or NONE, "problem": None}


def _pieces(
    tokens: list[str | None],
    tags: list[str | int | None],
    names: Mapping[str, str] | None,
    codes: Sequence[str] | None,
) -> list[tuple[list[str], str]]:
    if len(tokens) != len(tags):
        raise ValueError("not as many tags as tokens")
    pieces: list[tuple[list[str], str]] = []
    open_kind = ""
    for token, tag in zip(tokens, tags, strict=True):
        prefix, kind = _read(tag, codes)
        if token is None:
            raise ValueError("a token is missing")
        if names is not None and kind and kind not in names:
            raise ValueError("a tag is of a kind that has no name")
        if kind and kind == open_kind and prefix in "IEL":
            pieces[-1][0].append(token)
        elif kind:
            pieces.append(([token], names[kind] if names else kind))
        open_kind = "" if prefix in "ESLU" else kind
    return pieces


def _read(tag: str | int | None, codes: Sequence[str] | None) -> tuple[str, str]:
    """Prefix and kind of a tag; both empty outside of any piece."""
    if isinstance(tag, int):
        if codes is None or not 0 <= tag < len(codes):
            raise ValueError("a tag is a number that has no code")
        tag = codes[tag]
    if tag == "O":
        return "", ""
    if tag is None or not (read := _TAG.fullmatch(tag)):
        raise ValueError("a tag is not in the IOB form")
    return read[1], read[2]
