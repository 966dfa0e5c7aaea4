"""Flan's chain-of-thought file of StrategyQA: yes or no, in steps nobody names. https://aclanthology.org/2021.tacl-1.21"""

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import BooleanQA

task = Task(
    schema=BooleanQA,
    source=Files(
        {"train": "flan_cot/strategyqa_train.tsv"}, header=False, columns=["asked", "answer", "why"], quoting="none"
    ),
    columns={"question": text("asked"), "label": labels("answer", ["yes", "no"]), "rationale": text("why")},
    license="apache-2.0",
    families=["strategyqa"],
    sizes={"train": 2_061},
)
