"""What the two ways of comparing texts, by runs of words and as wholes, have in common.

In: nothing. Out: the layout of texts that can be compared, that of a hit, and from what number of rows a text is
boilerplate.
"""

import polars as pl

NUM_LONG = 8
"""Words from which a text is long."""
MAX_ROWS = 10
MAX_SHARE = 0.05
"""A run of words, or a whole long field, is boilerplate where the training rows that hold it are about more different
texts than `MAX_ROWS`: one passage may have many questions. So is a whole text in more than this share of a held-out
task's rows, and in more than `MAX_ROWS`, and a run in as large a share of a training task's. A short field, of which
nothing but its rarity says that it is a row's own, is boilerplate where more training rows than `MAX_ROWS` hold it,
where two rows or more, and more than this share, of any task on either side do, or where two rows on each side do."""

TEXTS = pl.Schema(
    {
        "task": pl.String(),
        "split": pl.String(),
        "row": pl.String(),
        "field": pl.String(),
        "answer": pl.Boolean(),
        "alone": pl.Boolean(),  # counts by itself where it is short: an input field but options, or the whole input
        "text": pl.String(),  # normalised; the field `*` is a row's whole input
        "signs": pl.String(),  # of arithmetic and money: all that two short texts may differ in
        "about": pl.UInt64(),  # the same for rows about one text, as questions about one passage; else the row's own
    }
)
ROW = ["task", "split", "row"]
KINDS = ("exact", "13-gram", "8-gram", "short")
"""From the strongest on; a hit says its rank here."""
WHOLE = 0
"""Stands for the hash of a run of words where a whole text is meant."""
HITS = pl.Schema(
    {
        **{name: pl.String() for name in (*ROW, "field", "text")},
        "about": pl.UInt64(),
        "held": pl.Int64(),  # number of the held-out text
        "start": pl.Int64(),  # number of the first shared word
        "rank": pl.Int32(),
        "hash": pl.UInt64(),
    }
)


def num_rows(texts: pl.DataFrame) -> pl.DataFrame:
    """Rows of each task: `task`, `total`."""
    return texts.group_by("task").agg(total=pl.struct("split", "row").n_unique())
