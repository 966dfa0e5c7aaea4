"""AG News: which of four topics is a news item about? Zhang et al. 2015, https://arxiv.org/abs/1509.01626"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import Classification

# What is left in the source of apostrophes, tags and line ends.
item = (
    pl.col("text")
    .str.replace_all(r"\s*#39;", "'")
    .str.replace_all(r"&lt;.*?&gt;", "")
    .str.replace_all(r"\s*\\+\s*", " ")
)

task = Task(
    schema=Classification,
    source=Hub("fancyzhx/ag_news", revision="main", splits={"train": "train", "test": "test"}),
    columns={
        "text": text(item),
        "label": labels(
            "label",
            ["world", "sports", "business", "science and technology"],
            names=["World", "Sports", "Business", "Sci/Tech"],
        ),
    },
    metrics=["accuracy"],
    license="unknown",
    families=["ag_news"],
    languages=["en"],
    sizes={"train": 120_000, "test": 7_600},
)
