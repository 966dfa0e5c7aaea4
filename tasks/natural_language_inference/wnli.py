"""WNLI: does a sentence follow with its pronoun replaced? Levesque et al. 2012, as in GLUE, https://arxiv.org/abs/1804.07461"""

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    source=Hub("nyu-mll/glue", config="wnli", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        "premise": text("sentence1"),
        "hypothesis": text("sentence2"),
        "label": labels("label", ["not_entailment", "entailment"]),  # not the order of RTE and QNLI
    },
    answers={"not_entailment": "no", "entailment": "yes"},
    evaluate="validation",  # the labels of test are hidden: -1
    metrics=["accuracy"],
    license="other",
    families=["wnli", "wsc"],  # its sentences are those of the Winograd schemas
    languages=["en"],
    sizes={"train": 635, "validation": 71},
)
