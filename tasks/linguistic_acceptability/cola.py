"""CoLA: would a native speaker accept a sentence? Warstadt et al. 2019, https://aclanthology.org/Q19-1040"""

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    source=Hub("nyu-mll/glue", config="cola", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={"text": text("sentence"), "label": labels("label", ["unacceptable", "acceptable"])},
    answers={"unacceptable": "unacceptable English", "acceptable": "acceptable English"},
    evaluate="validation",  # the labels of test are hidden: -1
    metrics=["mcc"],
    license="other",
    families=["cola"],
    languages=["en"],
    sizes={"train": 8_551, "validation": 1_043},
)
