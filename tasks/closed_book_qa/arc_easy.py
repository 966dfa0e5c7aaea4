"""ARC (easy): which answer to a school science question is right? Clark et al. 2018, https://arxiv.org/abs/1803.05457"""

import polars as pl

from instruction_kit import Hub, Task, position, text
from instruction_kit.schema import MultipleChoice

choices = pl.col("choices").struct

task = Task(
    schema=MultipleChoice,
    source=Hub(
        "allenai/ai2_arc",
        config="ARC-Easy",
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},
    ),
    columns={
        "question": text("question"),
        "options": choices.field("text").list.eval(text(pl.element())),
        "answer": position("answerKey", within=choices.field("label")),  # some rows use 1 to 4, not letters
    },
    metrics=["accuracy"],
    license="cc-by-sa-4.0",
    families=["arc"],
    languages=["en"],
    sizes={"train": 2_251, "validation": 570, "test": 2_376},
)
