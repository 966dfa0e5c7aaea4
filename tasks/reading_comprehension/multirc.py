"""MultiRC: is this one of the right answers to a question about a paragraph? Khashabi et al. 2018, https://aclanthology.org/N18-1023"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import AnswerCheck

task = Task(
    schema=AnswerCheck,
    source=Hub(
        "aps/super_glue", config="multirc", revision="main", splits={"train": "train", "validation": "validation"}
    ),
    columns={
        "passage": text("paragraph"),
        "question": text("question"),
        "proposal": text("answer"),  # what is proposed, not what is right
        "label": labels("label", ["no", "yes"], names=["False", "True"]),
    },
    skip=pl.col("label") == -1,
    evaluate="validation",  # the labels of test are hidden: -1
    metrics=["f1", "exact_match"],
    license="other",
    families=["multirc"],
    languages=["en"],
    sizes={"train": 27_243, "validation": 4_848},
)
