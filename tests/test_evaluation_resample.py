"""Resampling: how often groups count, and the intervals that follow from it, beside what theory says."""

import math

import numpy as np
import pytest

from instruction_kit.evaluation.resample import NUM_DRAWS, interval, weights

NAMES = tuple(f"row {number}" for number in range(400))


def test_an_interval_is_the_middle_95_percent_of_draws():
    assert interval(np.arange(1001.0)) == pytest.approx((25, 975))
    mostly = np.array([1.0, 2.0, 3.0, np.nan])
    assert interval(mostly) == pytest.approx((1.05, 2.95))
    assert interval(np.array([1.0, np.nan, np.nan])) is None


def test_a_group_counts_as_often_as_a_poisson_variable_of_mean_1():
    found = weights(NAMES, "rte")
    assert found.shape == (NUM_DRAWS, len(NAMES))
    for count in range(4):
        assert (found == count).mean() == pytest.approx(math.exp(-1) / math.factorial(count), abs=0.005)
    assert found.mean() == pytest.approx(1, abs=0.005)


def test_a_group_s_count_is_its_own_in_every_draw_and_task():
    found = weights(NAMES, "rte")
    assert np.array_equal(weights(NAMES[::-1], "rte"), found[:, ::-1])
    assert np.array_equal(weights(NAMES[:7], "rte"), found[:, :7])
    for other in (weights(NAMES, "snli"), np.roll(found, 1, axis=0), np.roll(found, 1, axis=1)):
        assert abs(np.corrcoef(found.ravel(), other.ravel())[0, 1]) < 0.01


def test_the_interval_of_a_share_is_as_wide_as_the_normal_one():
    right = np.arange(len(NAMES)) % 2
    counted = weights(NAMES, "rte")
    found = interval((counted @ right) / counted.sum(axis=1))
    assert found is not None
    half = 1.96 * math.sqrt(0.25 / len(NAMES))
    assert found == pytest.approx((0.5 - half, 0.5 + half), abs=half / 10)
