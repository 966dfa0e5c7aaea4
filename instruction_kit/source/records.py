"""JSON: an object on each line, or one document that holds all rows.

In: a file, and for a document where its rows stand. Out: rows. JSON Lines are read line by line; a document is held
whole, and one that is no JSON has no rows at all.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

from instruction_kit.errors import SourceError, nearest
from instruction_kit.source.file import File
from instruction_kit.source.row import Row
from instruction_kit.source.text import bad_byte, codec, lines, surrogate

Shape = Literal["list", "keyed", "columns", "single"]


def jsonl_rows(file: File, encoding: str) -> Iterator[Row]:
    """One JSON object a line."""
    decode = json.JSONDecoder(parse_constant=_refuse_constant).decode
    for index, text in enumerate(lines(file, encoding)):
        value = _parsed(text, encoding, decode)
        if isinstance(value, str):
            yield Row(index, None, index + 1, value, text)
        else:
            yield Row(index, value, index + 1)


def _parsed(text: str, encoding: str, decode: Callable[[str], Any]) -> dict[str, Any] | str:
    """The object on a line, or what is wrong with it."""
    if problem := bad_byte(text, encoding):
        return problem
    if not text.strip():
        return "blank line"
    try:
        value = decode(text)
    except (ValueError, RecursionError) as error:
        return f"not JSON ({str(error).split(':')[0].lower()})"
    if not isinstance(value, dict):
        return "not a JSON object"
    if "\\u" in text and (found := _surrogate(value)):
        return f"lone surrogate U+{found:04X}"
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _surrogate(value: Any) -> int:
    return surrogate(json.dumps(value, ensure_ascii=False))


class Document:
    """The records of one JSON document, which is read when they are first asked for and then held."""

    def __init__(
        self, file: File, encoding: str, *, records: str | None, shape: Shape, names: Sequence[str] | None
    ) -> None:
        self._file, self._encoding = file, encoding
        self._records, self._shape, self._names = records, shape, names

    def rows(self) -> Iterator[Row]:
        """Each record.

        Raises:
            SourceError: the document is no JSON, or what should hold the records is not there or of another shape.

        """
        for index, value in enumerate(self._held.values):
            record = self._bad_text(value) or _record(value, self._names)
            if isinstance(record, str):
                yield Row(index, None, "", record, json.dumps(value, ensure_ascii=False))
            else:
                yield Row(index, record)

    @cached_property
    def _held(self) -> "_Held":
        with self._file.decoded(codec(self._encoding)) as opened:
            text = opened.read()
        value = _under(_document(self._file, text), self._records, where=str(self._file))
        values = _SHAPED[self._shape](value, f"{self._file}: {self._records or 'the document'}")
        return _Held(list(values), bad_bytes=surrogate(text) > 0, escapes="\\u" in text)

    def _bad_text(self, value: Any) -> str:
        held = self._held
        found = _surrogate(value) if held.bad_bytes or held.escapes else 0
        if held.bad_bytes and 0xDC80 <= found <= 0xDCFF:
            return bad_byte(chr(found), self._encoding)
        return f"lone surrogate U+{found:04X}" if found else ""


class _Held(NamedTuple):
    """What a document holds, and what a text in it may be that is none."""

    values: list[Any]
    bad_bytes: bool
    escapes: bool


def _document(file: File, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        mend = "; if each line is an object of its own, give format='jsonl'" if error.msg == "Extra data" else ""
        raise SourceError(
            f"{file}:{error.lineno}: not JSON ({error.msg.lower()}, column {error.colno}){mend}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{file}: not JSON that can be read ({error})") from error


def _under(value: Any, records: str | None, *, where: str) -> Any:
    """What stands under a field, or under a field of a field: `data`, `data.items`."""
    rest = records
    while rest:
        if not isinstance(value, dict):
            raise SourceError(
                f"{where}: records={records!r}: {rest} is looked for in {_kind(value)}, which has no fields"
            )
        field = next((name for name in _beginnings(rest) if name in value), "")
        if not field:
            raise SourceError(
                f"{where}: records={records!r}: no field {rest.partition('.')[0]}; {nearest(rest, value)}"
            )
        value, rest = value[field], rest[len(field) + 1 :]
    return value


def _beginnings(path: str) -> Iterator[str]:
    """The longest first, since a field's own name may hold a full stop."""
    while path:
        yield path
        path = path.rpartition(".")[0]


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", str: "a text", type(None): "null"}.get(
        type(value), "a number or boolean"
    )


def _as_list(value: Any, where: str) -> Iterator[Any]:
    if not isinstance(value, list):
        fields = f" with the fields {', '.join(list(value)[:6])}" if isinstance(value, dict) else ""
        raise SourceError(
            f"{where} is {_kind(value)}{fields}, not a list of records; name the list with records=, or give "
            "shape='keyed' (id -> record), shape='columns' (column -> values) or shape='single' (one record)"
        )
    yield from value


def _as_keyed(value: Any, where: str) -> Iterator[Any]:
    for key, record in _object(value, where, "keyed").items():
        told = record if isinstance(record, dict) else {"value": record}
        if told.get("key", key) != key:
            raise SourceError(
                f"{where}: shape='keyed': the record {key!r} has a field `key` of its own that says otherwise"
            )
        yield {"key": key, **told}


def _as_columns(value: Any, where: str) -> Iterator[Any]:
    columns = _object(value, where, "columns")
    if plain := [name for name, values in columns.items() if not isinstance(values, list)]:
        raise SourceError(f"{where}: shape='columns': {plain[0]} is {_kind(columns[plain[0]])}, not a list of values")
    counts = {name: len(values) for name, values in columns.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise SourceError(f"{where}: shape='columns': the columns are not equally long ({told})")
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _as_single(value: Any, where: str) -> Iterator[Any]:
    yield _object(value, where, "single")


def _object(value: Any, where: str, shape: Shape) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SourceError(f"{where} is {_kind(value)}, and shape={shape!r} wants an object")
    return value


_SHAPED: dict[Shape, Callable[[Any, str], Iterator[Any]]] = {
    "list": _as_list,
    "keyed": _as_keyed,
    "columns": _as_columns,
    "single": _as_single,
}


def _record(value: Any, names: Sequence[str] | None) -> dict[str, Any] | str:
    """An object as it is; a list takes the names that `columns=` gives, and a plain value the one name."""
    if isinstance(value, dict):
        return value
    if names is None:
        return "not a JSON object" + ("; name its items with columns=[…]" if isinstance(value, list) else "")
    values = value if isinstance(value, list) else [value]
    if len(values) != len(names):
        return f"{len(values)} values for {len(names)} columns"
    return dict(zip(names, values, strict=True))
