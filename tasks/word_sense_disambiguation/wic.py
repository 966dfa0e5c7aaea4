"""WiC: does a word mean the same in two sentences? Pilehvar and Camacho-Collados 2019, https://aclanthology.org/N19-1128"""

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import WordInContext

task = Task(
    schema=WordInContext,
    source=Hub("aps/super_glue", config="wic", revision="main", splits={"train": "train", "validation": "validation"}),
    columns={
        "word": text("word"),
        "sentence1": text("sentence1"),
        "sentence2": text("sentence2"),
        "sense": labels("label", ["different", "same"], names=["False", "True"]),
    },
    answers={"different": "no", "same": "yes"},
    evaluate="validation",  # the labels of test are hidden: -1
    metrics=["accuracy"],
    license="cc-by-nc-4.0",
    families=["wic"],
    languages=["en"],
    sizes={"train": 5_428, "validation": 638},
)
