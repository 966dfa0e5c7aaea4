"""Symmetric FEVER from JSON Lines: does the evidence bear out or refute a claim? https://arxiv.org/abs/1908.05267"""

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    # v0.1_fever_symmetric_generated.jsonl has none but pairs of these two files, so it stays out.
    source=Files(
        {
            "validation": "fever_symmetric/fever_symmetric_dev.jsonl",
            "test": "fever_symmetric/fever_symmetric_test.jsonl",
        }
    ),
    columns={
        "premise": text("evidence"),
        "hypothesis": text("claim"),
        "label": labels("label", {"SUPPORTS": "entailment", "REFUTES": "contradiction"}),
    },
    answers={"entailment": "yes", "contradiction": "no"},
    key="id",
    license="cc-by-sa-3.0",
    families=["fever"],
    sizes={"validation": 708, "test": 712},
)
