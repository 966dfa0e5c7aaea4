"""Disfl-QA from JSON: a spoken question with its slips, and what was meant. https://aclanthology.org/2021.findings-acl.293"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import Rewriting

# What annotators who could not think of one, or a spreadsheet, have left in the place of a question.
NO_QUESTION = r'(?i)^(#VALUE!|\\"\\"|((no )?question |answer )?n/a|no question\.?)$'

task = Task(
    schema=Rewriting,
    source=Files(
        {"train": "disfl_qa/train.json", "validation": "disfl_qa/dev.json", "test": "disfl_qa/test.json"}, shape="keyed"
    ),
    columns={
        "text": text("disfluent"),
        "manner": pl.lit("without the false start"),
        "rewrites": text("original"),
    },
    skip=text("disfluent").str.contains(NO_QUESTION),
    key="key",
    metrics=["exact_match"],
    license="cc-by-4.0",
    families=["disfl_qa", "squad"],
    sizes={"train": 7_182, "validation": 1_000, "test": 3_643},
)
