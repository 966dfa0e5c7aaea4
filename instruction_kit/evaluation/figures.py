"""Predictions and baselines: scores and right candidates go in, numbers that one can work out by hand come out."""

import math
from collections import Counter
from collections.abc import Sequence


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


def rows_for(precision: float) -> int:
    """Count the rows after which a share is known to within `precision`, in 95 of 100 samples, whatever it is.

    Fixed before anything is measured: at a share of one half, where it varies most, the normal interval's half width is
    1.96 * sqrt(1/4 / rows).

    >>> rows_for(0.05)
    385
    """
    return math.ceil((1.959964 * 0.5 / precision) ** 2)
