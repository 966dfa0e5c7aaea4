"""DROP contrast set from JSON: a number, a date or spans that a passage gives. https://aclanthology.org/2020.findings-emnlp.117"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import ReadingComprehension

answer = pl.col("answer").struct
number, spans = text(answer.field("number")), answer.field("spans")
date = pl.concat_str(answer.field("date").struct.field("day", "month", "year"), separator=" ")


def one_row_a_question(frame: pl.LazyFrame) -> pl.LazyFrame:
    """A record is a passage with its questions."""
    return frame.explode("qa_pairs").unnest("qa_pairs")


task = Task(
    schema=ReadingComprehension,
    # It is meant for measuring, as it is when reading_comprehension is held out; here that cluster trains.
    source=Files({"train": "drop_contrast/drop_contrast_sets_test.json"}, shape="keyed"),
    rows=one_row_a_question,
    columns={
        "passage": text("passage"),
        "question": text("question"),
        # Of an answer all parts but one are empty. Several spans are one answer together.
        "answers": pl.concat_list(text(pl.concat_str(number, date, spans.list.join(", "), separator=" "))),
    },
    skip=(number != "") & (spans.list.len() > 0),  # a number and spans that contradict each other
    key="query_id",
    metrics=["exact_match", "f1"],
    families=["drop"],
    sizes={"train": 947},
)
