"""CREAK in FLAN 2022's text: does a claim about an entity hold? Onoe et al. 2021, https://arxiv.org/abs/2109.01653"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import ClaimCheck

task = Task(
    schema=ClaimCheck,
    source=Hub("chiayewken/flan-cot", config="creak", revision="main", splits={"train": "train"}),
    columns={
        "claim": text(
            pl.col("question").str.extract(r'(?s)^[^"]*"(.*)"[^"]*$')
        ),  # around the claim stands FLAN's question
        "label": labels(text("answer"), {"yes": "true", "no": "false"}),
        "rationale": text("explanation"),
    },
    metrics=["accuracy"],
    license="mit",  # of CREAK; the hub says nothing
    families=["creak"],
    languages=["en"],
    sizes={"train": 6_915},
)
