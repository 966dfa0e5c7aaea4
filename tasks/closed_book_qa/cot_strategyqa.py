"""StrategyQA in FLAN 2022's text: yes or no, in steps not named. Geva et al. 2021, https://aclanthology.org/2021.tacl-1.21"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import BooleanQA

task = Task(
    schema=BooleanQA,
    source=Hub("chiayewken/flan-cot", config="strategyqa", revision="main", splits={"train": "train"}),
    columns={
        "question": text("question"),
        "label": labels(text("answer"), ["yes", "no"]),
        "rationale": text(pl.col("explanation").str.replace_all(r"\n", "\n", literal=True)),  # its facts, one by one
    },
    metrics=["accuracy"],
    license="mit",
    families=["strategyqa"],
    languages=["en"],
    sizes={"train": 2_061},
)
