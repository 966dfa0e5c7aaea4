"""SQuAD 1.1: which words of a passage answer the question? Rajpurkar et al. 2016, https://aclanthology.org/D16-1264"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import ReadingComprehension

task = Task(
    schema=ReadingComprehension,
    source=Hub(
        "rajpurkar/squad", config="plain_text", revision="main", splits={"train": "train", "validation": "validation"}
    ),
    columns={
        "passage": text("context"),
        "question": text("question"),
        "answers": pl.col("answers").struct.field("text"),
    },
    evaluate="validation",  # test is not public
    metrics=["exact_match", "f1"],
    license="cc-by-sa-4.0",
    families=["squad"],
    languages=["en"],
    sizes={"train": 87_599, "validation": 10_570},
)
