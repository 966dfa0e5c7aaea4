"""CNN and Daily Mail: which are the highlights of a news story? See et al. 2017, https://aclanthology.org/P17-1099"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Summarization

# `LONDON, England (CNN) -- `, or `By . Jane Doe . PUBLISHED: . 10:01 EST, 2 May 2013 . | . UPDATED: . …, 2 May 2013 . `
DATELINE = r"^(?:.{0,60}\(CNN[^)]*\)\s*--\s*|(?s:By \. .{0,300}?UPDATED: \. .{0,40}?\d{4} \. ))"

task = Task(
    schema=Summarization,
    source=Hub(
        "abisee/cnn_dailymail",
        config="3.0.0",
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},  # none is hidden
    ),
    columns={
        "document": text("article").str.replace(DATELINE, ""),
        "form": pl.lit("a few short highlights"),
        "summaries": text("highlights").str.replace_all(
            r"(?m)\s+\.$", "."
        ),  # a line each, with a blank before the stop
    },
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="apache-2.0",
    families=["cnn_dailymail"],
    languages=["en"],
    sizes={"train": 287_113, "validation": 13_368, "test": 11_490},
)
