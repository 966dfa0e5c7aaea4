"""QNLI: does a sentence hold the answer to a question? Wang et al. 2019, https://arxiv.org/abs/1804.07461"""

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import Answerability

task = Task(
    schema=Answerability,
    source=Hub("nyu-mll/glue", config="qnli", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        "passage": text("sentence"),
        "question": text("question"),
        "label": labels("label", ["answered", "not_answered"], names=["entailment", "not_entailment"]),
    },
    answers={"answered": "yes", "not_answered": "no"},
    evaluate="validation",  # the labels of test are hidden: -1
    metrics=["accuracy"],
    license="cc-by-4.0",
    families=["qnli", "squad"],  # its questions and sentences are those of SQuAD 1.1
    languages=["en"],
    sizes={"train": 104_743, "validation": 5_463},
)
