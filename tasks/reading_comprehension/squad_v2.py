"""SQuAD 2.0: which words of a passage answer the question, if any do? Rajpurkar et al. 2018, https://aclanthology.org/P18-2124"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import AnswerIfStated

found = pl.col("answers").struct.field("text").list.eval(text(pl.element()))

task = Task(
    schema=AnswerIfStated,
    source=Hub(
        "rajpurkar/squad_v2", config="squad_v2", revision="main", splits={"train": "train", "validation": "validation"}
    ),
    columns={
        "passage": text("context"),
        "question": text("question"),
        # A list without texts is the source's way to say that the passage does not answer.
        "answers": pl.when(found.list.len() == 0).then(pl.concat_list(pl.lit("unanswerable"))).otherwise(found),
    },
    evaluate="validation",  # test is not public
    metrics=["exact_match", "f1"],
    license="cc-by-sa-4.0",
    families=["squad"],
    languages=["en"],
    sizes={"train": 130_319, "validation": 11_873},
)
