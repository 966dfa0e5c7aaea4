"""Word segmentation: where do the words of a sentence end? FLAN's task, Wei et al. 2022, over WMT 2016, https://arxiv.org/abs/2109.01652"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Rewriting

whole = text(pl.col("translation").struct.field("en"))
joined = whole.str.replace_all(r"\s", "")
others = whole.str.len_chars() % 3 != 2  # true_case has the sentences of remainder 0, fix_punct those of 1

task = Task(
    schema=Rewriting,
    source=Hub(
        "wmt/wmt16",  # FLAN takes English lines of ParaCrawl, which the hub has only as a loading script
        config="ro-en",
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},  # none is hidden
    ),
    columns={"text": joined, "manner": pl.lit("with spaces between its words"), "rewrites": whole},
    skip=(whole != "") & (others | (joined == whole)),  # a single word
    metrics=["edit_distance", "exact_match"],
    license="unknown",
    families=["wmt16_ro_en"],
    languages=["en"],
    sizes={"train": 203_000, "validation": 670, "test": 670},  # a third of 610,320, 1,999 and 1,999
)
