"""Which rows are copies of other rows, exactly or nearly.

In: the fields of rows as text, in batches, and the key by which each takes its turn. Out: for each copy the row that
stays in its place. Rows are exact copies where all fields are the same, and near copies where each is the same or, if
it is long in both, has `SIMILAR` of its runs of three words in common (Jaccard). Each field is compared by itself, so
rows that share a passage and not the question are no copies. Candidates come from MinHash; what is a copy is counted,
not estimated.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from instruction_kit.build.grams import PRIME, Hashes, grams, normalised, words_of
from instruction_kit.errors import MissingExtraError

SIMILAR = 0.8
"""Lee et al. 2022, appendix A, https://arxiv.org/abs/2107.06499."""
NUM_LONG = 8
"""Words from which a field is long."""
SIZE = 3
"""Words of a run."""
NUM_BANDS, BAND = 32, 4
"""Rows are compared where 4 minimal hashes of a band are equal: at `SIMILAR` all but one pair in 10 million are."""

NUMBER, KEY, KIND = "_number", "_key", "_kind"
"""Columns of a batch beside its fields: the row's number, its turn, and what must be equal however long it is."""
COPIES = pl.Schema({"copy": pl.Int64(), "of": pl.Int64(), "kind": pl.String(), "similarity": pl.Float64()})
"""Numbers of rows; the similarity is that of the field that is least alike, and 1 for an exact copy."""

Batches = Callable[[], Iterable[pl.DataFrame]]


def copies(batches: Batches, *, near: bool) -> pl.DataFrame:
    """Every row that is a copy of another that stays; of several that are alike the one with the least key stays.

    Args:
        batches: gives the rows; called three times where near copies count.
        near: whether near copies count.

    """
    rows = pl.concat([_NONE, *(_hashed(batch) for batch in batches())]).sort(KEY, NUMBER)
    first = rows.with_columns(of=pl.col(NUMBER).first().over("whole"))
    exact = first.filter(pl.col("of") != pl.col(NUMBER)).select(
        pl.col(NUMBER).alias("copy"), "of", kind=pl.lit("exact"), similarity=pl.lit(1.0)
    )
    if not near:
        return exact.cast(COPIES)
    found = pl.DataFrame(
        list(_near(batches, first.filter(pl.col("of") == pl.col(NUMBER))[NUMBER])), COPIES, orient="row"
    )
    return pl.concat([_moved(exact, found).cast(COPIES), found])


def _moved(exact: pl.DataFrame, near: pl.DataFrame) -> pl.DataFrame:
    """The row in whose favour an exact copy goes may itself go in favour of another."""
    both = exact.join(near, left_on="of", right_on="copy", how="left", suffix="_near")
    return both.select(
        "copy", *(pl.coalesce(f"{name}_near", name).alias(name) for name in ("of", "kind", "similarity"))
    )


_NONE = pl.DataFrame(schema={NUMBER: pl.Int64, KEY: pl.UInt64, "whole": pl.UInt64})


def _fields(batch: pl.DataFrame) -> list[str]:
    return [name for name in batch.columns if name not in (NUMBER, KEY, KIND)]


def _hashed(batch: pl.DataFrame) -> pl.DataFrame:
    whole = pl.struct(KIND, *_fields(batch)).hash(seed=0)
    return batch.select(pl.col(NUMBER).cast(pl.Int64), KEY, whole.alias("whole"))


# --- near -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Row:
    """What a near copy is told by."""

    same: int
    """Hash of all that must be equal: which fields are long, and what the others hold."""
    runs: Sequence[Hashes]
    """The different runs of words of each long field, sorted."""


def _near(batches: Batches, staying: pl.Series) -> Iterator[tuple[int, int, str, float]]:
    """Row by row in the order of their turns: a copy of the first like it that stayed, or one that stays."""
    bands = _shared_bands(batches, staying)
    rows = dict(_rows(batches, pl.Series(list(bands), dtype=pl.Int64)))
    stayed: dict[tuple[int, int], list[int]] = {}
    turns = {number: turn for turn, number in enumerate(staying.to_list())}
    for number in (number for number in turns if number in bands):
        candidates = sorted({other for band in bands[number] for other in stayed.get(band, ())}, key=turns.__getitem__)
        likeness = ((other, _similarity(rows[number], rows[other])) for other in candidates)
        found = next(((other, alike) for other, alike in likeness if alike >= SIMILAR), None)
        if found:
            yield number, found[0], "near", found[1]
        else:
            for band in bands[number]:
                stayed.setdefault(band, []).append(number)


