"""WMT 2016, English to Romanian: what does a sentence of the news say? Bojar et al. 2016, https://aclanthology.org/W16-2301"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Translation

pair = pl.col("translation").struct

task = Task(
    schema=Translation,
    # Train is sorted by the corpora that it was put together from. No split is hidden.
    source=Hub(
        "wmt/wmt16",
        config="ro-en",
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},
    ),
    columns={
        "text": text(pair.field("en")),
        "source_language": pl.lit("English"),  # the other direction is that of the inverted templates, as in FLAN
        "target_language": pl.lit("Romanian"),
        "translations": text(pair.field("ro")),
    },
    metrics=["bleu", "chrf"],
    license="unknown",
    families=["wmt16_ro_en"],
    languages=["en", "ro"],
    sizes={"train": 610_320, "validation": 1_999, "test": 1_999},
)
