"""Flan's chain-of-thought file of CREAK: claims about things that everybody knows. https://arxiv.org/abs/2109.01653"""

import polars as pl

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import ClaimCheck

task = Task(
    schema=ClaimCheck,
    source=Files(
        {"train": "flan_cot/creak_train.tsv"}, header=False, columns=["asked", "answer", "why"], quoting="none"
    ),
    columns={
        "claim": text(
            pl.col("asked").str.extract(r'^[^"]*"(.*)"[^"]*$')
        ),  # the claim; around it stands Flan's question
        "label": labels("answer", {"yes": "true", "no": "false"}),
        "rationale": text("why"),
    },
    license="apache-2.0",
    families=["creak"],
    sizes={"train": 6_915},
)
