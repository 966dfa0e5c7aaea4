"""The exemplars of every row of one file: there where its setting says so, and standing in the prompt as they are kept.

In: batches of pairs. Out: problems with the row's number. Whether an exemplar is measured elsewhere is asked where all
files are known.
"""

from collections.abc import Iterator

import polars as pl

from instruction_kit.built.problem import Problem, rows_with
from instruction_kit.exemplar.arrangement import ARRANGEMENTS, Shown

ROWS = pl.col("exemplars").list.eval(pl.element().struct.field("row"))


def exemplar_checks(joiner: str) -> dict[str, pl.Expr]:
    """What is the same question for every row."""
    number = pl.col("exemplars").list.len()
    asked = pl.col("setting").str.starts_with("few_shot.")
    prompts = pl.col("exemplars").list.eval(pl.element().struct.field("prompt").str.ends_with(joiner))
    return {
        "its setting shows exemplars, and it has none": asked & (number == 0),
        "it has exemplars, and its setting shows none": ~asked & (number > 0),
        "it is an exemplar of itself": (pl.col("split") == "train") & ROWS.list.contains(pl.col("row")),
        "an exemplar stands in it twice": ROWS.list.n_unique() < number,
        "an exemplar's prompt does not end with the joiner": ~prompts.list.all(),
    }


def exemplar_problems(frame: pl.DataFrame, *, file: str) -> Iterator[Problem]:
    """What stands before the question is the exemplars, in one of the ways in which they are written."""
    shown = frame.filter(pl.col("exemplars").list.len() > 0)
    columns = (shown[name].to_list() for name in ("prompt", "question_start", "exemplars"))
    wrong = [
        at for at, (prompt, start, said) in enumerate(zip(*columns, strict=True)) if not _is_made(prompt, start, said)
    ]
    yield from rows_with("what stands before its question is not its exemplars", shown[wrong], file=file)


def _is_made(prompt: str | None, start: int | None, said: list[dict[str, str]]) -> bool:
    if prompt is None or start is None or any(None in one.values() for one in said):
        return True  # told already
    shown = [Shown(**one) for one in said]
    return any(arrangement.text(shown) == prompt[: max(start, 0)] for arrangement in ARRANGEMENTS)
