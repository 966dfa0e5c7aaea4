"""The layout of `rows.parquet`: what was measured, a pair a row, with everything that a report is made from."""

from typing import Literal

import polars as pl

from instruction_kit.errors import EvaluationError

Protocol = Literal["rank", "likelihood", "generate", "chain_of_thought", "zero_shot_chain_of_thought"]
"""How a pair is measured: its candidates are ranked; its first reference is scored, where there are none; an answer is
generated and read back; so is one behind written reasons; or reasons are asked for first, without a phrasing for it."""

ROWS = pl.Schema(
    {
        "model": pl.String(),  # `model` or `baseline`
        "measured_split": pl.String(),  # `seen`, `validation`, `held_out` or `choosing`
        "task": pl.String(),
        "cluster": pl.String(),
        "template": pl.String(),
        "setting": pl.String(),
        "split": pl.String(),  # of the source: with `task` and `row` it names a row
        "row": pl.String(),
        "group": pl.String(),  # rows of one group share a text, and are resampled together; empty: alone
        "round": pl.Int64(),
        "protocol": pl.String(),
        "metrics": pl.List(pl.String()),  # those that the task names
        "prompt": pl.String(),
        "options": pl.List(pl.String()),  # the options' words, in the order of `candidates`
        "candidates": pl.List(pl.String()),  # of a likelihood: the completion alone
        "gold": pl.List(pl.Int64()),  # positions of the right candidates
        "scores": pl.List(pl.Float64()),  # one a candidate: its tokens' log-probabilities and the stop token's, summed
        "num_tokens": pl.List(pl.Int64()),  # one a candidate, the stop token counted
        "priors": pl.List(pl.Float64()),  # one a candidate: its score after an empty prompt; null if not asked for
        "prediction": pl.List(pl.Int64()),  # positions of the highest score: several where candidates tie
        "outputs": pl.List(pl.String()),  # what was generated: one text, or several that vote
        "answer": pl.String(),  # what was read back from them; null where there is none to read
        "references": pl.List(pl.String()),  # what the answer is compared with
        "dropped": pl.String(),  # why it was not measured; scores, prediction and outputs are then null
    }
)
PAIR = ("measured_split", "task", "protocol", "template", "setting", "split", "row", "round")
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


def finished(rows: pl.DataFrame) -> pl.DataFrame:
    """Bring rows of some protocol into the layout; what it does not fill is null."""
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in ROWS.items() if name not in rows.columns]
    return rows.with_columns(missing).select(ROWS.names()).cast(ROWS)


def _named(rows: pl.DataFrame) -> str:
    first = rows.row(0, named=True)
    return f"{first['task']} {first['split']} row {first['row']} under {first['template']}"
