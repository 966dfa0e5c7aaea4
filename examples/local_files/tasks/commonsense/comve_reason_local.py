"""ComVE, subtask B: why does a sentence make no sense? Three reasons to choose from. https://aclanthology.org/2020.semeval-1.39"""

import polars as pl

from instruction_kit import Files, Task, options, position, text
from instruction_kit.schema import MultipleChoice

data, gold = pl.col("data").struct, pl.col("gold").struct

task = Task(
    schema=MultipleChoice,
    source=Files(
        {"train": {"data": "comve/dev_subtaskB_dev_data.csv", "gold": "comve/dev_subtaskB_gold_answers.csv"}},
        columns={"gold": ["id", "letter"]},
    ),
    columns={
        "context": text(data["FalseSent"]),
        "question": pl.lit("Why does this make no sense?"),
        "options": options(*(data[f"Option{letter}"] for letter in "ABC")),
        "answer": position(gold["letter"], within=pl.concat_list(pl.lit(letter) for letter in "ABC")),
    },
    skip=data["id"] != gold["id"],
    license="cc-by-sa-4.0",
    families=["sen_making"],
    sizes={"train": 997},
)
