"""SST: how positive is a sentence of a film review, on a scale of five? A line behind its label. https://aclanthology.org/D13-1170"""

import polars as pl

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import Classification

SCALE = ["very negative", "negative", "neutral", "positive", "very positive"]

task = Task(
    schema=Classification,
    # stsa.binary.* have the same sentences without the neutral ones, so they stay out.
    source=Files(
        {"train": "sst/stsa.fine.train", "validation": "sst/stsa.fine.dev", "test": "sst/stsa.fine.test"},
        format="lines",
    ),
    columns={
        "text": text(pl.col("line").str.extract(r"(?s)^\S+ (.*)$")),
        "label": labels(pl.col("line").str.extract(r"^(\S+) "), SCALE),
    },
    families=["sst", "rotten_tomatoes"],  # its sentences are those of mr_local
    sizes={"train": 8_544, "validation": 1_101, "test": 2_210},
)
