"""COPA: which of two events is the likelier cause or effect? Roemmele et al. 2011, https://people.ict.usc.edu/~gordon/copa.html"""

import polars as pl

from instruction_kit import Hub, Task, index, options, text
from instruction_kit.schema import MultipleChoice

QUESTIONS = {"cause": "What brought this about?", "effect": "What did this lead to?"}

task = Task(
    schema=MultipleChoice,
    source=Hub("aps/super_glue", config="copa", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        "context": text("premise"),
        "question": pl.col("question").replace_strict(QUESTIONS, default=None, return_dtype=pl.String),
        "options": options("choice1", "choice2"),
        "answer": index("label"),
    },
    skip=pl.col("label") == -1,
    evaluate="validation",  # the labels of test are hidden
    metrics=["accuracy"],
    license="other",  # what the hub says; COPA by itself is under BSD-2
    families=["copa"],
    languages=["en"],
    sizes={"train": 400, "validation": 100},
)
