"""GAP from TSV: which of two names, if any, does a pronoun stand for? https://aclanthology.org/Q18-1042"""

import polars as pl

from instruction_kit import Files, Task, index, options, text
from instruction_kit.schema import Coreference

pronoun, start = pl.col("Pronoun"), pl.col("Pronoun-offset").cast(pl.Int64)
marked = pl.format("[{}]", pronoun)  # the same word may stand there again
before, after = pl.col("Text").str.slice(0, start), pl.col("Text").str.slice(start + pronoun.str.len_chars())
neither = pl.when(pl.col("A-coref") == "FALSE", pl.col("B-coref") == "FALSE")

task = Task(
    schema=Coreference,
    source=Files({"train": "gap/gap-development.tsv", "validation": "gap/gap-validation.tsv"}, quoting="none"),
    columns={
        "text": text(pl.concat_str(before, marked, after)),
        "mention": marked,
        "options": options("A", "B", pl.lit("neither of them")),
        "answer": index(neither.then(2).when(pl.col("A-coref") == "TRUE").then(0).otherwise(1)),
    },
    key="ID",
    license="apache-2.0",
    families=["gap"],
    sizes={"train": 2_000, "validation": 454},
)