def _rows(batches: Batches, wanted: pl.Series) -> Iterator[tuple[int, _Row]]:
    """Those of the rows that have a long field."""
    for whole in batches():
        batch = whole.filter(pl.col(NUMBER).is_in(wanted.implode()))
        if not batch.height:
            continue
        fields = _fields(batch)
        words = batch.select(normalised(pl.col(fields)))
        long = words.select(pl.all().str.count_matches(" ", literal=True) + 1 >= NUM_LONG)
        others = [pl.when(~long[name]).then(pl.col(name)).alias(name) for name in fields]
        same = batch.select(pl.struct(KIND, *others).hash(seed=0)).to_series().to_list()
        runs = [_runs(words.select(pl.when(long[name]).then(pl.col(name))).to_series()) for name in fields]
        for at, number in enumerate(batch[NUMBER].to_list()):
            if own := [of[at] for of in runs if len(of[at])]:
                yield number, _Row(same[at], own)


def _runs(texts: pl.Series) -> list[Hashes]:
    """The different runs of words of each text, sorted."""
    words = words_of(texts)
    hashes, places = grams(words, SIZE)
    ends = np.searchsorted(words.text[places], np.arange(len(texts) + 1))
    return [np.unique(hashes[start:end]) for start, end in pairwise(ends.tolist())]


def _similarity(one: _Row, other: _Row) -> float:
    """That of the long field that is least alike; 0 where the others are not the same."""
    if one.same != other.same:
        return 0.0
    return min(_jaccard(a, b) for a, b in zip(one.runs, other.runs, strict=True))


def _jaccard(one: Hashes, other: Hashes) -> float:
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / (len(one) + len(other) - common)


def _shared_bands(batches: Batches, staying: pl.Series) -> dict[int, list[tuple[int, int]]]:
    """Rows that share a band with another, each with the bands that it shares."""
    numbers: list[int] = []
    same: list[int] = []

    def marked() -> Iterator[list[int]]:
        for number, row in _rows(batches, staying):
            numbers.append(number)
            same.append(row.same)
            marks = np.arange(len(row.runs), dtype=np.uint64) * PRIME  # a run of one field is none of another
            runs = [own + mark for own, mark in zip(row.runs, marks, strict=True)]
            yield (np.concatenate(runs) >> np.uint64(32)).tolist()

    sketches = minhash().generator(marked(), num_perm=NUM_BANDS * BAND, hashfunc=int, scheme="affine32")
    table = np.array([_bands(sketch.hashvalues, same[-1]) for sketch in sketches], dtype=np.uint64).reshape(
        -1, NUM_BANDS
    )
    shared: dict[int, list[tuple[int, int]]] = {}
    for band, column in enumerate(table.T):
        values, counts = np.unique(column, return_counts=True)
        for at in np.flatnonzero(np.isin(column, values[counts > 1])).tolist():
            shared.setdefault(numbers[at], []).append((band, int(column[at])))
    return shared


def _bands(signature: npt.NDArray[np.uint32], same: int) -> Hashes:
    """A number for each `BAND` minimal hashes in a row and all that must be equal."""
    packed = signature.view(np.uint64)
    mixed: Hashes = (packed[0::2] * PRIME + packed[1::2]) * PRIME + np.uint64(same)
    return mixed


def minhash_version() -> str:
    """What makes the sketches.

    Raises:
        MissingExtraError: it is not installed.

    """
    minhash()
    return f"datasketch {version('datasketch')}"


def minhash() -> Any:
    """Datasketch's MinHash.

    Raises:
        MissingExtraError: it is not installed.

    """
    try:
        from datasketch import MinHash
    except ImportError as error:
        raise MissingExtraError("drop_duplicates: near", extra="near") from error
    return MinHash
