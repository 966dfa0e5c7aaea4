"""DialogSum from JSON Lines: what was talked about, in short. https://aclanthology.org/2021.findings-acl.449"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import Summarization


def gathered(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The summaries as one list: dev has `summary`, test has `summary1` to `summary3`."""
    return rows.with_columns(summaries=pl.concat_list(text(pl.col("^summary[1-3]?$"))))


task = Task(
    schema=Summarization,
    source=Files({"train": "dialogsum/dialogsum.dev.jsonl", "test": "dialogsum/dialogsum.test.jsonl"}),
    rows=gathered,
    columns={"document": text("dialogue"), "summaries": "summaries"},
    key="fname",
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="cc-by-nc-sa-4.0",
    families=["dialogsum", "daily_dialog", "dream", "mutual"],  # whose dialogues it sums up
    sizes={"train": 500, "test": 500},
)
