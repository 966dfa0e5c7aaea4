"""BoolQ from JSON Lines: yes or no, by a passage of Wikipedia? https://aclanthology.org/N19-1300"""

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import BooleanQA

task = Task(
    schema=BooleanQA,
    # train and dev32 are two samples of the same published split
    source=Files({"train": ["boolq/train.jsonl", "boolq/dev32.jsonl"], "validation": "boolq/val.jsonl"}),
    columns={
        "passage": text("passage"),
        "question": text("question"),
        "label": labels("label", {True: "yes", False: "no"}),
    },
    license="cc-by-sa-3.0",
    families=["boolq", "natural_questions"],  # a part of its questions is from there
    sizes={"train": 64, "validation": 3_270},
)
