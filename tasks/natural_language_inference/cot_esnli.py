"""e-SNLI as FLAN 2022 asks it, 36,174 questions with reasons. Longpre et al. 2023, https://arxiv.org/abs/2301.13688"""

import polars as pl

from instruction_kit import Hub, Task, position, text
from instruction_kit.schema import MultipleChoice

asked = pl.col("question").str.replace_all(r"\n", "\n", literal=True)  # line ends are written as a backslash and an n
block = asked.str.extract(r"(?is)\noptions:\n(.*)$").str.strip_chars()  # "- yes", a line each
listed = block.str.split("\n").list.eval(text(pl.element().str.slice(1)))
options = pl.coalesce(listed, pl.lit(["yes", "it is not possible to tell", "no"]))  # some of the wordings show none

task = Task(
    schema=MultipleChoice,
    source=Hub("chiayewken/flan-cot", config="esnli", revision="main", splits={"train": "train"}),
    columns={
        "question": text(asked.str.extract(r"(?is)^(.*?)(?:\noptions:\n.*)?$")),
        "options": options,
        "answer": position(text("answer"), within=options),
        "rationale": text(pl.col("explanation").str.replace_all(r"\n", "\n", literal=True)),
    },
    metrics=["accuracy"],
    license="unknown",
    families=["esnli", "snli", "flickr30k"],
    languages=["en"],
    sizes={"train": 36_174},
)
