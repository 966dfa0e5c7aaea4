"""The figures of a report: worked out by hand, and what must hold for any numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_kit.evaluation.figures import best_candidates, chance, is_right, majority, rows_for

NUMBERS = st.floats(-100, 100)


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


@given(st.floats(0.005, 0.5))
def test_so_many_rows_make_the_interval_of_a_half_as_narrow_as_was_asked(precision):
    rows = rows_for(precision)
    assert 1.959963 * math.sqrt(0.25 / rows) <= precision < 1.959965 * math.sqrt(0.25 / (rows - 1))


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
