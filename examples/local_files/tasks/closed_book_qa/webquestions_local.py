"""WebQuestions from JSON: questions that Freebase can answer, several right answers. https://aclanthology.org/D13-1160"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import ClosedBookQA

answer = text(pl.element().str.replace(r'(?s)^"(.*".*)"$', "${1}"))  # what holds quotes stands in a further pair

task = Task(
    schema=ClosedBookQA,
    # devtest and val are both for development; qId is distinct over all four files
    source=Files(
        {
            "train": "webquestions/trainmodel.json",
            "validation": ["webquestions/val.json", "webquestions/devtest.json"],
            "test": "webquestions/test.json",
        }
    ),
    columns={"question": text("qText"), "answers": pl.col("answers").list.eval(answer)},
    skip=pl.col("answers").list.first().str.starts_with("http"),  # an address is no answer
    key="qId",
    metrics=["exact_match"],
    license="cc-by-4.0",
    families=["webquestions"],
    sizes={"train": 2_834, "validation": 944, "test": 2_032},
)
