"""DART: what do triples from tables and ontologies say? Nan et al. 2021, https://aclanthology.org/2021.naacl-main.37"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import StructToText

cell = pl.element()
named = cell.filter(~cell.str.contains(r"^\[[A-Z]+\]$"))  # [TABLECONTEXT] and [TITLE] stand for the table itself

task = Task(
    schema=StructToText,
    source=Hub(
        "Yale-LILY/dart",
        revision="refs/convert/parquet",
        splits={"train": "train", "validation": "validation", "test": "test"},  # none is hidden
    ),
    columns={
        "data": pl.col("tripleset").list.eval(cell.list.eval(text(named)).list.join(" | ")),
        "texts": pl.col("annotations").struct.field("text").list.eval(text(cell)),
    },
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="mit",
    families=[
        "dart",
        "web_nlg",
        "e2e_nlg",
        "wikisql",
        "wikitablequestions",
    ],  # it takes in the first two and their texts
    languages=["en"],
    sizes={"train": 30_526, "validation": 2_768, "test": 6_959},
)
