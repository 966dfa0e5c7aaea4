"""Schema-Guided Dialogue from nested JSON: what does the assistant say next? https://arxiv.org/abs/1909.05855"""

import polars as pl

from instruction_kit import Files, Task
from instruction_kit.schema import Dialogue

SPEAKERS = {"USER": "User", "SYSTEM": "Assistant"}
said = pl.element().struct["utterance"]
line = pl.format("{}: {}", pl.element().struct["speaker"].replace(SPEAKERS), said)


def replies(dialogues: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each turn of the assistant; the two take turns, and the user begins."""
    turns = pl.col("turns").list
    at = pl.int_ranges(1, turns.len(), step=2)
    told = dialogues.with_columns(lines=turns.eval(line), replies=turns.eval(said), at=at).explode("at")
    return told.with_columns(before=pl.col("lines").list.head("at"), reply=pl.col("replies").list.get("at"))


task = Task(
    schema=Dialogue,
    source=Files({"train": "sgd/dialogues_007.json"}),  # schema.json says what the services can do
    rows=replies,
    columns={"turns": "before", "responses": "reply"},
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="cc-by-sa-4.0",
    families=["sgd"],
    sizes={"train": 499},
)
