"""OpenBookQA: which answer follows from a fact of the book and common knowledge? Mihaylov et al. 2018, https://aclanthology.org/D18-1260"""

import polars as pl

from instruction_kit import Hub, Task, position, text
from instruction_kit.schema import MultipleChoice

choices = pl.col("choices").struct

task = Task(
    schema=MultipleChoice,
    source=Hub(
        "allenai/openbookqa",
        config="additional",  # `main` has no facts
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},
    ),
    columns={
        "context": text("fact1"),
        "question": text("question_stem"),
        "options": choices.field("text").list.eval(text(pl.element())),
        "answer": position(text("answerKey"), within=choices.field("label")),
    },
    metrics=["accuracy"],
    license="apache-2.0",
    families=["openbookqa"],
    languages=["en"],
    sizes={"train": 4_957, "validation": 500, "test": 500},
)
