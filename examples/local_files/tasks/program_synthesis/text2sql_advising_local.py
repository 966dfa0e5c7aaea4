"""Advising from nested JSON: questions about courses and the SQL that answers them. https://aclanthology.org/P18-1033"""

from typing import Any

import polars as pl

from instruction_kit import Files, Task
from instruction_kit.schema import OpenInstruction

FILLED = pl.Struct({"question": pl.String, "query": pl.String})


def filled(row: dict[str, Any]) -> dict[str, str]:
    """The values of one question in the place of names such as number0, in the question and in the query.

    Where a question gives no value, the example that comes with the query stands in its place.
    """
    values = {variable["name"]: variable["example"] for variable in row["variables"]}
    values |= {name: value for name, value in row["sentence"]["variables"].items() if value}
    texts = {"question": row["sentence"]["text"], "query": row["sql"][0]}
    for name in sorted(values, reverse=True):
        texts = {key: text.replace(name, values[name]) for key, text in texts.items()}
    return texts


def questions(items: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each question."""
    each = items.rename({"sentences": "sentence"}).explode("sentence")
    texts = pl.struct("sentence", "sql", "variables").map_elements(filled, return_dtype=FILLED)
    return each.with_columns(texts.struct.unnest(), use=pl.col("sentence").struct["question-split"])


task = Task(
    schema=OpenInstruction,
    source=Files({"train": "text2sql_advising/advising.json"}),
    rows=questions,
    columns={
        "instruction": pl.format("Write an SQL query for this question about university courses: {}", "question"),
        "output": "query",
    },
    skip=pl.col("use") != "train",  # dev, test, and what the makers themselves exclude
    metrics=["exact_match"],
    license="cc-by-4.0",
    families=["text2sql_advising"],
    sizes={"train": 2_629},
)
