"""MR: sentences of film reviews, one a line behind its label, in cp1252. https://aclanthology.org/P05-1015"""

import polars as pl

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    # As latin-1 the bytes 0x80 to 0x9F would become control characters instead of dashes, quotes and ellipses.
    source=Files({"train": "mr/rt-polarity.all"}, format="lines", encoding="cp1252"),
    columns={
        "text": text(pl.col("line").str.extract(r"(?s)^\S+ (.*)$")),
        "label": labels(pl.col("line").str.extract(r"^(\S+) "), {"0": "negative", "1": "positive"}),
    },
    metrics=["accuracy"],
    license="cc-by-4.0",
    families=["rotten_tomatoes"],
    languages=["en"],
    sizes={"train": 10_662},
)
