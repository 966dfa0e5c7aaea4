"""Natural Questions (open): what is the short answer to a searcher's question? Lee et al. 2019, https://aclanthology.org/P19-1612"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import ClosedBookQA

task = Task(
    schema=ClosedBookQA,
    source=Hub(
        "google-research-datasets/nq_open",
        config="nq_open",
        revision="main",
        splits={"train": "train", "validation": "validation"},
    ),
    columns={
        "question": text("question").str.replace(
            r"(?s)^(.+?)[\s?]*$", "${1}?"
        ),  # typed into a search box, without a mark
        "answers": pl.col("answer").list.eval(text(pl.element())),
    },
    evaluate="validation",  # there is no test split
    metrics=["exact_match", "f1"],
    license="cc-by-sa-3.0",
    families=["natural_questions"],
    languages=["en"],
    sizes={"train": 87_925, "validation": 3_610},
)
