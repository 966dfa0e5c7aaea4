"""HellaSwag: which ending goes on from a scene or a guide? Zellers et al. 2019, https://aclanthology.org/P19-1472"""

import polars as pl

from instruction_kit import Hub, Task, index, text
from instruction_kit.schema import Continuation


def without_marks(piece: pl.Expr) -> pl.Expr:
    """Rows from WikiHow bear `[header]`, `[title]`, `[step]` and `[substeps]` between their lines."""
    return text(text(piece).str.replace_all(r"\s*\[(header|title|step|substeps)\]\s*", "\n"))


task = Task(
    schema=Continuation,
    source=Hub("Rowan/hellaswag", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        "text": without_marks(pl.col("ctx")),
        "endings": pl.col("endings").list.eval(without_marks(pl.element())),
        "answer": index("label"),  # a digit as text
    },
    skip=pl.col("label") == "",
    evaluate="validation",  # the labels of test are hidden: ''
    metrics=["accuracy"],
    license="mit",
    families=["hellaswag"],
    languages=["en"],
    sizes={"train": 39_905, "validation": 10_042},
)
