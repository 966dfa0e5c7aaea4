"""Sentiment140: is a tweet in a good or a bad mood? Go et al. 2009, https://www-cs.stanford.edu/people/alecmgo/papers/TwitterDistantSupervision09.pdf"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import Classification

ENTITIES = {"&quot;": '"', "&lt;": "<", "&gt;": ">", "&amp;": "&"}

task = Task(
    schema=Classification,
    # On main there is a loading script alone; the branch of converted files has no configs, but a folder for each.
    source=Hub(
        "stanfordnlp/sentiment140",
        revision="refs/convert/parquet",
        data_dir="sentiment140",
        splits={"train": "train", "test": "test"},
    ),
    columns={
        "text": text(pl.col("text").str.replace_many(ENTITIES)),
        "label": labels("sentiment", {0: "negative", 4: "positive"}),
    },
    skip=pl.col("sentiment") == 2,  # neutral: in test alone, so nothing could learn it
    metrics=["accuracy"],
    license="unknown",
    families=["sentiment140"],
    languages=["en"],
    sizes={"train": 1_600_000, "test": 498},
)
