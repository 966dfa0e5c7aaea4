"""Gigaword: which headline fits the first sentence of a news story? Rush et al. 2015, https://aclanthology.org/D15-1044"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Summarization

both = pl.concat_str("document", "summary", separator="\n")

task = Task(
    schema=Summarization,
    source=Hub(
        "Harvard/gigaword",
        revision="refs/convert/parquet",
        splits={"train": "train", "validation": "validation", "test": "test"},  # none is hidden
    ),
    columns={
        "document": text("document"),  # in lower case, tokenised
        "form": pl.lit("a headline"),
        "summaries": text("summary"),
    },
    skip=both.str.contains(
        "#|UNK|<unk>"
    ),  # digits and rare words that the source has masked; FLAN drops these rows too
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="mit",
    status="unverified",
    families=["gigaword"],
    languages=["en"],
    sizes={"train": 3_803_957, "validation": 189_651, "test": 1_951},
)
