"""Intervals by resampling: sums over groups of rows go in, many figures of other samples of such rows come out.

The Poisson bootstrap (Hanley and MacGibbon 2006, https://doi.org/10.1016/j.cmpb.2006.04.006; Chamandy et al. 2012,
https://research.google/pubs/estimating-uncertainty-for-massive-data-streams/): in each draw a group counts 0, 1, 2, …
times, by a hash of its name and the draw alone. So rows that share a text stay together, two models are compared on the
same draws, and neither the order of rows nor what else was measured has a say.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from instruction_kit.choice import keys, row_hashes, unit

NUM_DRAWS = 1_000
COVERED = 0.95
MOST = 8
"""A group counts at most so often; Poisson(1) is above it once in a million."""

Draws = npt.NDArray[np.float64]
"""(draws,): one figure a draw."""


@lru_cache(maxsize=8)  # of one task, for its measures, models and halves
def weights(groups: tuple[str, ...], *name: str) -> npt.NDArray[np.float64]:
    """How often each group counts in each draw, (draws, groups); `name` says of what they are groups."""
    hashes = row_hashes(list(groups))
    uniform = [unit(keys(hashes, "bootstrap", *name, draw)) for draw in range(NUM_DRAWS)]
    return np.searchsorted(_poisson(), np.stack(uniform)).astype(np.float64)


def _poisson() -> npt.NDArray[np.float64]:
    """Distribution function of Poisson(1)."""
    counts = np.arange(MOST)
    return np.cumsum(np.exp(-1.0) / np.cumprod(np.maximum(counts, 1)))


def interval(draws: Draws) -> tuple[float, float] | None:
    """The middle 95 % of draws; None where fewer than half of them gave a figure."""
    known = draws[np.isfinite(draws)]
    if known.size < draws.size / 2:
        return None
    low, high = np.quantile(known, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return float(low), float(high)
