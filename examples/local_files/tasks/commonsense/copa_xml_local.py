"""COPA in its original XML: which event is the likelier cause or effect? https://people.ict.usc.edu/~gordon/copa.html"""

import polars as pl

from instruction_kit import Files, Task, index, options, text
from instruction_kit.schema import MultipleChoice

QUESTIONS = {"cause": "What was the cause of this?", "effect": "What happened as a result?"}

task = Task(
    schema=MultipleChoice,
    # Both files name a DTD that is not there; it is never looked for.
    source=Files({"train": "copa_xml/copa-dev.xml", "test": "copa_xml/copa-test.xml"}, records="item"),
    columns={
        "context": text("p"),
        "question": pl.col("@asks-for").replace_strict(QUESTIONS, default=None, return_dtype=pl.String),
        "options": options("a1", "a2"),
        "answer": index("@most-plausible-alternative", start=1),
    },
    key="@id",
    families=["copa"],
    sizes={"train": 500, "test": 500},
)
