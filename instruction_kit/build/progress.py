"""Progress of long work on the terminal, or none.

In: an iterator of results and how many there will be. Out: the same iterator.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

R = TypeVar("R")


class Progress(Protocol):
    """Shows how far an iterator has come."""

    def over(self, what: str, results: Iterator[R], total: int) -> Iterator[R]:
        """Pass the results on."""


class _Silent:
    def over(self, what: str, results: Iterator[R], total: int) -> Iterator[R]:
        return results


@contextmanager
def silent() -> Iterator[Progress]:
    """Show nothing."""
    yield _Silent()


@contextmanager
def bars() -> Iterator[Progress]:
    """Show one bar for each kind of unit, on standard error; nothing before the first begins."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Rich

    columns = (TextColumn("{task.description:>7}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    rich = Rich(*columns, console=Console(stderr=True))

    class Bars:
        def over(self, what: str, results: Iterator[R], total: int) -> Iterator[R]:
            rich.start()
            return rich.track(results, total=total, description=what)  # type: ignore[return-value]

    try:
        yield Bars()
    finally:
        if rich.live.is_started:
            rich.stop()
