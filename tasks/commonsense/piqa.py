"""PIQA: which of two ways reaches an everyday goal? Bisk et al. 2020, https://arxiv.org/abs/1911.11641"""

import polars as pl

from instruction_kit import Hub, Task, index, options, text
from instruction_kit.schema import MultipleChoice

task = Task(
    schema=MultipleChoice,
    source=Hub("baber/piqa", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        # A goal that ends a sentence of its own must not end two. The pattern does not match an empty goal, so that
        # such a goal stays blank and is rejected.
        "question": text("goal").str.replace(r"(?s)^(.+?)[\s.?!:;,]*$", "What is a good way to reach this goal: ${1}?"),
        "options": options("sol1", "sol2"),
        "answer": index("label"),
    },
    skip=pl.col("label") == -1,
    evaluate="validation",  # the labels of test are hidden
    metrics=["accuracy"],
    license="afl-3.0",
    families=["piqa"],
    languages=["en"],
    sizes={"train": 16_113, "validation": 1_838},
)
