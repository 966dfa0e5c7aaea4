"""Sen-Making, the pilot of ComVE: which of two sentences makes no sense? Wang et al. 2019, https://aclanthology.org/P19-1393"""

import polars as pl

from instruction_kit import Hub, Task, index, options, text
from instruction_kit.schema import MultipleChoice

reason = pl.col("reason")
chosen = text(pl.when(reason == "A").then("A").when(reason == "B").then("B").when(reason == "C").then("C"))
why = chosen.str.strip_chars_end(".")  # many begin small and end without a stop

task = Task(
    schema=MultipleChoice,
    source=Hub("tasksource/sen-making", revision="main", splits={"train": "train"}),  # all there is
    columns={
        "question": pl.format(
            'Which of these goes against common sense: "{}" or "{}"?', text("sentence0"), text("sentence1")
        ),
        "options": options("sentence0", "sentence1"),
        "answer": index("false"),  # where the nonsense stands, by the name of the column: not seen
        # two of the three reasons are made to mislead
        "rationale": pl.when(why != "").then(why.str.slice(0, 1).str.to_uppercase() + why.str.slice(1) + "."),
    },
    skip=pl.col("sentence0") == pl.col("sentence1"),
    metrics=["accuracy"],
    license="unknown",
    families=["sen_making"],
    languages=["en"],
    sizes={"train": 2_021},
)
