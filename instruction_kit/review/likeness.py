"""How alike two texts are: which of their runs of three words they share.

In: texts. Out: a share, from 0 to 1. A run never goes over the end of one of the pieces that a text is given in.
"""

import re
from collections.abc import Iterable

TOO_MUCH = 0.5
"""Of the runs of two phrasings, or of two rows of a sample, that both have."""

Runs = frozenset[tuple[str, str, str]]

_WORD = re.compile(r"\w+")


def runs(pieces: Iterable[str]) -> Runs:
    """The runs of three words inside each piece.

    >>> sorted(runs(["One two three, four!", "and more"]))
    [('one', 'two', 'three'), ('two', 'three', 'four')]
    """
    words = [_WORD.findall(piece.lower()) for piece in pieces]
    return frozenset(run for piece in words for run in zip(piece, piece[1:], piece[2:], strict=False))


def shared(one: Runs, other: Runs) -> float:
    """Share of the runs of either that both have (Jaccard).

    >>> shared(runs(["a b c d"]), runs(["a b c e"]))
    0.3333333333333333
    """
    return len(one & other) / max(1, len(one | other))
