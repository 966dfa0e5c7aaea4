"""PIQA from JSON Lines, the labels in a file of their own beside it. https://arxiv.org/abs/1911.11641"""

import polars as pl

from instruction_kit import Files, Task, index, options, text
from instruction_kit.schema import MultipleChoice

item = pl.col("item").struct
# A goal is a question, a wish or a single word such as "dresser"; what is no question becomes one.
question = text(item["goal"]).str.replace(r"(?s)^(.*[^\s.?!:;,])[\s.!:;,]*$", "How is this best done: ${1}?")

task = Task(
    schema=MultipleChoice,
    # the published validation rows, the only ones with labels; the test rows have none and stay out
    source=Files({"train": {"item": "piqa/valid.jsonl", "label": "piqa/valid-labels.lst"}}),
    columns={"question": question, "options": options(item["sol1"], item["sol2"]), "answer": index("label")},
    license="afl-3.0",
    families=["piqa"],
    sizes={"train": 1_838},
)
