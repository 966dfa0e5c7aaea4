"""Flan's chain-of-thought file of ECQA: CommonsenseQA explained once more. https://aclanthology.org/2021.acl-long.238"""

import polars as pl

from instruction_kit import Files, Task, position, text
from instruction_kit.schema import MultipleChoice

asked = pl.col("asked").str.replace_all(r"\n", "\n", literal=True)  # line ends are written as two characters
choices = asked.str.extract(r"(?s)\nOptions:\n- (.*)$").str.split(
    "\n- "
)  # some list a choice twice, once the right one

task = Task(
    schema=MultipleChoice,
    source=Files(
        {"train": "flan_cot/ecqa_train.tsv"}, header=False, columns=["asked", "answer", "why"], quoting="none"
    ),
    columns={
        "question": text(asked.str.extract(r"(?s)^(.*?)\nOptions:\n")),
        "options": choices.list.eval(text(pl.element())),
        "answer": position("answer", within=choices),
        "rationale": text("why"),
    },
    license="apache-2.0",
    families=["commonsense_qa"],
    sizes={"train": 7_112},
)
