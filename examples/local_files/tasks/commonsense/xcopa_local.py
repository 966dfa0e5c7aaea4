"""XCOPA from JSON Lines: COPA in eleven languages, a file each. https://aclanthology.org/2020.emnlp-main.185"""

import polars as pl

from instruction_kit import Files, Task, index, options, text
from instruction_kit.schema import MultipleChoice

LANGUAGES = ["et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh"]


def mended(rows: pl.LazyFrame) -> pl.LazyFrame:
    """What is asked for, as most languages have it: in th, tr, sw, id and it 466 causes are called effects, or back."""
    return rows.with_columns(is_cause=(pl.col("question") == "cause").mean().over("idx") > 0.5)


task = Task(
    schema=MultipleChoice,
    source=Files(  # the published validation rows train here
        {
            split: [f"xcopa/{part}.{code}.jsonl" for code in LANGUAGES]
            for split, part in [("train", "val"), ("test",) * 2]
        }
    ),
    rows=mended,
    scope="split",
    columns={
        "context": text("premise"),
        "question": pl.when("is_cause").then(pl.lit("What was the cause?")).otherwise(pl.lit("What was the effect?")),
        "options": options("choice1", "choice2"),
        "answer": index("label"),
    },
    license="cc-by-4.0",
    families=["copa"],
    languages=LANGUAGES,
    sizes={"train": 1_100, "test": 5_500},
)
