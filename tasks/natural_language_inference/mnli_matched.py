"""MNLI, matched: does a sentence follow from one of the same kinds of text as in training? Williams et al. 2018, https://aclanthology.org/N18-1101"""

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    # Both MNLI tasks train on the same rows, as in FLAN; only the config `mnli` has them.
    source=Hub(
        "nyu-mll/glue",
        config="mnli",
        revision="main",
        splits={"train": "train", "validation": "validation_matched"},
    ),
    columns={
        "premise": text("premise"),
        "hypothesis": text("hypothesis"),
        "label": labels("label", ["entailment", "neutral", "contradiction"]),
    },
    answers={"entailment": "yes", "neutral": "it is not possible to tell", "contradiction": "no"},
    evaluate="validation",  # the labels of test_matched are hidden: -1
    metrics=["accuracy"],
    license="other",
    families=["mnli"],
    languages=["en"],
    sizes={"train": 392_702, "validation": 9_815},
)
