"""AESLC: which subject line fits an e-mail of the Enron corpus? Zhang and Tetreault 2019, https://aclanthology.org/P19-1043"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Summarization

task = Task(
    schema=Summarization,
    source=Hub(
        "Yale-LILY/aeslc",
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},  # none is hidden
    ),
    columns={
        "document": text("email_body"),  # with its line ends, and with the headers of forwarded mail
        "form": pl.lit("a subject line"),
        "summaries": text("subject_line").str.replace_all(r"\s+", " "),
    },
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="unknown",
    families=["aeslc"],
    languages=["en"],
    sizes={"train": 14_436, "validation": 1_960, "test": 1_906},
)
