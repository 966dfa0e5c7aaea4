"""MRPC: do two sentences from the news say the same? Dolan and Brockett 2005, https://aclanthology.org/I05-5002"""

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import Paraphrase

task = Task(
    schema=Paraphrase,
    # The only test split of GLUE that is labelled.
    source=Hub(
        "nyu-mll/glue",
        config="mrpc",
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},
    ),
    columns={
        "sentence1": text("sentence1"),
        "sentence2": text("sentence2"),
        "label": labels("label", ["not_paraphrase", "paraphrase"], names=["not_equivalent", "equivalent"]),
    },
    answers={"not_paraphrase": "no", "paraphrase": "yes"},
    metrics=["accuracy"],
    license="other",
    families=["mrpc"],
    languages=["en"],
    sizes={"train": 3_668, "validation": 408, "test": 1_725},
)
