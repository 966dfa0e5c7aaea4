"""Multi-News: what do several articles on one event say together? Fabbri et al. 2019, https://aclanthology.org/P19-1102"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import Summarization

articles = text("document").str.replace_all(r" *(?:NEWLINE_CHAR|\n) *", "\n").str.split("|||||")
whole = articles.list.eval(text(pl.element()).filter(text(pl.element()) != ""))

task = Task(
    schema=Summarization,
    source=Hub(
        "Awesome075/multi_news_parquet",
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},  # none is hidden
    ),
    columns={
        "document": whole.list.join("\n\n***\n\n"),
        "form": pl.lit("a report of a paragraph or two"),
        "summaries": text(text("summary").str.strip_chars_start("\u2013- ")),  # each begins with a dash
    },
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="other",  # research alone
    families=["multi_news"],
    languages=["en"],
    sizes={"train": 44_972, "validation": 5_622, "test": 5_622},
)
