"""XSum: what is a news report about, in one sentence? Narayan et al. 2018, https://aclanthology.org/D18-1206"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Summarization

PLAYER = r"(?m)^Media playback is (?:not supported|unsupported) on (?:this|your) device\n?"

task = Task(
    schema=Summarization,
    source=Hub(
        "EdinburghNLP/xsum",
        revision="refs/convert/parquet",
        splits={"train": "train", "validation": "validation", "test": "test"},  # none is hidden
    ),
    columns={
        "document": text(text("document").str.replace_all(PLAYER, "")),  # what stood in the place of a film
        "form": pl.lit("a single sentence"),
        "summaries": text("summary"),
    },
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="unknown",
    families=["xsum"],
    languages=["en"],
    sizes={"train": 204_045, "validation": 11_332, "test": 11_334},
)
