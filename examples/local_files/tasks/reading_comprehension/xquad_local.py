"""XQuAD from JSON: questions on passages of Wikipedia, in four languages. https://arxiv.org/abs/1910.11856"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import ReadingComprehension

found = pl.col("answers").list.eval(text(pl.element().struct.field("text")))


def one_row_a_question(frame: pl.LazyFrame) -> pl.LazyFrame:
    """A record is an article, which holds passages, which hold questions."""
    return frame.explode("paragraphs").unnest("paragraphs").explode("qas").unnest("qas")


task = Task(
    schema=ReadingComprehension,
    # Each file has the same 1,190 questions: the English ones measure what is known in another language already.
    source=Files(
        {
            "train": ["xquad/xquad.de.json", "xquad/xquad.zh.json", "xquad/xquad.ar.json"],
            "validation": "xquad/xquad.en.json",
        },
        records="data",
    ),
    rows=one_row_a_question,
    columns={
        "passage": text("context"),
        "question": text("question"),
        "answers": found,
    },
    skip=found.list.eval(pl.element().str.contains("\ufffd")).list.any(),  # what it was cannot be told any more
    metrics=["exact_match", "f1"],
    license="cc-by-sa-4.0",
    families=["squad"],
    languages=["en", "de", "zh", "ar"],
    sizes={"train": 3_570, "validation": 1_190},
)
