"""RTE: does a news passage entail a sentence? Dagan et al. 2005 and after, https://doi.org/10.1007/11736790_9"""

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    source=Hub("aps/super_glue", config="rte", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        "premise": text("premise"),
        "hypothesis": text("hypothesis"),
        "label": labels("label", ["entailment", "not_entailment"]),
    },
    answers={"entailment": "yes", "not_entailment": "no"},
    evaluate="validation",  # the labels of test are hidden: -1
    metrics=["accuracy"],
    license="other",
    families=["rte"],
    languages=["en"],
    sizes={"train": 2_490, "validation": 277},
)
