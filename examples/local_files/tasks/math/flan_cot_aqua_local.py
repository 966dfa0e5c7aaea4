"""Flan's chain-of-thought file of AQuA: question, options and solution in three cells. https://arxiv.org/abs/2301.13688"""

import polars as pl

from instruction_kit import Files, Task, position, text
from instruction_kit.schema import MultipleChoice

# In some cells UTF-8 was once read as cp1252: a dash, a root sign and others became three characters. Line ends are
# written as a backslash and an n.
garbled = {char.encode().decode("cp1252"): char for char in "–×√∪½‘’₄è−¹²"}  # noqa: RUF001 - these are meant
garbled |= {"â\x81´": "⁴", "â\x81µ": "⁵", "â\x81¹": "⁹", "\\n": "\n"}  # noqa: RUF001 - as they stand there
cell = {name: pl.col(name).str.replace_many(list(garbled), list(garbled.values())) for name in ("asked", "why")}
lines = cell["asked"].str.extract(r"(?s)\nOptions:\n(.*)$").str.split("\n").list  # "(A) 12", …

task = Task(
    schema=MultipleChoice,
    # Beside it lies gsm8k_train.tsv, which has the questions of gsm8k/train.jsonl once more and stays out.
    source=Files(
        {"train": "flan_cot/aqua_train.tsv"}, header=False, columns=["asked", "letter", "why"], quoting="none"
    ),
    columns={
        "question": text(cell["asked"].str.extract(r"(?s)^(.*?)\nOptions:\n")),
        "options": lines.eval(text(pl.element().str.slice(3))),
        "answer": position("letter", within=lines.eval(pl.element().str.slice(0, 3))),
        "rationale": text(cell["why"]),
    },
    license="apache-2.0",
    families=["aqua_rat"],
    sizes={"train": 2_728},
)
