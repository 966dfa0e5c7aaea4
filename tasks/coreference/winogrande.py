"""WinoGrande: which of two names belongs into the blank? Sakaguchi et al. 2020, https://arxiv.org/abs/1907.10641"""

import polars as pl

from instruction_kit import Hub, Task, index, options, text
from instruction_kit.schema import Coreference

task = Task(
    schema=Coreference,
    source=Hub(
        "allenai/winogrande",
        config="winogrande_xl",
        revision="main",
        splits={"train": "train", "validation": "validation"},
    ),
    columns={
        "text": text("sentence"),
        "mention": pl.lit("_"),
        "options": options("option1", "option2"),
        "answer": index("answer", start=1),
    },
    evaluate="validation",  # the answers of test are hidden
    metrics=["accuracy"],
    license="apache-2.0",
    families=["winogrande"],
    languages=["en"],
    sizes={"train": 40_398, "validation": 1_267},
)
