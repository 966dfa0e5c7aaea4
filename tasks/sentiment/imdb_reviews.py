"""IMDB: is a film review positive or negative? Maas et al. 2011, https://aclanthology.org/P11-1015"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    source=Hub("stanfordnlp/imdb", config="plain_text", revision="main", splits={"train": "train", "test": "test"}),
    columns={
        "text": text(pl.col("text").str.replace_all(r"<br\s*/?>", "\n")),
        "label": labels("label", ["negative", "positive"], names=["neg", "pos"]),
    },
    metrics=["accuracy"],
    license="other",
    families=["imdb"],
    languages=["en"],
    sizes={"train": 25_000, "test": 25_000},
)
