"""RTE from JSON Lines: does a news passage entail a sentence? https://doi.org/10.1007/11736790_9"""

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    # train and dev32 are two samples of the same published split
    source=Files({"train": ["rte/train.jsonl", "rte/dev32.jsonl"], "validation": "rte/val.jsonl"}),
    columns={
        "premise": text("premise"),
        "hypothesis": text("hypothesis"),
        "label": labels("label", ["entailment", "not_entailment"]),
    },
    answers={"entailment": "yes", "not_entailment": "no"},
    metrics=["accuracy"],
    license="unknown",
    families=["rte"],
    languages=["en"],
    sizes={"train": 64, "validation": 277},
)
