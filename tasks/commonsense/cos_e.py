"""CoS-E: which answer does common sense give, and why? Rajani et al. 2019, https://aclanthology.org/P19-1487"""

import polars as pl

from instruction_kit import Hub, Task, position, text
from instruction_kit.schema import MultipleChoice

why = text("abstractive_explanation")

task = Task(
    schema=MultipleChoice,
    source=Hub(
        "Salesforce/cos_e", config="v1.11", revision="main", splits={"train": "train", "validation": "validation"}
    ),
    columns={
        "question": text("question"),
        "options": pl.col("choices").list.eval(text(pl.element())),
        "answer": position(text("answer"), within=pl.col("choices").list.eval(text(pl.element()))),  # in words
        # Written by hand as half a sentence: it gets its capital and its stop.
        "rationale": (why.str.slice(0, 1).str.to_uppercase() + why.str.slice(1)).str.replace(r"([^.!?])$", "${1}."),
    },
    evaluate="validation",  # there is no test split
    metrics=["accuracy"],
    license="bsd-3-clause",
    families=["commonsense_qa"],  # its questions
    languages=["en"],
    sizes={"train": 9_741, "validation": 1_221},
)
