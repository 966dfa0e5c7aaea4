"""Winogender from TSV: whom does the pronoun mean? The answer stands in the id. https://aclanthology.org/N18-2002"""

import polars as pl

from instruction_kit import Files, Task, index, options, text
from instruction_kit.schema import Coreference

# technician.customer.1.male.txt: occupation, other participant, which of them is meant, gender of the pronoun
part = [pl.col("sentid").str.split(".").list.get(place) for place in range(4)]

task = Task(
    schema=Coreference,
    source=Files({"train": "winogender/all_sentences.tsv"}),  # templates.tsv is what they were made from
    columns={
        "text": text("sentence"),
        "mention": pl.col("sentence").str.extract(r"(?i)\b(he|she|they|him|them|his|her|their)\b"),
        "options": options(part[0], part[1]),
        "answer": index(part[2]),
    },
    key="sentid",
    license="mit",
    families=["winogender"],
    sizes={"train": 720},
)
