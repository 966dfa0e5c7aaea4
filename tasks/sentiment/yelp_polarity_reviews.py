"""Yelp: is a review of a business positive or negative? Zhang et al. 2015, https://arxiv.org/abs/1509.01626"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import Classification

# The cells of the csv kept their escapes: line ends as two characters, quotes doubled behind a backslash.
review = (
    pl.col("text")
    .str.replace_all(r"\n", "\n", literal=True)
    .str.replace_all(r'\""', '"', literal=True)
    .str.replace_all('""', '"', literal=True)
)

task = Task(
    schema=Classification,
    source=Hub(
        "fancyzhx/yelp_polarity", config="plain_text", revision="main", splits={"train": "train", "test": "test"}
    ),
    columns={"text": text(review), "label": labels("label", ["negative", "positive"], names=["1", "2"])},
    metrics=["accuracy"],
    license="unknown",
    families=["yelp"],
    languages=["en"],
    sizes={"train": 560_000, "test": 38_000},
)
