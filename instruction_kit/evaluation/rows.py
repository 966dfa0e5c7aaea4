"""The layout of `rows.parquet`: what was measured, a pair a row, with everything that a report is made from."""

import polars as pl

from instruction_kit.errors import EvaluationError

ROWS = pl.Schema(
    {
        "model": pl.String(),  # `model` or `baseline`
        "measured_split": pl.String(),  # `seen`, `validation` or `held_out`
        "task": pl.String(),
        "cluster": pl.String(),
        "template": pl.String(),
        "setting": pl.String(),
        "split": pl.String(),  # of the source: with `task` and `row` it names a row
        "row": pl.String(),
        "round": pl.Int64(),
        "measure": pl.String(),  # `accuracy` or `log_likelihood`
        "prompt": pl.String(),
        "candidates": pl.List(pl.String()),  # of a log-likelihood: the completion alone
        "gold": pl.List(pl.Int64()),  # positions of the right candidates
        "scores": pl.List(pl.Float64()),  # one a candidate: its tokens' log-probabilities and the stop token's, summed
        "num_tokens": pl.List(pl.Int64()),  # one a candidate, the stop token counted
        "prediction": pl.List(pl.Int64()),  # positions of the highest score: several where candidates tie
        "dropped": pl.String(),  # why it was not measured; `scores` and `prediction` are then null
    }
)
PAIR = ("measured_split", "task", "template", "setting", "split", "row", "round")
"""What names a pair; `model` beside it names a row of the frame."""


def check_rows(rows: pl.DataFrame) -> None:
    """Refuse a frame that is not of this layout, or whose models were not measured on the same pairs.

    Raises:
        EvaluationError: naming the columns or the pair.

    """
    wrong = [name for name, dtype in ROWS.items() if rows.schema.get(name) != dtype]
    if wrong:
        raise EvaluationError(f"rows: columns that are missing or of another type: {', '.join(wrong)}; measure again")
    doubled = rows.select(["model", *PAIR]).is_duplicated()
    if doubled.any():
        raise EvaluationError(f"rows: measured twice by one model: {_named(rows.filter(doubled))}; give each pair once")
    alone = rows.filter(pl.len().over(PAIR) < rows["model"].n_unique())
    if alone.height:
        raise EvaluationError(
            f"rows: not measured by every model: {_named(alone)} ({alone.height} such); measure all on the same pairs"
        )


def _named(rows: pl.DataFrame) -> str:
    first = rows.row(0, named=True)
    return f"{first['task']} {first['split']} row {first['row']} under {first['template']}"
