"""CommonGen: what everyday scene holds all of these things? Lin et al. 2020, https://aclanthology.org/2020.findings-emnlp.165"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import StructToText


def one_row_a_set(sentences: pl.LazyFrame) -> pl.LazyFrame:
    """The source has a row for each sentence; those about the same concepts are references of one example."""
    sets = sentences.group_by("concept_set_idx", maintain_order=True)
    return sets.agg(pl.col("concepts").first(), text("target").alias("sentences"))


task = Task(
    schema=StructToText,
    source=Hub("allenai/common_gen", revision="main", splits={"train": "train", "validation": "validation"}),
    rows=one_row_a_set,
    scope="group:concept_set_idx",
    columns={"data": "concepts", "texts": "sentences"},
    evaluate="validation",  # the sentences of test are hidden
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="mit",
    families=["common_gen"],
    languages=["en"],
    sizes={"train": 32_651, "validation": 993},  # concept sets
)
