"""English to Spanish: what does a sentence from the web say? OPUS-100, Zhang et al. 2020, https://aclanthology.org/2020.acl-main.148"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Translation

pair = pl.col("translation").struct

task = Task(
    schema=Translation,
    # In the place of ParaCrawl, FLAN's source, which the hub has as a loading script alone: OPUS-100 has subtitles,
    # proceedings, manuals and web pages. No split is hidden.
    source=Hub(
        "Helsinki-NLP/opus-100",
        config="en-es",
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},
    ),
    columns={
        "text": text(pair.field("en")),
        "source_language": pl.lit("English"),  # the other direction is that of the inverted templates, as in FLAN
        "target_language": pl.lit("Spanish"),
        "translations": text(pair.field("es")),
    },
    metrics=["bleu", "chrf"],
    license="unknown",  # a mix of corpora
    status="unverified",
    families=["opus_100_en_es"],
    languages=["en", "es"],
    sizes={"train": 1_000_000, "validation": 2_000, "test": 2_000},
)
