"""BLiMP from JSON Lines: which of two sentences that hardly differ is grammatical? https://arxiv.org/abs/1912.00582"""

import polars as pl

from instruction_kit import Files, Task, index, options, text
from instruction_kit.schema import MultipleChoice

# The good sentence has a column of its own; as an option it stands first in the even pairs and second in the odd ones.
turn = pl.col("pairID").cast(pl.Int64, strict=False) % 2
first = pl.when(turn == 0).then("sentence_good").otherwise("sentence_bad")
second = pl.when(turn == 0).then("sentence_bad").otherwise("sentence_good")

task = Task(
    schema=MultipleChoice,
    source=Files({"train": "blimp/*.jsonl"}),
    columns={
        # Both stand in the question, so that it can be answered where no options are listed.
        "question": pl.format('Which is better English: "{}" or "{}"?', text(first), text(second)),
        "options": options(first, second),
        "answer": index(turn),
    },
    license="cc-by-4.0",
    families=["blimp"],
    sizes={"train": 4_000},
)
