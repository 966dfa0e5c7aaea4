"""How units of work are run. A runner takes a function and units and gives the results in the order of the units.

What a unit does follows from the unit alone, so a runner cannot change what is built; serial is the first of them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

U = TypeVar("U")
R = TypeVar("R")


class Runner(Protocol):
    """Runs one function over many units."""

    def __call__(self, do: Callable[[U], R], units: Sequence[U]) -> Iterator[R]:
        """Results in the order of the units."""


def serial(do: Callable[[U], R], units: Sequence[U]) -> Iterator[R]:
    """One after another, in this process."""
    return map(do, units)
