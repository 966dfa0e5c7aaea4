"""WSC from JSON Lines: does a pronoun refer to what somebody says it does? https://cdn.aaai.org/ocs/4492/4492-21843-1-PB.pdf"""

import polars as pl

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import BooleanQA

target, words = pl.col("target").struct, pl.col("text").str.split(" ")
pronoun, place = target.field("span2_text"), target.field("span2_index")
word = words.list.get(place, null_on_oob=True)  # the pronoun with the marks that stand behind it
marked = pl.format("*{}*{}", pronoun, word.str.slice(pronoun.str.len_chars()))

task = Task(
    schema=BooleanQA,
    # train and dev32 are two samples of the same published split
    source=Files({"train": ["wsc/train.jsonl", "wsc/dev32.jsonl"], "validation": "wsc/val.jsonl"}),
    columns={
        "passage": text(pl.concat_list(words.list.head(place), marked, words.list.slice(place + 1)).list.join(" ")),
        "question": pl.format('Does "*{}*" refer to "{}" here?', pronoun, target.field("span1_text")),
        "label": labels("label", {True: "yes", False: "no"}),
    },
    skip=~word.str.starts_with(pronoun),  # the place is that of another word
    license="cc-by-4.0",
    families=["wsc"],
    sizes={"train": 64, "validation": 104},
)
