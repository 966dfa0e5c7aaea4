"""CommonsenseQA: which answer does common sense give? Talmor et al. 2019, https://aclanthology.org/N19-1421"""

import polars as pl

from instruction_kit import Hub, Task, position, text
from instruction_kit.schema import MultipleChoice

choices = pl.col("choices").struct

task = Task(
    schema=MultipleChoice,
    # Measured only, so its train split is not read; the answers of test are hidden: ''.
    source=Hub("tau/commonsense_qa", revision="main", splits={"validation": "validation"}),
    columns={
        "question": text("question"),
        "options": choices.field("text").list.eval(text(pl.element())),
        "answer": position("answerKey", within=choices.field("label")),
    },
    skip=pl.col("answerKey") == "",
    metrics=["accuracy"],
    license="mit",
    families=["commonsense_qa"],
    languages=["en"],
    sizes={"validation": 1_221},
)
