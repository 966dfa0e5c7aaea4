"""AQuA-RAT as FLAN 2022 chose from it: 2,728 good solutions. Ling et al. 2017, https://aclanthology.org/P17-1015"""

import polars as pl

from instruction_kit import Hub, Task, position, text
from instruction_kit.schema import MultipleChoice

# In some cells UTF-8 was once read as cp1252: a dash, a root sign and others became three characters. Line ends are
# written as a backslash and an n.
garbled = {char.encode().decode("cp1252"): char for char in "–×√∪½‘’₄è−¹²"}  # noqa: RUF001 - these are meant
garbled |= {"â\x81´": "⁴", "â\x81µ": "⁵", "â\x81¹": "⁹", r"\n": "\n"}  # noqa: RUF001 - as they stand there
cell = {
    name: pl.col(name).str.replace_many(list(garbled), list(garbled.values())) for name in ("question", "explanation")
}
lines = cell["question"].str.extract(r"(?s)\nOptions:\n(.*)$").str.split("\n").list  # "(A) 12", …

task = Task(
    schema=MultipleChoice,
    source=Hub("chiayewken/flan-cot", config="aqua", revision="main", splits={"train": "train"}),
    columns={
        "question": text(cell["question"].str.extract(r"(?s)^(.*?)(?:\nOptions:\n.*)?$")),
        "options": lines.eval(text(pl.element().str.slice(3))),
        "answer": position(text("answer"), within=lines.eval(pl.element().str.slice(0, 3))),  # "(A)"
        "rationale": text(cell["explanation"]),
    },
    metrics=["accuracy"],
    license="apache-2.0",
    families=["aqua_rat"],
    languages=["en"],
    sizes={"train": 2_728},
)
