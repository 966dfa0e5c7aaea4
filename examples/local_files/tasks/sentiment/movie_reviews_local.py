"""Movie reviews: does a whole review like its film? A file each, in a folder by its label. https://aclanthology.org/P04-1035"""

import polars as pl

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import Classification

# Three control characters of one file are the quotes of cp1252 without their highest bit.
review = pl.col("text").str.replace_many({"\x12": "'", "\x13": '"', "\x14": '"'})

task = Task(
    schema=Classification,
    source=Files({"train": "movie_reviews/*/*.txt"}, format="text"),
    columns={"text": text(review), "label": labels("folder", {"neg": "negative", "pos": "positive"})},
    key="path",
    license="cc-by-4.0",
    families=["movie_reviews"],
    sizes={"train": 400},
)
