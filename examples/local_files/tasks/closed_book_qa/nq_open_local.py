"""NQ-open from JSON Lines: questions put to a search engine, several right answers. https://aclanthology.org/P19-1612"""

import polars as pl

from instruction_kit import Files, Task, text
from instruction_kit.schema import ClosedBookQA


def mended(answer: str) -> str:
    """Bytes of UTF-8 that were once read as latin-1 are read anew; no other text survives both steps."""
    try:
        return answer.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return answer


answer = text(pl.element().map_elements(mended, return_dtype=pl.String).str.replace_all("\xa0", " ", literal=True))
stray = answer.is_in([")", ","])  # a bracket and a comma that were taken for an answer

task = Task(
    schema=ClosedBookQA,
    source=Files(
        {
            "train": "nq_open/NQ-open.dev.jsonl",  # the published train file is not at hand
            "validation": "nq_open/NQ-open.efficientqa.dev.1.1.jsonl",
            "test": "nq_open/NQ-open.efficientqa.test.1.1.jsonl",
        }
    ),
    columns={"question": text("question"), "answers": pl.col("answer").list.eval(answer.filter(~stray))},
    metrics=["exact_match"],
    license="cc-by-sa-3.0",
    families=["natural_questions"],
    sizes={"train": 3_610, "validation": 1_800, "test": 1_769},
)
