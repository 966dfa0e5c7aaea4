"""How far a count may lie from what is expected before it is a fault: the exact binomial interval."""

import math
from functools import cache

ERROR = 1e-10
"""Chance of a count outside its interval. A choice is a hash, so a test that passes once passes always."""


@cache
def binomial_bounds(trials: int, chance: float, error: float = ERROR) -> tuple[int, int]:
    """The least and the most successes whose tails, both ways, still have more than half of `error`."""
    logs = [_log_chance(trials, successes, chance) for successes in range(trials + 1)]
    return _first(logs, error / 2), trials - _first(logs[::-1], error / 2)


def _log_chance(trials: int, successes: int, chance: float) -> float:
    ways = math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    return ways + successes * math.log(chance) + (trials - successes) * math.log1p(-chance)


def _first(logs: list[float], tail: float) -> int:
    total = 0.0
    for position, value in enumerate(logs):
        total += math.exp(value)
        if total > tail:
            return position
    raise AssertionError("the chances of all outcomes add up to 1")
