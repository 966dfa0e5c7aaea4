"""QuAC: what does a teacher answer a student who cannot see the text? Choi et al. 2018, https://aclanthology.org/D18-1241"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Dialogue

NOTHING = "CANNOTANSWER"  # what stands for no answer, and at the end of every text
UNKNOWN = "I don't know."

asked = pl.col("questions").list.eval(text(pl.element()))
told = pl.col("answers").struct.field("texts")
first = told.list.eval(text(pl.element().list.first()))


def spoken(reply: pl.Expr) -> pl.Expr:
    """A teacher's words in the place of the mark."""
    return pl.when(reply == NOTHING).then(pl.lit(UNKNOWN)).otherwise(reply)


def one_row_a_turn(dialogues: pl.LazyFrame) -> pl.LazyFrame:
    """Each question with all that was asked and answered before it, and every answer that it was given."""
    count = asked.list.len()
    said = pl.concat_list(asked, first.list.eval(spoken(pl.element())))
    order = pl.int_ranges(2 * count)
    turns = dialogues.with_columns(said=said.list.gather(order // 2 + order % 2 * count, null_on_oob=True))
    # Without a question there is one row all the same, so that it is told.
    turns = turns.with_columns(at=pl.when(count > 0).then(pl.int_ranges(count))).explode("at")
    return turns.with_columns(
        turns=pl.col("said").list.head(2 * pl.col("at") + 1), replies=told.list.get("at", null_on_oob=True)
    )


task = Task(
    schema=Dialogue,
    # Only a script lies on the main branch.
    source=Hub(
        "allenai/quac",
        data_dir="plain_text",
        revision="refs/convert/parquet",
        splits={"train": "train", "validation": "validation"},
    ),
    rows=one_row_a_turn,
    columns={
        "context": pl.format(
            "{}, {}\n\n{}",
            text("wikipedia_page_title"),
            text("section_title"),
            text(text("context").str.strip_suffix(NOTHING)),
        ),
        "turns": "turns",
        "responses": pl.col("replies").list.eval(spoken(text(pl.element()))).list.unique(maintain_order=True),
    },
    evaluate="validation",  # there is no test split
    metrics=["f1"],
    license="cc-by-sa-4.0",
    families=["quac"],
    languages=["en"],
    sizes={"train": 83_568, "validation": 7_354},  # turns of 11,567 and 1,000 dialogues
    status="unverified",
)
