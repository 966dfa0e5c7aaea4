"""Runs of words that two sides share.

In: texts of both sides. Out: hits, one for each run of 13 or 8 words that a training text shares with a held-out one,
without runs that are boilerplate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from instruction_kit.build.grams import Hashes, Places, Words, grams, text_at, without, words_of
from instruction_kit.build.hit import HITS, KINDS, MAX_ROWS, MAX_SHARE, ROW

SIZES = (13, 8)
"""A run of the last is in every longer one."""


@dataclass(frozen=True)
class Index:
    """The runs of words of the held-out side, sorted by hash."""

    size: int
    hashes: Hashes
    owner: Places
    """Number of the held-out text."""

    @classmethod
    def of(cls, words: Words, size: int) -> "Index":
        """The runs of `size` words in held-out texts."""
        hashes, places = grams(words, size)
        order = np.argsort(hashes, kind="stable")
        return cls(size, hashes[order], words.text[places][order])

    def hits(self, words: Words) -> tuple[Hashes, Places, Places]:
        """Every run of these words that is here too: its hash, its first word, and the first held-out text with it."""
        hashes, places = grams(words, self.size)
        if not len(self.hashes):
            return hashes[:0], places[:0], places[:0]
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        hit = self.hashes[at] == hashes
        return hashes[hit], places[hit], self.owner[at[hit]]


def indexes(held: pl.DataFrame) -> list[Index]:
    """One for each of `SIZES`."""
    words = words_of(_runs_of(held))
    return [Index.of(words, size) for size in SIZES]


def _runs_of(texts: pl.DataFrame) -> pl.Series:
    """A row's whole input is there to be compared as a whole; a run of words may not lie across two fields."""
    return texts.select(pl.when(pl.col("field") != "*").then("text").otherwise(pl.lit("")).alias("text")).to_series()


RUNS = pl.Schema({"hash": pl.UInt64(), "task": pl.String(), "about": pl.UInt64(), "row": pl.UInt64()})


def shared_runs(batch: pl.DataFrame, index: Index) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The runs that training texts share, each once a row, and these texts; most share none and go no further."""
    words = words_of(_runs_of(batch))
    hashes, places, _ = index.hits(words)
    keys = batch.select("task", "about", row=pl.struct(ROW).hash(seed=0))
    runs = keys[words.text[places]].with_columns(hash=pl.Series(hashes)).select(RUNS.names()).unique()
    return runs, batch[np.unique(words.text[places])]


def common_runs(runs: pl.DataFrame, totals: pl.DataFrame) -> Hashes:
    """Those in training rows about many texts, or in much of a training task, sorted; `totals` has each task's rows."""
    texts = runs.group_by("hash").agg(times=pl.col("about").n_unique()).filter(pl.col("times") > MAX_ROWS)
    much = runs.group_by("hash", "task").agg(times=pl.col("row").n_unique()).join(totals, on="task")
    limit = pl.max_horizontal(pl.lit(float(MAX_ROWS)), pl.col("total") * MAX_SHARE)
    return pl.concat([texts["hash"], much.filter(pl.col("times") > limit)["hash"]]).unique().sort().to_numpy()


def _uncommon(words: Words, index: Index, common: Hashes) -> Words:
    """Without the words of common runs, so that no run is mostly boilerplate with one word of its own."""
    hashes, places, _ = index.hits(words)
    covered = np.zeros(len(words.hashes), dtype=bool)
    starts = places[np.isin(hashes, common)]
    for step in range(index.size):
        covered[starts + step] = True
    return without(words, covered)


def run_hits(batch: pl.DataFrame, indexes: Sequence[Index], common: Hashes) -> Iterator[pl.DataFrame]:
    """Every shared run of words once for each training text, from its first place on."""
    series = _runs_of(batch)
    words, texts = _uncommon(words_of(series), indexes[-1], common), series.to_list()
    for rank, index in enumerate(indexes, start=KINDS.index("13-gram")):
        hashes, places, held = index.hits(words)
        hit = pl.DataFrame({"hash": hashes, "place": places, "held": held, "at": words.text[places]})
        first = hit.unique(["hash", "at"], keep="first", maintain_order=True)
        shown = [text_at(texts, words, place, index.size) for place in first["place"].to_list()]
        starts = first["place"] - np.searchsorted(words.text, first["at"].to_numpy())
        rows = batch[first["at"].to_list()].select(*ROW, "field", "about")
        texts_of_rows = {"held": first["held"], "hash": first["hash"], "text": pl.Series(shown, dtype=pl.String)}
        found = rows.with_columns(**texts_of_rows, start=starts, rank=pl.lit(rank))
        yield found.select(list(HITS)).cast(HITS)
