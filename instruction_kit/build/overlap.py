"""Which training rows hold text of held-out rows, on the rows' own fields and before any template.

In: texts of both sides, a line for each field of each row. Out: for each training row its best match, with both
rows and the words. A whole text of 8 words or more counts where it is equal; so does a run of 13 or of 8 words
(13: Brown et al. 2020, appendix C, https://arxiv.org/abs/2005.14165; 8: Wei et al. 2022, appendix C,
https://arxiv.org/abs/2109.01652). A shorter text counts where all of it is equal and it is the whole input, or a field
of it that few rows share; short answers and options never count by themselves. What stands in many rows is boilerplate
and counts for nothing.
"""

from collections.abc import Iterable

import polars as pl

from instruction_kit.build.hit import HITS, KINDS, ROW, TEXTS, num_rows
from instruction_kit.build.shared_runs import RUNS, common_runs, indexes, run_hits, shared_runs
from instruction_kit.build.shared_wholes import whole_hits, wholes, without_boilerplate
from instruction_kit.build.spool import spool

MATCHES = pl.Schema(
    {
        **{name: pl.String() for name in ("task", "split", "row", "field", "kind")},
        **{f"held_out_{name}": pl.String() for name in ("task", "split", "row", "field")},
        "same_answer": pl.Boolean(),
        "text": pl.String(),
    }
)
"""`overlap/*.parquet`: a training row, the held-out row that it shares text with, how, and the shared words."""


def overlaps(train: Iterable[pl.DataFrame], held: pl.DataFrame) -> pl.DataFrame:
    """Compare training texts with the held-out texts, all of the layout `TEXTS`.

    Args:
        train: the training texts, in batches that hold rows whole. Those that share anything wait on disk, since what
            is boilerplate shows only at the end.
        held: the held-out texts.

    Returns:
        One line for each training row that shares text with a held-out row, of the layout `MATCHES`.

    """
    indexed, known = indexes(held), wholes(held)
    hits, runs, counts = [pl.DataFrame(schema=HITS)], [pl.DataFrame(schema=RUNS)], [num_rows(held).clear()]
    with spool() as waiting:
        for batch in train:
            whole, (shared, texts) = whole_hits(batch, known), shared_runs(batch, indexed[-1])
            hits.append(whole)
            runs.append(shared)
            counts.append(num_rows(batch))
            alike = pl.concat([whole.select(ROW), texts.select(ROW)]).unique()
            waiting.write(batch.join(alike, on=ROW, how="semi"))
        trained = pl.concat(counts).group_by("task").agg(pl.col("total").sum())
        common = common_runs(pl.concat(runs), trained)
        hits += [found for texts in waiting.frames() for found in run_hits(texts, indexed, common)]
        totals = pl.concat([num_rows(held), trained]).group_by("task").agg(pl.col("total").sum())
        best = _best(without_boilerplate(pl.concat(hits), held, totals))
        answers = [texts.filter("answer").join(best, on=ROW, how="semi") for texts in waiting.frames()]
    return _told(best, held, pl.concat([pl.DataFrame(schema=TEXTS), *answers]))


def _best(hits: pl.DataFrame) -> pl.DataFrame:
    """The strongest of each training row."""
    return hits.sort("rank", "held", "field", "start").unique(ROW, keep="first", maintain_order=True)


def _told(best: pl.DataFrame, held: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """Each match with its held-out row, and whether the answers are the same too."""
    names = {name: f"held_out_{name}" for name in (*ROW, "field")}
    other = held.with_row_index("held").select(
        pl.col("held").cast(pl.Int64), **{n: pl.col(o) for o, n in names.items()}
    )
    said = held.filter("answer").group_by([pl.col(name).alias(names[name]) for name in ROW]).agg(there=pl.col("text"))
    own = answers.group_by(ROW).agg(here=pl.col("text"))
    kinds = pl.col("rank").replace_strict(dict(enumerate(KINDS)), return_dtype=pl.String)
    joined = (
        best.join(other, on="held").join(own, on=ROW, how="left").join(said, on=[names[n] for n in ROW], how="left")
    )
    same = (pl.col("here").list.set_intersection("there").list.len() > 0).fill_null(value=False)
    told = joined.with_columns(kind=kinds, same_answer=same).select(list(MATCHES)).cast(MATCHES)
    return told.sort("held_out_task", "task", "split", "row")
