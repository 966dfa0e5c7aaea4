"""QASC: eight options, and two facts that lead to one of them. Khot et al. 2020, https://arxiv.org/abs/1910.11473"""

import polars as pl

from instruction_kit import Hub, Task, position, text
from instruction_kit.schema import MultipleChoice

choices = pl.col("choices").struct


def sentence(column: str) -> pl.Expr:
    """Some of the facts begin small and end without a stop."""
    bare = text(column).str.strip_chars_end(".")
    return pl.when(bare != "").then(bare.str.slice(0, 1).str.to_uppercase() + bare.str.slice(1) + ".")


why = pl.concat_str(map(sentence, ["fact1", "fact2", "combinedfact"]), separator=" ", ignore_nulls=True)

task = Task(
    schema=MultipleChoice,
    source=Hub("allenai/qasc", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        "question": text("question"),
        "options": choices.field("text").list.eval(text(pl.element())),
        "answer": position("answerKey", within=choices.field("label")),
        "rationale": pl.when(why != "").then(why),
    },
    key="id",
    evaluate="validation",  # test has neither answers nor facts
    metrics=["accuracy"],
    license="cc-by-4.0",
    families=["qasc"],
    languages=["en"],
    sizes={"train": 8_134, "validation": 926},
)
