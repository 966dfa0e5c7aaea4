"""What each pair contributes to a figure: rows of one task in one protocol go in, numbers that add up come out.

Ranked candidates give right or wrong under three scorings of the same scores: their sum; the sum over the number of
tokens; and the sum less the score after an empty prompt, the calibration of Holtzman et al. 2021 (domain-conditional
PMI, https://aclanthology.org/2021.emnlp-main.564). Generated answers give what the task's own metrics need.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from instruction_kit.evaluation.figures import best_candidates, is_right
from instruction_kit.evaluation.metrics import Sums, mean, metric
from instruction_kit.evaluation.report import LIKELIHOOD, SCORINGS, Measure

RANKED_TOO = ("mcc", "pearson", "spearman")
"""Metrics of a task that ranked candidates are measured by as well, beside their accuracy."""


class Contribution(NamedTuple):
    """What pairs add to one measure."""

    rows: Sums
    """(pairs, numbers), in the order of the pairs."""
    figure: Callable[[Sums], Sums]
    """(..., numbers) -> (...)"""


def measures_of(pairs: pl.DataFrame) -> list[Measure]:
    """List the measures of a task's pairs, all of one protocol."""
    first = pairs.row(0, named=True)
    named = list(first["metrics"] or ["accuracy"])
    if first["protocol"] == "likelihood":
        return [LIKELIHOOD]
    if first["protocol"] != "rank":
        return named
    without = pairs["priors"].null_count() == pairs.height
    scorings = [name for name in SCORINGS if not (without and name == "accuracy_calibrated")]
    return [*scorings, *(name for name in named if name in RANKED_TOO)]


def contribution(pairs: pl.DataFrame, measure: Measure) -> Contribution:
    """Work out what pairs contribute to one of their measures."""
    if measure == LIKELIHOOD:
        per_token = pairs["scores"].list.first() / pairs["num_tokens"].list.first()
        return _mean_of(per_token.to_list())
    if pairs["protocol"][0] == "rank":
        if measure in SCORINGS:
            return _mean_of([is_right(_predicted(row, measure), row["gold"]) for row in _scored(pairs)])
        answers, rights = zip(*map(_words, _scored(pairs)), strict=True)
        return Contribution(metric(measure).rows(answers, rights), metric(measure).figure)
    of = metric(measure)
    return Contribution(of.rows(pairs["answer"].to_list(), pairs["references"].to_list()), of.figure)


def _scored(pairs: pl.DataFrame) -> Sequence[dict[str, Any]]:
    return pairs.select("scores", "num_tokens", "priors", "gold", "options").to_dicts()


def _predicted(row: dict[str, Any], measure: Measure) -> list[int]:
    """Name the best candidates under one scoring.

    >>> row = {"scores": [-4.0, -3.0, -6.0], "num_tokens": [4, 1, 2], "priors": [-5.0, -1.0, -9.0]}
    >>> [_predicted(row, measure) for measure in SCORINGS]
    [[1], [0], [2]]
    """
    scores, against = row["scores"], row["priors"]
    if measure == "accuracy_per_token":
        scores = [score / num for score, num in zip(scores, row["num_tokens"], strict=True)]
    elif measure == "accuracy_calibrated":
        scores = [score - prior for score, prior in zip(scores, against, strict=True)]
    return best_candidates(scores)


def _words(row: dict[str, Any]) -> tuple[str | None, list[str]]:
    """The option that is predicted, none where several tie, and the right ones."""
    best = _predicted(row, "accuracy")
    return (row["options"][best[0]] if len(best) == 1 else None), [row["options"][place] for place in row["gold"]]


def _mean_of(values: Sequence[float]) -> Contribution:
    return Contribution(np.column_stack([np.array(values, dtype=np.float64), np.ones(len(values))]), mean)
