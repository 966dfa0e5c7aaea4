"""WiC from JSON Lines: does a word mean the same in two sentences? https://aclanthology.org/N19-1128"""

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import WordInContext

task = Task(
    schema=WordInContext,
    # train and dev32 are two samples of the same published split
    source=Files({"train": ["wic/train.jsonl", "wic/dev32.jsonl"], "validation": "wic/val.jsonl"}),
    columns={
        "word": text("word"),
        "sentence1": text("sentence1"),
        "sentence2": text("sentence2"),
        "sense": labels("label", {True: "same", False: "different"}),
    },
    answers={"same": "yes", "different": "no"},
    families=["wic"],
    sizes={"train": 64, "validation": 638},
)
