"""WMT 2014, English to French: what does a sentence of the news say? Bojar et al. 2014, https://aclanthology.org/W14-3302"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Translation

pair = pl.col("translation").struct

task = Task(
    schema=Translation,
    # Train has 40,836,715 rows, 15 GB, corpus by corpus: what is streamed is the beginning of Europarl. No split is
    # hidden.
    source=Hub(
        "wmt/wmt14",
        config="fr-en",
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},
        streaming=True,
        first=300_000,
    ),
    columns={
        "text": text(pair.field("en")),
        "source_language": pl.lit("English"),  # the other direction is that of the inverted templates, as in FLAN
        "target_language": pl.lit("French"),
        "translations": text(pair.field("fr")),
    },
    metrics=["bleu", "chrf"],
    license="unknown",
    families=["wmt14_fr_en"],
    languages=["en", "fr"],
    sizes={"train": 300_000, "validation": 3_000, "test": 3_003},
)
