"""Winograd Schema Challenge, 273 sentences: whom does the pronoun mean? Levesque et al. 2012, https://cs.nyu.edu/~davise/papers/WinogradSchemas/WS.html"""

import polars as pl

from instruction_kit import Hub, Task, index, text
from instruction_kit.schema import Coreference

task = Task(
    schema=Coreference,
    # Test alone: never trained on.
    source=Hub("lighteval/winograd_wsc", config="wsc273", revision="main", splits={"test": "test"}),
    columns={
        "text": text("text").str.replace_all(r"[ \n]+", " "),  # double blanks, and lines that break in a sentence
        "mention": text("pronoun"),
        "options": pl.col("options").list.eval(text(pl.element())),
        "answer": index("label"),
    },
    metrics=["accuracy"],
    license="cc-by-4.0",
    families=["wsc"],
    languages=["en"],
    sizes={"test": 273},
)
