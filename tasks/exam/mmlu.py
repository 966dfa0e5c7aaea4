"""MMLU: which answer to an exam question of one of 57 subjects is right? Hendrycks et al. 2021, https://arxiv.org/abs/2009.03300"""

import polars as pl

from instruction_kit import Hub, Task, index, text
from instruction_kit.schema import MultipleChoice

task = Task(
    schema=MultipleChoice,
    # Measured only: `auxiliary_train` comes from other datasets.
    source=Hub(
        "cais/mmlu",
        config="all",
        revision="main",
        splits={"validation": "validation", "test": "test", "exemplars": "dev"},
    ),
    columns={
        "context": pl.format("The subject is {}.", text("subject").str.replace_all("_", " ", literal=True)),
        "question": text("question"),
        "options": pl.col("choices").list.eval(text(pl.element())),
        "answer": index("answer"),
    },
    metrics=["accuracy"],
    license="mit",
    families=["mmlu"],
    languages=["en"],
    sizes={"validation": 1_531, "test": 14_042, "exemplars": 285},
)
