"""AESLC, a folder of e-mails: which subject fits? https://aclanthology.org/P19-1043"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import Summarization

# The body, then the subject of the sender and those of three readers, each behind a line that begins with @.
parts = (
    pl.col("text").str.extract_groups(r"(?s)^(.*?)\n@subject\n(.*?)\n@ann0\n(.*?)\n@ann1\n(.*?)\n@ann2\n(.*)$").struct
)

task = Task(
    schema=Summarization,
    source=Files({"train": "aeslc/dev/*.subject"}, format="text"),
    columns={
        "document": text(parts["1"]),
        "form": pl.lit("a subject line"),
        "summaries": pl.concat_list(text(parts[number]) for number in "2345"),
    },
    key="path",
    metrics=["rouge1", "rouge2", "rougeLsum"],
    license="cc-by-nc-sa-4.0",
    families=["aeslc"],
    sizes={"train": 400},
)
