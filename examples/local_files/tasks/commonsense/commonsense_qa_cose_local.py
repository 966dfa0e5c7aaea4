"""CommonsenseQA and its explanations (CoS-E), in two files that share an id. https://aclanthology.org/P19-1487"""

import polars as pl

from instruction_kit import Files, Task, position, text
from instruction_kit.schema import MultipleChoice

question = pl.col("question").struct
choices = question["choices"].list


def joined(lines: pl.LazyFrame) -> pl.LazyFrame:
    """Questions, each with the explanation of its id. What is said of several questions explains none of them."""
    asked = lines.filter(question["stem"].is_not_null()).drop("explanation")
    told = lines.select("id", why=pl.col("explanation").struct["open-ended"]).drop_nulls()
    own = pl.when(pl.len().over(text("why").str.to_lowercase()) == 1).then("why")
    return asked.join(told.with_columns(why=own), on="id", how="left", maintain_order="left")


task = Task(
    schema=MultipleChoice,
    source=Files(  # the test file has no answers, so it stays out
        {
            split: [f"commonsense_qa_cose/{name}_rand_split.jsonl", f"commonsense_qa_cose/cose_{name}_v1.0.jsonl"]
            for split, name in {"train": "train", "validation": "dev"}.items()
        }
    ),
    rows=joined,
    scope="split",
    columns={
        "question": text(question["stem"]),
        "options": choices.eval(text(pl.element().struct["text"])),
        "answer": position("answerKey", within=choices.eval(pl.element().struct["label"])),
        "rationale": text("why"),
    },
    key="id",
    license="bsd-3-clause",
    families=["commonsense_qa"],
    sizes={"train": 7_610, "validation": 950},
)
