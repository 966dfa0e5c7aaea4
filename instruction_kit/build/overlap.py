"""Which training rows hold text of held-out rows, on the rows' own fields and before any template.

In: texts of both sides, a line for each field of each row. Out: for each training row its best match, with both
rows and the words. A whole text of 8 words or more counts where it is equal; so does a run of 13 or of 8 words
(13: Brown et al. 2020, appendix C, https://arxiv.org/abs/2005.14165; 8: Wei et al. 2022, appendix C,
https://arxiv.org/abs/2109.01652). A shorter input counts where all of it is equal; a short answer never counts by
itself. What stands in many rows is boilerplate and counts for nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from instruction_kit.build.grams import Hashes, Places, Words, grams, text_at, without, words_of

SIZES = (13, 8)
NUM_LONG = min(SIZES)
"""Words from which a text is long."""
MAX_ROWS = 10
MAX_SHARE = 0.05
"""A run of words in more training rows than `MAX_ROWS` is boilerplate; so is a whole text in more than this share of a
held-out task's rows, and in more than `MAX_ROWS`: one passage may have several questions."""

TEXTS = pl.Schema(
    {
        "task": pl.String(),
        "split": pl.String(),
        "row": pl.String(),
        "field": pl.String(),
        "answer": pl.Boolean(),
        "text": pl.String(),  # normalised; the field `*` is a row's whole input
    }
)
MATCHES = pl.Schema(
    {
        **{name: pl.String() for name in ("task", "split", "row", "field", "kind")},
        **{f"held_out_{name}": pl.String() for name in ("task", "split", "row", "field")},
        "same_answer": pl.Boolean(),
        "text": pl.String(),
    }
)
"""`overlap/*.parquet`: a training row, the held-out row that it shares text with, how, and the shared words."""

_KINDS = ("exact", "13-gram", "8-gram", "short")
_ROW = ["task", "split", "row"]
_WHOLE = 0
"""Stands for the hash of a run of words where a whole text is meant."""
_HITS = pl.Schema(
    {
        **{name: pl.String() for name in (*_ROW, "field", "text")},
        "held": pl.Int64(),
        "start": pl.Int64(),
        "rank": pl.Int32(),
        "hash": pl.UInt64(),
    }
)


@dataclass(frozen=True)
class _Index:
    """The runs of words of the held-out side, sorted by hash."""

    size: int
    hashes: Hashes
    owner: Places
    """Number of the held-out text."""

    @classmethod
    def of(cls, words: Words, size: int) -> "_Index":
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


def overlaps(train: Callable[[], Iterable[pl.DataFrame]], held: pl.DataFrame) -> pl.DataFrame:
    """Compare training texts with the held-out texts, all of the layout `TEXTS`.

    Args:
        train: gives the batches, one after another; called twice, since what is boilerplate shows only at the end.
        held: the held-out texts.

    Returns:
        One line for each training row that shares text with a held-out row, of the layout `MATCHES`.

    """
    held = held.with_columns(_num_words().alias("words"))
    indexes = [_Index.of(words_of(held.select(_runs_of())["text"]), size) for size in SIZES]
    wholes = _wholes(held)
    common = _common(train(), indexes[-1])
    hits, answers = [pl.DataFrame(schema=_HITS)], [pl.DataFrame(schema=TEXTS)]
    for batch in train():
        found = pl.concat([*_run_hits(batch, indexes, common), _whole_hits(batch, wholes)])
        hits.append(found)
        answers.append(batch.filter("answer").join(found, on=_ROW, how="semi"))
    best = (
        _rare(pl.concat(hits), held)
        .sort("rank", "held", "field", "start")
        .unique(_ROW, keep="first", maintain_order=True)
    )
    return _told(best, held, pl.concat(answers))


def _num_words() -> pl.Expr:
    return pl.col("text").str.count_matches(" ", literal=True).cast(pl.Int64) + (pl.col("text") != "").cast(pl.Int64)


def _runs_of() -> pl.Expr:
    """A row's whole input is there to be compared as a whole; a run of words may not lie across two fields."""
    return pl.when(pl.col("field") != "*").then("text").otherwise(pl.lit("")).alias("text")


def _common(train: Iterable[pl.DataFrame], index: _Index) -> Hashes:
    """Shared runs that stand in more than `MAX_ROWS` training rows, sorted."""
    rows = []
    for batch in train:
        words = words_of(batch.select(_runs_of())["text"])
        hashes, places, _ = index.hits(words)
        keys = batch.select(pl.struct(_ROW).hash(seed=0))["task"].to_numpy()
        rows.append(pl.DataFrame({"hash": hashes, "row": keys[words.text[places]]}).unique())
    found = pl.concat(rows).unique().group_by("hash").len() if rows else pl.DataFrame({"hash": [], "len": []})
    return found.filter(pl.col("len") > MAX_ROWS)["hash"].sort().cast(pl.UInt64).to_numpy()


