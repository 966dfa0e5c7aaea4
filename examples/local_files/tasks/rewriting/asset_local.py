"""ASSET: a sentence and ten ways to say it more simply, in eleven files line by line. https://aclanthology.org/2020.acl-main.424"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import Rewriting

SIMPLE = [f"simp.{number}" for number in range(10)]

task = Task(
    schema=Rewriting,
    source=Files(  # there is no other split than the two to tune and to test on
        {
            split: {part: f"asset/asset.{name}.{part}" for part in ["orig", *SIMPLE]}
            for split, name in {"train": "valid", "test": "test"}.items()
        },
        format="lines",
    ),
    columns={
        "text": text("orig"),
        "manner": pl.lit("in simpler words"),
        "rewrites": pl.concat_list(text(part) for part in SIMPLE),
    },
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="cc-by-nc-4.0",
    families=["asset", "turk_corpus"],  # the sentences of TurkCorpus, simplified anew
    sizes={"train": 2_000, "test": 359},
)
