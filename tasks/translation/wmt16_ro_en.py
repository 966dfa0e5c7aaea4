"""WMT 2016, Romanian to English: what does a sentence say? Bojar et al. 2016, https://aclanthology.org/W16-2301"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Translation

pair = pl.col("translation").struct

task = Task(
    schema=Translation,
    source=Hub(
        "wmt/wmt16",
        config="ro-en",
        splits={"train": "train", "validation": "validation", "test": "test"},
    ),
    columns={
        "text": text(pair.field("ro")),
        "source_language": pl.lit("Romanian"),
        "target_language": pl.lit("English"),
        "translations": text(pair.field("en")),
    },
    metrics=["bleu"],
    license="unknown",
    families=["wmt16"],
    languages=["ro", "en"],
    sizes={"train": 610_320, "validation": 1_999, "test": 1_999},
)
