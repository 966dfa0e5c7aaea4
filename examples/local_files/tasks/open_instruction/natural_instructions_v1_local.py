"""Natural Instructions v1 from JSON: a file a task, with its definition and all instances. https://aclanthology.org/2022.acl-long.244"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import OpenInstruction


def instances(tasks: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each instance, with the definition of its task. Of several outputs the first is taken."""
    return tasks.explode("Instances").with_columns(
        pl.col("Instances").struct["input"], output=pl.col("Instances").struct["output"].list.first()
    )


task = Task(
    schema=OpenInstruction,
    source=Files({"train": "natural_instructions_v1/*.json"}, shape="single"),
    rows=instances,
    columns={"instruction": text("Definition"), "input": text("input"), "output": text("output")},
    metrics=["rougeLsum"],
    license="apache-2.0",
    families=["natural_instructions", "mctaco"],
    sizes={"train": 10_130},
)
