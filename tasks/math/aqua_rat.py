"""AQuA-RAT: algebra with five options and a solution in words. Ling et al. 2017, https://aclanthology.org/P17-1015"""

import polars as pl

from instruction_kit import Hub, Task, position, text
from instruction_kit.schema import MultipleChoice

# Most solutions close with "Answer: B", which says nothing where options are listed without letters.
verdict = r"(?i)(^|\n|(\.)\s+)([^\n.]{0,25}\b(answer|option|choice)\b[^\n]{0,25}|[A-E]\.?)$"
working = text("rationale").str.replace(verdict, "${2}")

task = Task(
    schema=MultipleChoice,
    source=Hub(
        "deepmind/aqua_rat",
        config="raw",  # `tokenized` has blanks between all tokens
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},
    ),
    columns={
        "question": text("question"),
        # "A)9 cm"; where two options are the same, either counts as right
        "options": pl.col("options").list.eval(text(pl.element().str.strip_prefix(pl.element().str.slice(0, 2)))),
        "answer": position("correct", within=pl.col("options").list.eval(pl.element().str.slice(0, 1))),
        "rationale": pl.when(working != "").then(working),  # some hold nothing but the letter
    },
    metrics=["accuracy"],
    license="apache-2.0",
    families=["aqua_rat"],
    languages=["en"],
    sizes={"train": 97_467, "validation": 254, "test": 254},
)
