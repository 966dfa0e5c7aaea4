"""AQuA-RAT: algebra with five options and a worked solution; JSON Lines in .json. https://aclanthology.org/P17-1015"""

import polars as pl

from instruction_kit import Files, Task, position, text
from instruction_kit.schema import MultipleChoice

# Most solutions close with "Answer: B", which says nothing where options are listed without letters.
verdict = r"(?i)(\n|\.\s+)[^\n.]{0,25}\b(answer|option|choice)\b[^\n]{0,25}$"
working = text("rationale").str.replace(verdict, "")

task = Task(
    schema=MultipleChoice,
    source=Files({"train": "aqua_rat/dev.json", "test": "aqua_rat/test.json"}, format="jsonl"),
    columns={
        "question": text("question"),
        # "A)9 cm"; in eight rows two options are the same, and either counts as right where they are
        "options": pl.col("options").list.eval(text(pl.element().str.strip_prefix(pl.element().str.slice(0, 2)))),
        "answer": position("correct", within=pl.col("options").list.eval(pl.element().str.slice(0, 1))),
        "rationale": pl.when(working != "").then(working),
    },
    license="apache-2.0",
    families=["aqua_rat"],
    sizes={"train": 254, "test": 254},
)
