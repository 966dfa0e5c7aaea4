"""The figures of a report: worked out by hand, and what must hold for any numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_kit.evaluation.figures import (
    Interval,
    best_candidates,
    chance,
    effective_rows,
    interval_of_mean,
    is_right,
    majority,
    normal,
    weighted_mean,
    wilson,
)

SHARES = st.floats(0, 1)
NUMBERS = st.floats(-100, 100)
WEIGHTS = st.floats(0.01, 100)
WEIGHTED = st.lists(st.tuples(NUMBERS, WEIGHTS), min_size=2, max_size=30)


@pytest.mark.parametrize(
    ("scores", "gold", "right"),
    [
        ([-3.0, -1.0, -2.0], [1], True),
        ([-3.0, -1.0, -2.0], [0], False),
        ([-3.0, -1.0, -2.0], [0, 1], True),
        ([-1.0, -1.0, -2.0], [0], False),
        ([-1.0, -1.0, -2.0], [1], False),
        ([-1.0, -1.0, -2.0], [1, 0], True),
        ([-1.0, -1.0, -1.0], [2, 0], False),
        ([-5.0], [0], True),
    ],
    ids=["best", "not best", "one of two right", "tie", "tie the other way", "tie of right ones", "three tie", "alone"],
)
def test_a_prediction_is_right_if_no_wrong_candidate_scores_as_high(scores, gold, right):
    assert is_right(best_candidates(scores), gold) is right


def test_nothing_predicted_is_wrong():
    assert not is_right([], [0])


@given(st.lists(NUMBERS, min_size=1, max_size=8), st.data())
def test_a_prediction_is_right_exactly_where_a_right_score_exceeds_every_wrong_one(scores, data):
    gold = data.draw(st.sets(st.integers(0, len(scores) - 1), min_size=1))
    rights = [score for place, score in enumerate(scores) if place in gold]
    wrongs = [score for place, score in enumerate(scores) if place not in gold]
    assert is_right(best_candidates(scores), sorted(gold)) is (max(rights) > max(wrongs, default=-math.inf))


@pytest.mark.parametrize(
    ("share", "num_rows", "low", "high"),
    [
        (0.5, 10, 0.23659, 0.76341),  # centre 0.5, 0.5 * sqrt(3.8415 / 13.8415) to either side
        (0.0, 10, 0.0, 0.27753),  # z^2 / (n + z^2)
        (1.0, 10, 0.72247, 1.0),
        (0.9, 100, 0.82563, 0.94477),
    ],
)
def test_the_wilson_interval_is_the_one_of_the_books(share, num_rows, low, high):
    assert wilson(share, num_rows=num_rows) == pytest.approx((low, high), abs=1e-5)


@given(SHARES, st.integers(1, 10_000))
def test_the_wilson_interval_holds_the_share_stays_in_bounds_and_mirrors(share, num_rows):
    interval = wilson(share, num_rows=num_rows)
    assert 0 <= interval.low <= share <= interval.high <= 1
    mirrored = wilson(1 - share, num_rows=num_rows)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx(interval, abs=1e-9)


@given(SHARES, st.integers(1, 5_000))
def test_the_wilson_interval_narrows_with_rows(share, num_rows):
    few, many = wilson(share, num_rows=num_rows), wilson(share, num_rows=2 * num_rows)
    assert many.high - many.low < few.high - few.low


@given(st.integers(1, 500), WEIGHTS)
def test_equal_weights_are_worth_the_number_of_rows(num_rows, weight):
    assert effective_rows([weight] * num_rows) == pytest.approx(num_rows)


@given(st.lists(WEIGHTS, min_size=1, max_size=50))
def test_unequal_weights_are_worth_no_more(weights):
    assert 1 - 1e-9 <= effective_rows(weights) <= len(weights) + 1e-9


def test_unequal_weights_by_hand():
    assert effective_rows([1, 1, 2]) == pytest.approx(16 / 6)
    assert weighted_mean([0, 1, 1], weights=[1, 1, 2]) == 0.75


def test_the_normal_interval_by_hand():
    # mean 2, sample deviation 1, three rows: 1.959964 / sqrt(3)
    assert normal([1, 2, 3], weights=[1, 1, 1]) == pytest.approx((2 - 1.131586, 2 + 1.131586), abs=1e-6)
    assert normal([1], weights=[1]) is None


@given(WEIGHTED, st.floats(0.1, 10))
def test_the_normal_interval_holds_the_mean_whatever_the_scale_of_the_weights(weighted, scale):
    values, weights = [value for value, _ in weighted], [weight for _, weight in weighted]
    interval = normal(values, weights=weights)
    assert interval is not None
    assert interval.low - 1e-9 <= weighted_mean(values, weights=weights) <= interval.high + 1e-9
    assert normal(values, weights=[scale * weight for weight in weights]) == pytest.approx(interval, abs=1e-6)


def test_the_interval_of_a_mean_by_hand():
    found = interval_of_mean([0.4, 0.8], intervals=[Interval(0.1, 0.6), Interval(0.4, 0.9)])
    assert found == pytest.approx((0.6 - math.hypot(0.3, 0.4) / 2, 0.6 + math.hypot(0.2, 0.1) / 2))
    assert interval_of_mean([0.4, 0.8], intervals=[Interval(0.1, 0.6), None]) is None


@given(st.lists(st.tuples(SHARES, st.integers(1, 500)), min_size=1, max_size=12))
def test_the_interval_of_a_mean_is_that_of_a_single_task_and_never_wider_than_the_widest(tasks):
    means = [share for share, _ in tasks]
    intervals = [wilson(share, num_rows=num_rows) for share, num_rows in tasks]
    found = interval_of_mean(means, intervals=intervals)
    assert found is not None
    assert found.low - 1e-9 <= sum(means) / len(means) <= found.high + 1e-9
    assert found.high - found.low <= max(interval.high - interval.low for interval in intervals) + 1e-9
    if len(tasks) == 1:
        assert found == pytest.approx(intervals[0])


def test_chance_and_majority_by_hand():
    golds = [[0], [0, 2], [1]]
    assert chance(golds, num_candidates=[2, 4, 4]) == pytest.approx((1 / 2 + 2 / 4 + 1 / 4) / 3)
    assert majority(golds, candidates=[list("ab"), list("cdef"), list("ghij")]) == pytest.approx(2 / 3)
    assert majority([[0], [1], [1]], candidates=[["yes", "no"], ["no", "yes"], ["no", "yes"]]) == 1


@given(st.lists(st.sets(st.integers(0, 3), min_size=1), min_size=1, max_size=30))
def test_no_guess_over_the_same_number_of_candidates_beats_the_best_constant_answer(sets):
    golds = [sorted(gold) for gold in sets]
    best = majority(golds, candidates=[list("abcd")] * len(golds))
    assert chance(golds, num_candidates=[4] * len(golds)) <= best + 1e-9 <= 1 + 1e-9
