"""WebNLG from 52 XML files: triples and the texts that say them. https://aclanthology.org/W18-6543"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import StructToText

# Ten texts are marked as to be fixed and six are empty; the others of their entry stay. In 38 a stray @ stands.
marks, texts = pl.col("lex/@comment[]").list, pl.col("lex/text[]").list
good = texts.gather(marks.eval((pl.element() == "good").arg_true()))

task = Task(
    schema=StructToText,
    source=Files({"train": "webnlg/dev/*/*.xml"}, records="entry"),
    columns={
        "data": pl.col("modifiedtripleset/mtriple[]").list.eval(text(pl.element().str.replace_all("_", " "))),
        "texts": good.list.eval(
            text(pl.element().filter(pl.element() != "").str.replace_all(" @ ", " ", literal=True))
        ),
    },
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="cc-by-nc-sa-4.0",
    families=["web_nlg"],
    sizes={"train": 872},
)
