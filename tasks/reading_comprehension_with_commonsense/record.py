"""ReCoRD: which name of a news story fills the gap in a later sentence? Zhang et al. 2018, https://arxiv.org/abs/1810.12885"""

import polars as pl

from instruction_kit import Hub, Task, position, text
from instruction_kit.schema import MultipleChoice

right = pl.col("answers").list.eval(text(pl.element()))
names = pl.col("entities").list.eval(text(pl.element()))
# Where several names are right, the others leave, so that one option answers; sorted, since a set has no order.
offered = names.list.set_difference(right.list.slice(1)).list.sort()

task = Task(
    schema=MultipleChoice,
    source=Hub(
        "aps/super_glue", config="record", revision="main", splits={"train": "train", "validation": "validation"}
    ),
    columns={
        "context": text(text("passage").str.replace(r"(?s)\n@highlight.*$", "")),  # a summary that tells too much
        "question": text("query").str.replace_all("@placeholder", "____", literal=True),
        "options": offered,
        "answer": position(right.list.first(), within=offered),
    },
    skip=pl.col("answers").list.len() == 0,
    evaluate="validation",  # the answers of test are hidden: []
    metrics=["accuracy"],
    license="other",
    families=["record", "cnn_dailymail"],  # its stories
    languages=["en"],
    sizes={"train": 100_730, "validation": 10_000},
)
