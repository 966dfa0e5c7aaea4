"""Cosmos QA from CSV: what lies between the lines of a blog? https://aclanthology.org/D19-1243"""

from instruction_kit import Files, Task, index, options, text
from instruction_kit.schema import MultipleChoice

task = Task(
    schema=MultipleChoice,
    source=Files({"train": "cosmos_qa/valid.csv"}),  # the published validation rows, the only ones here
    columns={
        "context": text("context"),
        "question": text("question"),
        "options": options("answer0", "answer1", "answer2", "answer3"),
        "answer": index("label"),
    },
    key="id",
    license="cc-by-4.0",
    families=["cosmos_qa"],
    sizes={"train": 2_985},
)
