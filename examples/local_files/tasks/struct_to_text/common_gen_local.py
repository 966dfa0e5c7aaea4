"""CommonGen: words in one file, a sentence of them in another, line by line. https://aclanthology.org/2020.findings-emnlp.165"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import StructToText


def word_sets(lines: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each set of words, with all its sentences, each once. An apostrophe was lost in three of them."""
    sentence = text("sentence").str.replace_all("\ufffd\ufffd", "'")
    first = pl.col("_file", "_index").first()
    return lines.group_by("words", maintain_order=True).agg(first, sentence.unique(maintain_order=True))


task = Task(
    schema=StructToText,
    source=Files(
        {
            split: {"words": f"common_gen/{name}_src.txt", "sentence": f"common_gen/{name}_trg.txt"}
            for split, name in {"train": "train", "validation": "valid", "test": "test"}.items()
        }
    ),
    rows=word_sets,
    scope="split",
    columns={"data": pl.col("words").str.split(" "), "texts": "sentence"},
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="mit",
    families=["common_gen"],
    sizes={"train": 7_732, "validation": 993, "test": 1_497},
)
