"""Subj: does a sentence tell of a film, or what somebody thinks of it? In cp1252. https://aclanthology.org/P04-1035"""

import polars as pl

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    # As latin-1 the byte 0x85 would be a control character, and not the ellipsis that it is.
    source=Files({"train": "subj/subj.all"}, format="lines", encoding="cp1252"),
    columns={
        "text": text(pl.col("line").str.extract(r"(?s)^\S+ (.*)$")),
        "label": labels(pl.col("line").str.extract(r"^(\S+) "), ["subjective", "objective"]),
    },
    license="cc-by-4.0",
    families=["subj", "rotten_tomatoes"],  # of the subjective half, most are sentences of mr_local
    sizes={"train": 10_000},
)
