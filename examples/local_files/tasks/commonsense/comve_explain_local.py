"""ComVE, subtask C: why does a sentence make no sense? Three answers in words. https://aclanthology.org/2020.semeval-1.39"""

import polars as pl

from instruction_kit import Files, Task, options, text
from instruction_kit.schema import ClosedBookQA

data, gold = pl.col("data").struct, pl.col("gold").struct

task = Task(
    schema=ClosedBookQA,
    source=Files(
        {"train": {"data": "comve/dev_subtaskC_dev_data.csv", "gold": "comve/dev_subtaskC_gold_answers.csv"}},
        columns={"gold": ["id", "reason1", "reason2", "reason3"]},
    ),
    columns={
        "question": pl.format("Why does this make no sense: “{}”", text(data["FalseSent"])),
        "answers": options(*(gold[f"reason{number}"] for number in (1, 2, 3))),
    },
    skip=data["id"] != gold["id"],
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="cc-by-sa-4.0",
    families=["sen_making"],
    sizes={"train": 997},
)
