"""OpenBookQA from TSV: which of four endings fits, all of them in one cell? https://arxiv.org/abs/1809.02789"""

import polars as pl

from instruction_kit import Files, Task, position, text
from instruction_kit.schema import MultipleChoice

# "(A) puppies (B) kittens (C) …": the marks are the letters in brackets, the options stand between them.
choices, mark = pl.col("Choices"), r"\(([A-Z])\) "
letters = choices.str.extract_all(mark).list.eval(pl.element().str.extract(mark))

task = Task(
    schema=MultipleChoice,
    source=Files(
        {"train": "openbookqa/train.tsv", "validation": "openbookqa/dev.tsv", "test": "openbookqa/test.tsv"},
    ),
    columns={
        "question": text("Question Stem"),
        "options": choices.str.replace_all(mark, "\x1f").str.split("\x1f").list.slice(1).list.eval(text(pl.element())),
        "answer": position("Answer Key", within=letters),
    },
    skip=letters.list.n_unique() != letters.list.len(),  # a letter that stands twice names no option
    key="ID",
    metrics=["accuracy"],
    license="unknown",
    families=["openbookqa"],
    languages=["en"],
    sizes={"train": 4_957, "validation": 500, "test": 500},
)
