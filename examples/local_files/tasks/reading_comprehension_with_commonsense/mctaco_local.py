"""MC-TACO from TSV: how long, how often, when? One line for each suggested answer. https://aclanthology.org/D19-1332"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import ReadingComprehension


def questions(lines: pl.LazyFrame) -> pl.LazyFrame:
    """One row for each question, with all answers that are called plausible: several, one or none."""
    plausible = text("answer").filter(pl.col("label") == "yes")
    first = pl.col("_file", "_index").first()  # by which a row is named
    return lines.group_by("sentence", "question", maintain_order=True).agg(first, answers=plausible)


task = Task(
    schema=ReadingComprehension,
    source=Files(
        {"train": "mctaco/dev_3783.tsv"},  # the published validation rows
        header=False,
        columns=["sentence", "question", "answer", "label", "category"],
        quoting="none",
    ),
    rows=questions,
    scope="split",
    columns={"passage": text("sentence"), "question": text("question"), "answers": "answers"},
    skip=pl.col("answers").list.len() == 0,  # nothing that was suggested is plausible
    metrics=["exact_match", "f1"],
    families=["mctaco"],
    sizes={"train": 561},
)
