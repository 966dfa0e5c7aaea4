"""WinoGrande from JSON Lines: which of two words fills the blank? https://arxiv.org/abs/1907.10641"""

import polars as pl

from instruction_kit import Files, Task, index, options, text
from instruction_kit.schema import Coreference

task = Task(
    schema=Coreference,
    # The .lst files repeat the labels, train_s and train_xs are parts of train_m, and test has no answers.
    source=Files({"train": "winogrande/train_m.jsonl", "validation": "winogrande/dev.jsonl"}),
    columns={
        "text": text("sentence"),
        "mention": pl.lit("_"),
        "options": options("option1", "option2"),
        "answer": index("answer", start=1),
    },
    key="qID",
    license="cc-by-2.0",
    families=["winogrande"],
    sizes={"train": 2_558, "validation": 1_267},
)
