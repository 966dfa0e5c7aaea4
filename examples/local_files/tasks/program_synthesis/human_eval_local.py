"""HumanEval from packed JSON Lines: a Python function from its head and docstring. https://arxiv.org/abs/2107.03374"""

import polars as pl

from instruction_kit import Files, Task
from instruction_kit.schema import OpenInstruction

task = Task(
    schema=OpenInstruction,
    source=Files({"test": "human_eval/HumanEval.jsonl.gz"}),  # a benchmark: it is measured, and never trains
    columns={
        # Blanks count here, so nothing is stripped; the output is the whole function, since it may not begin with one.
        "instruction": pl.format("Complete this Python function, and give all of it.\n\n{}", "prompt"),
        "output": pl.concat_str("prompt", "canonical_solution"),
    },
    key="task_id",
    metrics=["exact_match"],
    license="mit",
    families=["human_eval"],
    sizes={"test": 164},
)
