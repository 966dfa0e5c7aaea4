"""QASC in FLAN 2022's text: two facts combined answer a question. Khot et al. 2020, https://arxiv.org/abs/1910.11473"""

import polars as pl

from instruction_kit import Hub, Task, position, text
from instruction_kit.schema import MultipleChoice

asked = pl.col("question").str.replace_all(r"\n", "\n", literal=True)  # line ends may be written as two characters
lines = asked.str.extract(r"(?s)\nOptions:\n(.*)$").str.split("\n").list  # "- (A) DNA", …

task = Task(
    schema=MultipleChoice,
    source=Hub("chiayewken/flan-cot", config="qasc", revision="main", splits={"train": "train"}),
    columns={
        "question": text(asked.str.extract(r"(?s)^(.*?)\nOptions:\n")),
        "options": lines.eval(text(pl.element().str.slice(5))),
        "answer": position(text("answer"), within=lines.eval(pl.element().str.slice(2, 3))),  # "(A)"
        "rationale": text("explanation"),
    },
    metrics=["accuracy"],
    license="cc-by-4.0",
    families=["qasc"],
    languages=["en"],
    sizes={"train": 1_084},
)
