"""StrategyQA: yes or no, by facts that the question does not name? Geva et al. 2021, https://aclanthology.org/2021.tacl-1.21"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import BooleanQA

facts = text("facts")

task = Task(
    schema=BooleanQA,
    # All labelled questions, split once more by whoever put them there: its test has questions of cot_strategyqa.
    source=Hub("ChilleD/StrategyQA", revision="main", splits={"train": "train", "test": "test"}),
    columns={
        "question": text("question"),
        "label": labels("answer", {True: "yes", False: "no"}),
        "rationale": pl.when(facts != "").then(facts),
    },
    key="qid",
    metrics=["accuracy"],
    license="mit",
    families=["strategyqa"],
    languages=["en"],
    sizes={"train": 1_603, "test": 687},
)
