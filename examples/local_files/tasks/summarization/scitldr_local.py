"""SciTLDR from JSON Lines: the abstract of a paper in one sentence. https://aclanthology.org/2020.findings-emnlp.428"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import Summarization

task = Task(
    schema=Summarization,
    source=Files({"train": "scitldr/train.jsonl", "validation": "scitldr/dev.jsonl", "test": "scitldr/test.jsonl"}),
    columns={
        # A list of sentences, some of which begin or end with line ends.
        "document": pl.col("source").list.eval(text(pl.element())).list.join(" ").str.strip_chars(),
        "summaries": pl.col("target").list.eval(text(pl.element())),  # dev and test have up to four of a paper
    },
    key="paper_id",
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="apache-2.0",
    families=["scitldr"],
    languages=["en"],
    sizes={"train": 1_992, "validation": 619, "test": 618},
)
