"""QED from JSON Lines: questions put to a search engine, and the sentence that answers them. https://arxiv.org/abs/2009.06354"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import ReadingComprehension

SPAN = pl.Struct({"string": pl.String})
WANTED = pl.Struct(
    {
        "example_id": pl.Int64,
        "question_text": pl.String,
        "paragraph_text": pl.String,
        "original_nq_answers": pl.List(pl.List(SPAN)),
        "annotation": pl.Struct({"selected_sentence": SPAN}),
    }
)


def only_what_is_wanted(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Elsewhere in the objects a field is text in some rows, and true or false in others."""
    return frame.with_columns(pl.col("line").str.json_decode(WANTED)).unnest("line")


task = Task(
    schema=ReadingComprehension,
    source=Files({"train": "qed/qed-dev.jsonlines"}, format="lines"),  # the published train file is not at hand
    rows=only_what_is_wanted,
    columns={
        "passage": text("paragraph_text"),
        "question": text("question_text"),
        "answers": pl.col("original_nq_answers")  # of each annotator a list of spans, which are one answer together
        .list.eval(pl.element().list.eval(text(pl.element().struct.field("string"))).list.join(", "))
        .list.unique(maintain_order=True),
        "rationale": text(pl.col("annotation").struct.field("selected_sentence").struct.field("string")),
    },
    key="example_id",
    metrics=["exact_match", "f1"],
    license="cc-by-sa-3.0",
    families=["qed", "natural_questions"],
    sizes={"train": 1_355},
)
