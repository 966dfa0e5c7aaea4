"""Cosmos QA: what lies between the lines of a personal story? Huang et al. 2019, https://aclanthology.org/D19-1243"""

import polars as pl

from instruction_kit import Hub, Task, index, options, text
from instruction_kit.schema import MultipleChoice


def joined(piece: str) -> pl.Expr:
    """Some texts stand tokenised, as `None of the above choices .`"""
    return text(piece).str.replace_all(r" +([.,!?])", "${1}")


task = Task(
    schema=MultipleChoice,
    source=Hub("Samsoup/cosmos_qa", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        "context": joined("context"),
        "question": joined("question"),
        "options": options(*[joined(f"answer{number}") for number in range(4)]),
        "answer": index("label"),
    },
    skip=pl.col("label") == -1,
    evaluate="validation",  # the labels of test are hidden: -1
    metrics=["accuracy"],
    license="cc-by-4.0",
    families=["cosmos_qa"],
    languages=["en"],
    sizes={"train": 25_262, "validation": 2_985},
)
