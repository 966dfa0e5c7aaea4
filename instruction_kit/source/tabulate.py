"""Rows as dicts become a typed frame; a value that does not fit its column's type is a problem of its row.

JSON lets each row choose its own types. Polars would turn the odd ones into nulls or texts in silence, so each place (a
column, the items of a list, a key of an object) takes the type that most of its values have, among the rows that settle
it or else in the first batch that has it, and a row with another type there is set aside with the reason.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from instruction_kit.source.raw import INDEX, Batch, Problem

if TYPE_CHECKING:
    import pyarrow as pa

BOOLEAN, WHOLE, FRACTION, TEXT, LIST, OBJECT = (
    "a boolean",
    "a whole number",
    "a fraction",
    "text",
    "a list",
    "an object",
)
MAX_DEPTH = 16
LARGE, DEEP = "a number too large to hold", f"nested more than {MAX_DEPTH} deep"
WIDE = "a whole number beyond 2^53"
"""Whole for all that follows, but where the others are fractions, which cannot hold it."""

_KINDS: dict[type, str] = {bool: BOOLEAN, int: WHOLE, float: FRACTION, str: TEXT, list: LIST, dict: OBJECT}
_PLAIN = {BOOLEAN: pl.Boolean, WHOLE: pl.Int64, TEXT: pl.String, "": pl.Null}
"""What Polars takes as it is, and faster than Arrow; a fraction it rounds, and of lists and objects it is slow."""


class Tabulator:
    """Makes batches of the rows of one file; it remembers the types that are settled."""

    def __init__(self, columns: frozenset[str] | None = None) -> None:
        self._columns = columns
        self.places: dict[str, _Place] = {}
        self._settled: tuple[str, ...] = ()

    def settle(self, parts: Iterable[Sequence[dict[str, Any]]]) -> None:
        """Settle the types by all these rows, before the first batch is made."""
        for rows in parts:
            for name, values in self._held(rows).items():
                self._place(name).vote(values)
        for place in self.places.values():
            place.settle()
        self._settled = tuple(self.places)

    @property
    def mixed(self) -> bool:
        """Whether values of two kinds have met in one place, so that which rows come first makes a difference."""
        return any(place.mixed for place in self.places.values())

    def contradicts(self, before: "Tabulator") -> bool:
        """Whether some place has another type here than it had there."""
        return any(self._place(name).contradicts(place) for name, place in before.places.items())

    def batch(self, rows: Sequence[tuple[int, dict[str, Any]]]) -> Batch:
        """Turn (index, row) pairs into one batch; its columns are those that occur in it or were settled, if wanted."""
        held = self._held([row for _, row in rows], also=self._settled)
        mixed = [name for name, values in held.items() if not self._place(name).takes(values)]
        odd = {number: why for number in range(len(rows)) if (why := self._odd(mixed, held, number))}
        good = [number for number in range(len(rows)) if number not in odd]
        frame = {INDEX: pl.Series([rows[number][0] for number in good], dtype=pl.Int64)}
        frame |= {name: self._series(name, [values[number] for number in good]) for name, values in held.items()}
        return Batch(pl.DataFrame(frame), tuple(Problem(rows[number][0], *why) for number, why in odd.items()))

    def _held(self, rows: Sequence[dict[str, Any]], *, also: Sequence[str] = ()) -> dict[str, list[Any]]:
        occur = dict.fromkeys([*also, *(name for row in rows for name in row)])
        return {n: [row.get(n) for row in rows] for n in occur if self._columns is None or n in self._columns}

    def _place(self, name: str) -> "_Place":
        return self.places.setdefault(name, _Place(name))

    def _odd(self, mixed: list[str], held: dict[str, list[Any]], number: int) -> tuple[str, str] | None:
        """Why a row does not fit, and the value that does not."""
        for name in mixed:
            if why := self.places[name].odd(held[name][number]):
                return why, json.dumps(held[name][number], ensure_ascii=False)
        return None

    def _series(self, name: str, values: list[Any]) -> pl.Series:
        place = self.places[name]
        if place.kind in _PLAIN:
            return pl.Series(values, dtype=_PLAIN[place.kind])
        import pyarrow as pa  # brings pandas along: a second, where a sample of plain texts is looked at

        return pl.Series(pl.from_arrow(pa.array(values, type=place.arrow())))


class _Place:
    """A column, the items of its lists or a key of its objects, with what stands there."""

    def __init__(self, name: str, depth: int = 1) -> None:
        self._name = name
        self._depth = depth
        self.kind = ""
        self._mixed = False
        self._counts: dict[str, int] = {}
        self.items: _Place | None = None
        self.keys: dict[str, _Place] = {}

    def vote(self, values: list[Any]) -> None:
        if not set(map(type, values)) <= {str, type(None)}:
            for value in values:
                self.count(value)
        elif texts := len(values) - values.count(None):
            self._counts[TEXT] = self._counts.get(TEXT, 0) + texts

    def takes(self, values: list[Any]) -> bool:
        """Whether all values are of the place's type, which they settle where it has none yet."""
        self.vote(values)
        return self.settle()

    def count(self, value: Any) -> None:
        if value is None:
            return
        kind = self._kind_of(value)
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if kind == LIST:
            items = self._inside(None)
            for item in value:
                items.count(item)
        elif kind == OBJECT:
            for key, held in value.items():
                self._inside(key).count(held)

    def settle(self) -> bool:
        """The type that most values have, unless it was settled before; true if all that was counted fits."""
        met = Counter[str]()
        for kind, count in self._counts.items():
            met[WHOLE if kind == WIDE else kind] += count
        held = [kind for kind in met if kind not in (LARGE, DEEP)]
        self.kind = self.kind or max(held, key=lambda kind: met[kind], default="")
        self._mixed |= any(kind != self.kind for kind in met)
        whole = all(self._fits(kind) for kind in self._counts)
        self._counts = {}
        return all([whole, *(place.settle() for place in self._places_inside())])

    @property
    def mixed(self) -> bool:
        return self._mixed or any(place.mixed for place in self._places_inside())

    def contradicts(self, before: "_Place") -> bool:
        if before.kind and before.kind != self.kind:
            return True
        if before.items and self._inside(None).contradicts(before.items):
            return True
        return any(self._inside(key).contradicts(place) for key, place in before.keys.items())

    def odd(self, value: Any) -> str:
        """Why a value does not fit; empty where it does."""
        if value is None:
            return ""
        kind = self._kind_of(value)
        if not self._fits(kind):
            kind = WHOLE if kind == WIDE and self.kind != FRACTION else kind
            return f"{self._name} is {kind}" + ("" if kind in (LARGE, DEEP) else f" here and {self.kind} in other rows")
        inside = [(None, item) for item in value] if kind == LIST else value.items() if kind == OBJECT else ()
        return next((why for key, held in inside if (why := self._inside(key).odd(held))), "")

    def arrow(self) -> "pa.DataType":
        import pyarrow as pa

        if self.kind == LIST:
            return pa.large_list(self._inside(None).arrow())
        if self.kind == OBJECT:
            return pa.struct([(key, place.arrow()) for key, place in self.keys.items()])
        return {
            BOOLEAN: pa.bool_(),
            WHOLE: pa.int64(),
            FRACTION: pa.float64(),
            TEXT: pa.large_string(),
            "": pa.null(),
        }[self.kind]

    def _kind_of(self, value: Any) -> str:
        kind = _KINDS[type(value)]
        if kind == WHOLE:
            wide = WIDE if -(2**63) <= value < 2**63 else LARGE
            return kind if -(2**53) <= value <= 2**53 else wide
        if kind == FRACTION:
            return kind if math.isfinite(value) else LARGE
        return DEEP if kind in (LIST, OBJECT) and self._depth > MAX_DEPTH else kind

    def _fits(self, kind: str) -> bool:
        """A whole number among fractions is one of them; a fraction among whole numbers (labels, indexes) is none."""
        return kind == self.kind or (kind, self.kind) in ((WHOLE, FRACTION), (WIDE, WHOLE))

    def _inside(self, key: str | None) -> "_Place":
        if key is None:
            self.items = self.items or _Place(f"{self._name}[]", self._depth + 1)
            return self.items
        if key not in self.keys:
            self.keys[key] = _Place(f"{self._name}.{key}", self._depth + 1)
        return self.keys[key]

    def _places_inside(self) -> list["_Place"]:
        return [*self.keys.values(), *([self.items] if self.items else [])]
