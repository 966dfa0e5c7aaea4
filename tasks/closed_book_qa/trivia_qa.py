"""TriviaQA: what is the answer to a question of a quiz league? Joshi et al. 2017, https://aclanthology.org/P17-1147"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import ClosedBookQA

answer = pl.col("answer").struct

task = Task(
    schema=ClosedBookQA,
    source=Hub(
        "mandarjoshi/trivia_qa",
        config="rc.nocontext",  # `rc` brings 16 GB of evidence along
        revision="main",
        splits={"train": "train", "validation": "validation"},
    ),
    columns={
        "question": text("question"),
        "answers": pl.concat_list(text(answer.field("value")), answer.field("aliases").list.eval(text(pl.element())))
        .list.eval(pl.element().filter(pl.element() != ""))
        .list.unique(maintain_order=True),
    },
    skip=answer.field("value") == "<unk>",
    evaluate="validation",  # the answers of test are hidden: '<unk>', without aliases
    metrics=["exact_match", "f1"],
    license="unknown",
    families=["trivia_qa"],
    languages=["en"],
    sizes={"train": 138_384, "validation": 17_944},
)
