"""CB: is the writer committed to an embedded clause? De Marneffe et al. 2019, https://doi.org/10.18148/sub/2019.v23i2.601"""

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    source=Hub("aps/super_glue", config="cb", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        "premise": text("premise"),
        "hypothesis": text("hypothesis"),
        "label": labels("label", ["entailment", "contradiction", "neutral"]),  # not SNLI's order
    },
    answers={"entailment": "yes", "contradiction": "no", "neutral": "it is not possible to tell"},
    evaluate="validation",  # the labels of test are hidden: -1
    metrics=["accuracy"],
    license="other",
    families=["commitment_bank"],
    languages=["en"],
    sizes={"train": 250, "validation": 56},
)
