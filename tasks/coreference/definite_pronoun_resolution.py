"""Definite pronoun resolution: whom does the pronoun of a twin sentence mean? Rahman and Ng 2012, https://aclanthology.org/D12-1071"""

import polars as pl

from instruction_kit import Hub, Task, index, text
from instruction_kit.schema import Coreference

task = Task(
    schema=Coreference,
    source=Hub(
        "community-datasets/definite_pronoun_resolution",
        config="plain_text",
        revision="main",
        splits={"train": "train", "test": "test"},  # twins stand side by side, in one split
    ),
    columns={
        "text": text("sentence"),
        "mention": text("pronoun"),
        "options": pl.col("candidates").list.eval(text(pl.element())),
        "answer": index("label"),
    },
    metrics=["accuracy"],
    license="unknown",
    families=["definite_pronoun_resolution"],
    languages=["en"],
    sizes={"train": 1_322, "test": 564},
)
