"""Flan's chain-of-thought file of QASC: two facts combined answer a question. https://arxiv.org/abs/1910.11473"""

import polars as pl

from instruction_kit import Files, Task, position, text
from instruction_kit.schema import MultipleChoice

asked = pl.col("asked").str.replace_all(r"\n", "\n", literal=True)  # line ends are written as two characters
lines = asked.str.extract(r"(?s)\nOptions:\n(.*)$").str.split("\n").list  # "- (A) DNA", …

task = Task(
    schema=MultipleChoice,
    source=Files(
        {"train": "flan_cot/qasc_train.tsv"}, header=False, columns=["asked", "letter", "why"], quoting="none"
    ),
    columns={
        "question": text(asked.str.extract(r"(?s)^(.*?)\nOptions:\n")),
        "options": lines.eval(text(pl.element().str.slice(5))),
        "answer": position("letter", within=lines.eval(pl.element().str.slice(2, 3))),
        "rationale": text("why"),
    },
    license="apache-2.0",
    families=["qasc"],
    sizes={"train": 1_084},
)
