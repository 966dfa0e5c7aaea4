"""TREC: what kind of thing does a question ask for? One question a line behind a number. https://aclanthology.org/C02-1150"""

import polars as pl

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    # raw_TREC.test has the questions of TREC.test.all once more, so it stays out. One line of train holds a stray byte
    # that is a letter in no encoding: as UTF-8 that row is rejected, and the file is read on.
    source=Files({"train": "trec/TREC.train.all", "test": "trec/TREC.test.all"}, format="lines", encoding="utf-8"),
    columns={
        "text": text(pl.col("line").str.extract(r"(?s)^\S+ (.*)$")),
        "label": labels(
            pl.col("line").str.extract(r"^(\S+) "),
            {"0": "description", "1": "entity", "2": "abbreviation", "3": "human", "4": "location", "5": "number"},
        ),
    },
    metrics=["accuracy"],
    license="unknown",
    families=["trec"],
    languages=["en"],
    sizes={"train": 5_452, "test": 500},
)
