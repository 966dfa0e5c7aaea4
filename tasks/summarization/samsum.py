"""SAMSum: what is a chat about, in a sentence or two? Gliwa et al. 2019, https://aclanthology.org/D19-5409"""

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Summarization

task = Task(
    schema=Summarization,
    source=Hub(
        "knkarthick/samsum",
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},  # none is hidden
    ),
    columns={"document": text("dialogue"), "summaries": text("summary")},
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="cc-by-nc-nd-4.0",
    families=["samsum"],
    languages=["en"],
    sizes={"train": 14_732, "validation": 818, "test": 819},
)
