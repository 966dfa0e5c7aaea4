"""How units of work are run. A runner takes a function and units and gives the results in the order of the units.

What a unit does follows from the unit alone, so a runner cannot change what is built; serial is the first of them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

U = TypeVar("U")
R = TypeVar("R")


def serial(do: Callable[[U], R], units: Sequence[U]) -> Iterator[R]:
    """One after another, in this process."""
    return map(do, units)
