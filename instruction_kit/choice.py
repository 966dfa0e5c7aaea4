"""Every random choice, from a hash and without state.

In: the hashes of row ids, and what the choice is called. Out: keys, subsets, picks. A choice depends on (seed, name of
the choice, task, split, row id) alone: never on the order of rows, the size of a batch or the number of processes.
Membership takes the smallest keys, so one more row displaces at most one; picks are by highest random weight
(rendezvous hashing, Thaler and Ravishankar 1998, https://doi.org/10.1109/90.663936), so a new candidate takes only its
own share.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Index = npt.NDArray[np.int64]


def row_hashes(ids: Sequence[str]) -> Keys:
    """64-bit hash of each row id; computed once a row, all choices mix it further."""
    digests = b"".join(hashlib.blake2b(i.encode("utf-8"), digest_size=8).digest() for i in ids)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def keys(rows: Keys, *name: str | int) -> Keys:
    """A uniform 64-bit key for each row under the choice called `name`.

    The mixer is the finaliser of SplitMix64 (Steele, Lea and Flood 2014, https://doi.org/10.1145/2714064.2660195),
    applied twice with constants hashed from the name.
    """
    text = "\x1f".join(str(part) for part in name).encode("utf-8")
    first, second = np.frombuffer(hashlib.blake2b(text, digest_size=16).digest(), dtype="<u8").astype(np.uint64)
    with np.errstate(over="ignore"):
        return _mix(_mix(rows ^ first) + second)


def _mix(value: Keys) -> Keys:
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def smallest(order: Keys, count: int) -> Index:
    """Positions of the `count` smallest keys, smallest first; ties by position.

    >>> smallest(np.array([5, 1, 3], dtype=np.uint64), 2).tolist()
    [1, 2]
    """
    return np.argsort(order, kind="stable")[:count].astype(np.int64)


def unit(order: Keys) -> npt.NDArray[np.float64]:
    """Keys as numbers strictly between 0 and 1: 52 bits, since a half more than 53 bits of ones rounds up to 1.

    >>> unit(np.array([0, 2**64 - 1], dtype=np.uint64)) * 2**53
    array([1.00000000e+00, 9.00719925e+15])
    """
    return ((order >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def weighted_pick(rows: Keys, candidates: Sequence[str], weights: npt.NDArray[np.float64], *name: str | int) -> Index:
    """Pick one candidate for each row, by weight; -1 where all weights of a row are 0.

    `weights` is (rows, candidates) or (candidates,). Candidate i wins a share proportional to its weight because -ln(u)
    / w is exponential with rate w and the smallest of independent exponentials falls on i with probability w_i /
    sum(w).
    """
    table = np.broadcast_to(weights, (len(rows), len(candidates)))
    draws = np.stack([-np.log(unit(keys(rows, *name, candidate))) for candidate in candidates], axis=1)
    with np.errstate(divide="ignore"):
        waits = np.where(table > 0, draws / table, np.inf)
    picked = waits.argmin(axis=1).astype(np.int64)
    return np.where((table > 0).any(axis=1), picked, -1)


def preference(rows: Keys, candidates: Sequence[str], *name: str | int) -> Index:
    """For each row all candidates, most preferred first: (rows, candidates) positions."""
    scores = np.stack([keys(rows, *name, candidate) for candidate in candidates], axis=1)
    return np.argsort(~scores, axis=1, kind="stable").astype(np.int64)


def favourite(rows: Keys, candidates: Sequence[Sequence[str]], *name: str | int) -> Index:
    """For each row the place of one among its own candidates, of which each row has at least one.

    >>> favourite(row_hashes(["a", "b"]), [["one"], ["one", "two", "one"]], 0, "reference").tolist()
    [0, 1]
    """
    own = np.repeat(keys(rows, *name), [len(texts) for texts in candidates])
    scores = keys(own ^ row_hashes([text for texts in candidates for text in texts]), *name)
    ends = np.cumsum([len(texts) for texts in candidates], dtype=np.int64)
    best = [scores[end - len(texts) : end].argmax() for end, texts in zip(ends, candidates, strict=True)]
    return np.array(best, dtype=np.int64)


def ranked(row: np.uint64, candidates: Keys, *name: str | int) -> Index:
    """Places of all candidates for one row, most preferred first; a new candidate moves no two others.

    >>> ranked(np.uint64(7), row_hashes(["a", "b", "c"]), 0).tolist()
    [2, 0, 1]
    """
    return np.argsort(~keys(candidates ^ row, *name), kind="stable").astype(np.int64)


def between(rows: Keys, low: int, high: int, *name: str | int) -> Index:
    """A whole number from `low` to `high` for each row, each equally likely.

    >>> between(row_hashes(["a", "b", "c"]), 4, 4, 0).tolist()
    [4, 4, 4]
    """
    return low + (unit(keys(rows, *name)) * (high - low + 1)).astype(np.int64)
