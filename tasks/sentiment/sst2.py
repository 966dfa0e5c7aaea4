"""SST-2: is a phrase from a film review positive or negative? Socher et al. 2013, https://aclanthology.org/D13-1170"""

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    source=Hub("nyu-mll/glue", config="sst2", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={"text": text("sentence"), "label": labels("label", ["negative", "positive"])},
    evaluate="validation",  # the labels of test are hidden: -1
    metrics=["accuracy"],
    license="unknown",
    families=["sst", "rotten_tomatoes"],  # its sentences are those of Pang and Lee's polarity set
    languages=["en"],
    sizes={"train": 67_349, "validation": 872},
)
