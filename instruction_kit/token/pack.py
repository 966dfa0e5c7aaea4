"""Which pairs share a row: best fit over a shuffled window, so that a row mixes tasks.

In go the lengths of a window's pairs in their shuffled order, out comes for each pair the number of its pack. Pairs
longer than half a pack are laid first, the longest before the others, since no two of them fit together; all others
come in their own order, each into the fullest pack that still takes it. Best fit over a whole sort by length would fill
a little better and put pairs of like length, so of like tasks, together. What is open is held as the bits of one
number: the bit `n` is set where a pack has room for `n` more tokens.
"""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def best_fit(lengths: Ints, capacity: int) -> Ints:
    """Give each pair a pack of at most `capacity` tokens; none is longer than that.

    >>> best_fit(np.array([3, 6, 4, 5, 2]), 10).tolist()
    [0, 0, 1, 1, 2]
    """
    order = _order(lengths, capacity)
    free, count = 0, 0
    packs: list[int] = []
    rooms: list[list[int]] = [[] for _ in range(capacity + 1)]
    bits = [1 << room for room in range(capacity + 1)]
    for size in lengths[order].tolist():
        fitting = free >> size
        if fitting:
            room = size + (fitting & -fitting).bit_length() - 1
            opened = rooms[room]
            pack = opened.pop()
            if not opened:
                free ^= bits[room]
        else:
            room, pack, count = capacity, count, count + 1
        packs.append(pack)
        if left := room - size:
            rooms[left].append(pack)
            free |= bits[left]
    found = np.empty(len(order), dtype=np.int64)
    found[order] = packs
    return found


def _order(lengths: Ints, capacity: int) -> Ints:
    long = lengths > capacity // 2
    places = np.arange(len(lengths))
    return np.concatenate([places[long][np.argsort(-lengths[long], kind="stable")], places[~long]])


def entropy(packs: Ints, tasks: Ints, weights: Ints) -> npt.NDArray[np.float64]:
    """Tell for each pack how its tokens divide over tasks, in bits: 0 where all are of one task.

    >>> entropy(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([5, 5, 7])).tolist()
    [1.0, 0.0]
    """
    width = int(tasks.max(initial=0)) + 1
    cells, inverse = np.unique(packs * width + tasks, return_inverse=True)
    tokens = np.bincount(inverse, weights=weights)
    whole = np.bincount(cells // width, weights=tokens)
    shares = tokens / whole[cells // width]
    return np.bincount(cells // width, weights=-shares * np.log2(shares)).astype(np.float64) + 0.0
