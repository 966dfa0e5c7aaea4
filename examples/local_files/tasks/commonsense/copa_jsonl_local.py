"""COPA from JSON Lines: which of two events is the likelier cause or effect? https://people.ict.usc.edu/~gordon/copa.html"""

import polars as pl

from instruction_kit import Files, Task, index, options, text
from instruction_kit.schema import MultipleChoice

QUESTIONS = {"cause": "What was the cause of this?", "effect": "What happened as a result?"}

task = Task(
    schema=MultipleChoice,
    # train and dev32 are two samples of the same published split. Beside copa_xml_local nothing here is unseen: its
    # train rows hold all of these.
    source=Files({"train": ["copa_jsonl/train.jsonl", "copa_jsonl/dev32.jsonl"], "validation": "copa_jsonl/val.jsonl"}),
    columns={
        "context": text("premise"),
        "question": pl.col("question").replace_strict(QUESTIONS, default=None, return_dtype=pl.String),
        "options": options("choice1", "choice2"),
        "answer": index("label"),
    },
    families=["copa"],
    sizes={"train": 64, "validation": 100},
)
