"""Whole texts that two sides share.

In: texts of both sides. Out: hits, one for each training text that is equal to a held-out one: a long text of any
field, a row's whole input, or a short field that few rows share.
"""

import polars as pl

from instruction_kit.build.hit import HITS, KINDS, MAX_ROWS, MAX_SHARE, NUM_LONG, WHOLE, num_rows

_SHORT = KINDS.index("short")


def _compared(texts: pl.DataFrame) -> pl.DataFrame:
    """Texts that count as a whole: long ones of any field, short ones where they may; these with their signs."""
    counted = texts.with_columns(long=_num_words() >= NUM_LONG).filter(pl.col("long") | pl.col("alone"))
    signs = pl.when("long").then(pl.lit("")).otherwise("signs").alias("signs")
    return counted.with_columns(signs, whole=pl.col("field") == "*")


def _num_words() -> pl.Expr:
    return pl.col("text").str.count_matches(" ", literal=True) + 1


def wholes(held: pl.DataFrame) -> pl.DataFrame:
    """Texts that are compared as a whole, each with its first place."""
    return _compared(held.with_row_index("held")).group_by("text", "signs", "whole").agg(pl.col("held").min())


def whole_hits(batch: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Every training text that is one of the known wholes."""
    counted = _compared(batch)
    rank = pl.when("long").then(0).otherwise(_SHORT)
    found = counted.join(known, on=["text", "signs", "whole"])
    return found.with_columns(rank=rank, hash=pl.lit(WHOLE), start=pl.lit(0)).select(list(HITS)).cast(HITS)


def without_boilerplate(hits: pl.DataFrame, held: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """Hits of whole texts that are a row's own, and all hits of runs; `totals` has the rows of every task."""
    often = _times(held).join(num_rows(held), on="task")
    limit = pl.max_horizontal(pl.lit(float(MAX_ROWS)), pl.col("total") * MAX_SHARE)
    boilerplate = often.filter(pl.col("times") > limit)["text"].unique()
    boilerplate = pl.concat([boilerplate, _about_many(hits)])
    kept = hits.filter((pl.col("hash") != WHOLE) | ~pl.col("text").is_in(boilerplate.implode()))
    field = (pl.col("rank") == _SHORT) & (pl.col("field") != "*")
    shared = _shared(kept.filter(field), held, totals)
    return kept.filter(~field | ~pl.col("text").is_in(shared.implode()))


def _about_many(hits: pl.DataFrame) -> pl.Series:
    """Long fields, as an instruction is, of rows about many texts; a row's whole input is its own, however often."""
    fields = hits.filter((pl.col("hash") == WHOLE) & (pl.col("rank") != _SHORT) & (pl.col("field") != "*"))
    return fields.group_by("text").agg(times=pl.col("about").n_unique()).filter(pl.col("times") > MAX_ROWS)["text"]


def _times(texts: pl.DataFrame) -> pl.DataFrame:
    """In how many rows of each task a text stands."""
    return texts.group_by("text", "task").agg(times=pl.struct("split", "row").n_unique())


def _shared(short: pl.DataFrame, held: pl.DataFrame, totals: pl.DataFrame) -> pl.Series:
    """Short fields that are not one row's own. Every training row with such a text is a hit, so hits count them all."""
    trained, measured = _times(short), _times(held.filter(pl.col("field") != "*"))
    all_trained = trained.group_by("text").agg(pl.col("times").sum())
    many = all_trained.filter(pl.col("times") > MAX_ROWS)
    each = pl.concat([trained, measured]).join(totals, on="task")
    often = each.filter((pl.col("times") > 1) & (pl.col("times") > pl.col("total") * MAX_SHARE))
    again = measured.filter(pl.col("times") > 1)
    both = all_trained.filter(pl.col("times") > 1).join(again, on="text", how="semi")
    return pl.concat([many["text"], often["text"], both["text"]]).unique()