def _uncommon(words: Words, index: _Index, common: Hashes) -> Words:
    """Without the words of common runs, so that no run is mostly boilerplate with one word of its own."""
    hashes, places, _ = index.hits(words)
    covered = np.zeros(len(words.hashes), dtype=bool)
    starts = places[np.isin(hashes, common)]
    for step in range(index.size):
        covered[starts + step] = True
    return without(words, covered)


def _run_hits(batch: pl.DataFrame, indexes: Sequence[_Index], common: Hashes) -> Iterator[pl.DataFrame]:
    """Every shared run of words once for each training text, from its first place on."""
    series = batch.select(_runs_of())["text"]
    words, texts = _uncommon(words_of(series), indexes[-1], common), series.to_list()
    for rank, index in enumerate(indexes, start=1):
        hashes, places, held = index.hits(words)
        hit = pl.DataFrame({"hash": hashes, "place": places, "held": held, "at": words.text[places]})
        first = hit.unique(["hash", "at"], keep="first", maintain_order=True)
        shown = [text_at(texts, words, place, index.size) for place in first["place"].to_list()]
        starts = first["place"] - np.searchsorted(words.text, first["at"].to_numpy())
        rows = batch[first["at"].to_list()].select(*_ROW, "field")
        texts_of_rows = {"held": first["held"], "hash": first["hash"], "text": pl.Series(shown, dtype=pl.String)}
        found = rows.with_columns(**texts_of_rows, start=starts, rank=pl.lit(rank))
        yield found.select(list(_HITS)).cast(_HITS)


def _wholes(held: pl.DataFrame) -> pl.DataFrame:
    """Texts that are compared as a whole, each with its first place."""
    numbered = held.with_row_index("held").filter(_counts())
    return numbered.group_by("text", whole=pl.col("field") == "*").agg(pl.col("held").min())


def _counts() -> pl.Expr:
    """Long texts of any field; short ones only where they are a row's whole input."""
    return (pl.col("words") >= NUM_LONG) | (pl.col("field") == "*")


def _whole_hits(batch: pl.DataFrame, wholes: pl.DataFrame) -> pl.DataFrame:
    counted = batch.with_columns(_num_words().alias("words"), whole=pl.col("field") == "*").filter(_counts())
    rank = pl.when(pl.col("words") >= NUM_LONG).then(0).otherwise(len(_KINDS) - 1)
    found = counted.join(wholes, on=["text", "whole"]).with_columns(rank=rank, hash=pl.lit(_WHOLE), start=pl.lit(0))
    return found.select(list(_HITS)).cast(_HITS)


def _rare(hits: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Without boilerplate."""
    rows = held.group_by("task").agg(total=pl.struct("split", "row").n_unique())
    often = held.group_by("text", "task").agg(times=pl.struct("split", "row").n_unique()).join(rows, on="task")
    limit = pl.max_horizontal(pl.lit(float(MAX_ROWS)), pl.col("total") * MAX_SHARE)
    boilerplate = often.filter(pl.col("times") > limit)["text"].unique()
    return hits.filter((pl.col("hash") != _WHOLE) | ~pl.col("text").is_in(boilerplate.implode()))


def _told(best: pl.DataFrame, held: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """Each match with its held-out row, and whether the answers are the same too."""
    names = {name: f"held_out_{name}" for name in (*_ROW, "field")}
    other = held.with_row_index("held").select(
        pl.col("held").cast(pl.Int64), **{n: pl.col(o) for o, n in names.items()}
    )
    said = held.filter("answer").group_by([pl.col(name).alias(names[name]) for name in _ROW]).agg(there=pl.col("text"))
    own = answers.group_by(_ROW).agg(here=pl.col("text"))
    kinds = pl.col("rank").replace_strict(dict(enumerate(_KINDS)), return_dtype=pl.String)
    joined = (
        best.join(other, on="held").join(own, on=_ROW, how="left").join(said, on=[names[n] for n in _ROW], how="left")
    )
    same = (pl.col("here").list.set_intersection("there").list.len() > 0).fill_null(value=False)
    told = joined.with_columns(kind=kinds, same_answer=same).select(list(MATCHES)).cast(MATCHES)
    return told.sort("held_out_task", "task", "split", "row")
