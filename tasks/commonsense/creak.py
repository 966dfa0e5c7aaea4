"""CREAK: is a claim about a well-known entity true or false? Onoe et al. 2021, https://arxiv.org/abs/2109.01653"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import ClaimCheck

why = text("explanation")

task = Task(
    schema=ClaimCheck,
    source=Hub("amydeng2000/CREAK", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        "claim": text("sentence"),
        "label": labels("label", ["true", "false"]),  # texts; a hub that casts them sorts false before true
        "rationale": pl.when(why != "").then(why),
    },
    key="ex_id",
    evaluate="validation",  # test has no labels
    metrics=["accuracy"],
    license="mit",  # of CREAK; the hub says nothing
    families=["creak"],
    languages=["en"],
    sizes={"train": 10_176, "validation": 1_371},
)
