"""CB from JSON Lines: is the writer committed to an embedded clause? https://doi.org/10.18148/sub/2019.v23i2.601"""

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    source=Files({"train": ["cb/train.jsonl", "cb/dev32.jsonl"], "validation": "cb/val.jsonl"}),
    columns={
        "premise": text("premise"),
        "hypothesis": text("hypothesis"),
        "label": labels("label", ["entailment", "contradiction", "neutral"]),
    },
    answers={"entailment": "yes", "contradiction": "no", "neutral": "it is not possible to tell"},
    metrics=["accuracy"],
    license="unknown",
    families=["commitment_bank"],
    languages=["en"],
    sizes={"train": 64, "validation": 56},
)
