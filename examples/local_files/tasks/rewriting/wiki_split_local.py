"""WikiSplit from TSV: a long sentence said in two. https://aclanthology.org/D18-1080"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import Rewriting

task = Task(
    schema=Rewriting,
    source=Files(
        {"train": "wiki_split/validation.tsv"},  # the only part that is here
        header=False,
        columns=["one", "two"],
        quoting="none",
    ),
    columns={
        "text": text("one"),
        "manner": pl.lit("as two sentences"),
        "rewrites": text("two").str.replace(" <::::> ", " ", literal=True),
    },
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="cc-by-sa-4.0",
    families=["wiki_split"],
    sizes={"train": 5_000},
)
