"""Punctuation: where do the marks of a sentence belong? FLAN's task, here over WMT 2016, https://arxiv.org/abs/2109.01652"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Rewriting

whole = text(pl.col("translation").struct.field("en"))
bare = whole.str.replace_all(r"[^\w\s]", "").str.replace_all(r"\s+", " ").str.strip_chars()

task = Task(
    schema=Rewriting,
    source=Hub(
        "wmt/wmt16",  # FLAN takes English lines of ParaCrawl, which the hub has only as a loading script
        config="ro-en",
        splits={"train": "train", "validation": "validation", "test": "test"},
    ),
    columns={"text": bare, "manner": pl.lit("with all punctuation in its place"), "rewrites": whole},
    skip=bare == whole,  # nothing to put back
    metrics=["exact_match"],
    license="unknown",
    families=["wmt16"],
    languages=["en"],
    sizes={"train": 610_320, "validation": 1_999, "test": 1_999},
)
