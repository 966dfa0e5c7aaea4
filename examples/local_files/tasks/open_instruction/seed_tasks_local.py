"""The seed tasks of Self-Instruct, from JSON Lines: an instruction, an input or none, an output. https://arxiv.org/abs/2212.10560"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import OpenInstruction

instance = pl.col("instances").list.first().struct  # every task has one
given = text(instance["input"])

task = Task(
    schema=OpenInstruction,
    source=Files({"train": "seed_tasks/seed_tasks.jsonl"}),
    columns={
        "instruction": text("instruction"),
        "input": pl.when(given != "").then(given),  # blank in 50 of them
        "output": text(instance["output"]),
    },
    key="id",
    metrics=["rougeLsum"],
    license="apache-2.0",
    families=["self_instruct_seed"],
    sizes={"train": 175},
)
