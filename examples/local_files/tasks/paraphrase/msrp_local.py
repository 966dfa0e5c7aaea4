"""MSRP from tab-separated .txt: do two sentences of the news say the same? https://aclanthology.org/I05-5002"""

import polars as pl

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import Paraphrase

LEFTOVERS = {"\x12": "'", "&apos;": "'"}  # an apostrophe of cp1252 without its highest bit, and an entity

task = Task(
    schema=Paraphrase,
    # Quotes stand where they will: read as marks of cells they would swallow 189 line ends.
    source=Files(
        {"train": "msrp/msr_paraphrase_train.txt", "test": "msrp/msr_paraphrase_test.txt"}, format="tsv", quoting="none"
    ),
    columns={
        "sentence1": text(pl.col("#1 String").str.replace_many(LEFTOVERS)),
        "sentence2": text(pl.col("#2 String").str.replace_many(LEFTOVERS)),
        "label": labels("Quality", ["not_paraphrase", "paraphrase"]),
    },
    answers={"not_paraphrase": "no", "paraphrase": "yes"},
    license="ms-rsl",
    families=["mrpc"],
    sizes={"train": 4_076, "test": 1_725},
)
