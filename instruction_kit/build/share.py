"""Shares: how many pairs and tokens there are of each part, cluster, task and setting.

In: pairs and tokens of every training task by setting, expected ones or written ones. Out: their sums, by what they are
summed over. The plan, the manifest and `verify` sum alike, so that their figures can stand side by side.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

By = Literal["part", "cluster", "task", "setting"]


class Amount(NamedTuple):
    """So much text."""

    pairs: float
    tokens: float | None
    """None where nobody can say before it is written."""

    def __add__(self, other: object) -> "Amount":
        """Both together; unknown where either is."""
        if not isinstance(other, Amount):
            return NotImplemented
        unknown = self.tokens is None or other.tokens is None
        return Amount(self.pairs + other.pairs, None if unknown else (self.tokens or 0.0) + (other.tokens or 0.0))


class Place(NamedTuple):
    """Where a task stands in a mixture."""

    cluster: str
    part: str
    """Empty where the mixture is not made of others."""


Key = tuple[By, str]


def sums(amounts: Mapping[str, Mapping[str, Amount]], places: Mapping[str, Place]) -> dict[Key, Amount]:
    """What there is of each part, cluster, task and setting, given what there is of each task by setting."""
    found: dict[Key, Amount] = {}
    for name, of in amounts.items():
        for setting, amount in of.items():
            for key in _keys(name, setting, places[name]):
                found[key] = found[key] + amount if key in found else amount
    return dict(sorted(found.items(), key=lambda item: (_ORDER.index(item[0][0]), item[0][1])))


_ORDER: tuple[By, ...] = ("part", "cluster", "task", "setting")


def _keys(name: str, setting: str, place: Place) -> Iterator[Key]:
    names = place.part.split(".") if place.part else []
    for depth in range(1, len(names) + 1):
        yield "part", ".".join(names[:depth])
    yield "cluster", place.cluster
    yield "task", name
    yield "setting", setting
