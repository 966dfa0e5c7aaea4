"""ECQA in FLAN 2022's text: CommonsenseQA explained. Aggarwal et al. 2021, https://aclanthology.org/2021.acl-long.238"""

import polars as pl

from instruction_kit import Hub, Task, position, text
from instruction_kit.schema import MultipleChoice

asked = pl.col("question").str.replace_all(r"\n", "\n", literal=True)  # line ends may be written as two characters
choices = asked.str.extract(r"(?s)\nOptions:\n- (.*)$").str.split(
    "\n- "
)  # some list a choice twice, once the right one

task = Task(
    schema=MultipleChoice,
    source=Hub("chiayewken/flan-cot", config="ecqa", revision="main", splits={"train": "train"}),
    columns={
        "question": text(asked.str.extract(r"(?s)^(.*?)\nOptions:\n")),
        "options": choices.list.eval(text(pl.element())),
        "answer": position("answer", within=choices),  # the words of the choice
        "rationale": text("explanation"),
    },
    metrics=["accuracy"],
    license="cdla-sharing-1.0",  # of ECQA; the hub says nothing
    families=["commonsense_qa"],
    languages=["en"],
    sizes={"train": 7_112},
)
