"""Customer reviews: is a sentence for or against the product? One a line behind its label. https://doi.org/10.1145/1014052.1014073"""

import polars as pl

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    source=Files({"train": "customer_reviews/custrev.all"}, format="lines"),  # four lines have a label and no text
    columns={
        "text": text(pl.col("line").str.extract(r"(?s)^\S+ (.*)$")),
        "label": labels(pl.col("line").str.extract(r"^(\S+) "), ["negative", "positive"]),
    },
    license="cc-by-4.0",
    families=["customer_reviews"],
    sizes={"train": 3_775},
)
