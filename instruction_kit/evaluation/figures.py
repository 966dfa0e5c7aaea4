"""The figures of a measurement: scores, shares and weights go in, predictions, intervals and baselines come out.

Everything here is plain numbers, so that every figure of a report can be worked out by hand. The unit of an interval
is the row: a row that stands under ten templates is one observation, since its ten results hang together.
"""

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

Z = NormalDist().inv_cdf(0.975)
"""Half the width, in standard deviations, of an interval that covers 95% of a normal distribution."""


class Interval(NamedTuple):
    """A 95% interval."""

    low: float
    high: float


def best_candidates(scores: Sequence[float]) -> list[int]:
    """Name the candidates with the highest score: one, or several that tie.

    >>> best_candidates([-2.0, -1.0, -1.0])
    [1, 2]
    """
    highest = max(scores)
    return [position for position, score in enumerate(scores) if score == highest]


def is_right(prediction: Sequence[int], gold: Sequence[int]) -> bool:
    """Judge a prediction: right if every best candidate is a right one, so a tie with a wrong candidate is wrong.

    >>> is_right([1], [1]), is_right([1, 2], [1]), is_right([1, 2], [2, 1])
    (True, False, True)
    """
    return bool(prediction) and set(prediction) <= set(gold)


def wilson(share: float, *, num_rows: float) -> Interval:
    """Give the Wilson score interval of a share over `num_rows` independent rows.

    Wilson 1927, Journal of the American Statistical Association 22(158), 209-212,
    https://doi.org/10.1080/01621459.1927.10502953; it keeps its coverage near 0 and 1 and for few rows, where the
    usual normal interval does not (Brown, Cai and DasGupta 2001, https://doi.org/10.1214/ss/1009213286).

    `share` may be a mean of row means that lie between 0 and 1 (a row that is right under 7 of 10 templates): their
    variance is at most share * (1 - share), so the interval is then too wide rather than too narrow.
    """
    spread = Z * math.sqrt(share * (1 - share) / num_rows + (Z / (2 * num_rows)) ** 2)
    centre = share + Z * Z / (2 * num_rows)
    scale = 1 + Z * Z / num_rows
    return Interval(max(0.0, min(share, (centre - spread) / scale)), min(1.0, max(share, (centre + spread) / scale)))


def effective_rows(weights: Sequence[float]) -> float:
    """Count how many equally weighted rows are worth as much as rows with these weights.

    Kish 1992, Weighting for unequal Pi, Journal of Official Statistics 8(2), 183-200: (sum w)^2 / sum w^2. It is the
    number of rows itself where every row stands under every template, and less where templates have unequal rows.
    """
    return sum(weights) ** 2 / sum(weight * weight for weight in weights)


def weighted_mean(values: Sequence[float], *, weights: Sequence[float]) -> float:
    """Average values by weight."""
    return math.fsum(value * weight for value, weight in zip(values, weights, strict=True)) / math.fsum(weights)


def normal(values: Sequence[float], *, weights: Sequence[float]) -> Interval | None:
    """Give the normal interval of a weighted mean over rows; None for a single row, which says nothing of spread."""
    if len(values) < 2:
        return None
    mean, total = weighted_mean(values, weights=weights), math.fsum(weights)
    squares = math.fsum((weight / total * (value - mean)) ** 2 for value, weight in zip(values, weights, strict=True))
    error = math.sqrt(squares * len(values) / (len(values) - 1))
    return Interval(mean - Z * error, mean + Z * error)


def interval_of_mean(means: Sequence[float], *, intervals: Sequence[Interval | None]) -> Interval | None:
    """Combine the intervals of independent tasks into the interval of their plain mean.

    Distances from the means to the limits are added in squares: Zou, Huang and Zhang 2009, Computational Statistics and
    Data Analysis 53(4), 1080-1085. It speaks of other rows of these tasks, not of other tasks.
    """
    known = [interval for interval in intervals if interval is not None]
    if len(known) < len(means):
        return None
    mean = math.fsum(means) / len(means)
    down = math.hypot(*(value - interval.low for value, interval in zip(means, known, strict=True))) / len(means)
    up = math.hypot(*(interval.high - value for value, interval in zip(means, known, strict=True))) / len(means)
    return Interval(mean - down, mean + up)


def chance(golds: Sequence[Sequence[int]], *, num_candidates: Sequence[int]) -> float:
    """Say how often a guess among the candidates of each row is right.

    >>> chance([[0], [1, 2]], num_candidates=[2, 4])
    0.5
    """
    return math.fsum(len(gold) / num for gold, num in zip(golds, num_candidates, strict=True)) / len(golds)


def majority(golds: Sequence[Sequence[int]], *, candidates: Sequence[Sequence[str]]) -> float:
    """Say how often the best constant answer is right: always the same words, or always the same position.

    Options in an order of each row's own leave the words, which for classes are the class.

    >>> majority([[0], [0], [1]], candidates=[["yes", "no"], ["no", "yes"], ["no", "yes"]])
    0.6666666666666666
    """
    words = Counter(text for gold, texts in zip(golds, candidates, strict=True) for text in {texts[i] for i in gold})
    positions = Counter(position for gold in golds for position in set(gold))
    return max((*words.values(), *positions.values()), default=0) / len(golds)
