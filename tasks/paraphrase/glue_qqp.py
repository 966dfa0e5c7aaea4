"""QQP: do two questions on Quora ask for the same? Iyer et al. 2017, as in GLUE, https://arxiv.org/abs/1804.07461"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import DuplicateQuestion


def question(column: str) -> pl.Expr:
    """Some quotes are still doubled, as in the table that the questions came from."""
    return text(pl.col(column).str.replace_all('""', '"', literal=True))


task = Task(
    schema=DuplicateQuestion,
    source=Hub("nyu-mll/glue", config="qqp", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        "question1": question("question1"),
        "question2": question("question2"),
        "label": labels("label", ["not_duplicate", "duplicate"]),
    },
    answers={"not_duplicate": "no", "duplicate": "yes"},
    evaluate="validation",  # the labels of test are hidden: -1
    metrics=["accuracy"],
    license="other",
    families=["qqp"],
    languages=["en"],
    sizes={"train": 363_846, "validation": 40_430},
)
