"""Metrics: cases worked out by hand, the libraries' own corpus figures, and what holds for any answers."""

import math
from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_kit.errors import EvaluationError, MissingExtraError
from instruction_kit.evaluation import metrics
from instruction_kit.evaluation.metrics import METRICS, compute, metric, plain, token_f1

WORDS = st.sampled_from(["the", "red", "house", "a", "dog.", "Runs", "3", "-1.5"])
TEXTS = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
ROWS = st.lists(st.tuples(st.none() | TEXTS, st.lists(TEXTS, min_size=1, max_size=3)), min_size=1, max_size=8)
PERFECT = sorted(set(METRICS) - {"edit_distance", "mcc", "pearson", "spearman"})


@pytest.mark.parametrize(
    ("name", "answers", "rights", "wanted"),
    [
        ("accuracy", ["Yes", "no ", "maybe"], [["yes"], ["no"], ["no"]], 2 / 3),
        ("exact_match", ["The U.S.!", "12 apples", None], [["us"], ["apples"], [""]], 1 / 3),
        ("exact_match", ["blue"], [["red", "Blue."]], 1),
        ("f1", ["a b c", "x"], [["b c d e"], ["x"]], (2 * (2 / 2) * (2 / 4) / (2 / 2 + 2 / 4) + 1) / 2),  # `a` goes
        ("f1", ["the"], [["a"]], 1),  # nothing is left of either
        ("rouge1", ["the cat sat"], [["the cat stood up"]], 2 * (2 / 3) * (2 / 4) / (2 / 3 + 2 / 4)),
        ("rouge2", ["the cat sat"], [["the cat stood up"]], 2 * (1 / 2) * (1 / 3) / (1 / 2 + 1 / 3)),
        ("rouge1", ["cats running"], [["the dog", "cat runs"]], 1),  # stemmed, and the better of two
        ("rougeL", ["b a c"], [["a b c"]], 2 / 3),
        ("edit_distance", ["kitten", None], [["sitting"], ["x"]], (3 / 7 + 1) / 2),
        ("mcc", ["yes", "yes", "no", "no"], [["yes"], ["no"], ["no"], ["yes"]], 0),
        # 3 true and 1 false positive, 2 true and 0 false negative: (3*2 - 1*0) / sqrt(4*3*3*2)
        ("mcc", ["y", "y", "y", "y", "n", "n"], [["y"], ["y"], ["y"], ["n"], ["n"], ["n"]], 6 / math.sqrt(72)),
        ("pearson", ["1", "2", "about 3"], [["2"], ["4"], ["6"]], 1),
        ("pearson", ["1", "1", "1"], [["2"], ["4"], ["6"]], 0),
        ("spearman", ["1", "10", "100"], [["1"], ["2"], ["3"]], 1),
        ("bleu", ["the cat sat on the mat"], [["the cat sat on the mat"]], 1),
        # 6 of 6 words; 3 of 5, 2 of 4 and 1 of 3 runs of two, three and four; as long as the right one
        ("bleu", ["the cat sat on mat the"], [["the cat sat on the mat"]], (3 / 5 * 2 / 4 * 1 / 3) ** 0.25),
        ("chrf", ["abc"], [["abc"]], 1),
    ],
)  # fmt: skip
def test_a_figure_is_the_one_that_is_worked_out_by_hand(name, answers, rights, wanted):
    assert compute(name, answers, rights) == pytest.approx(wanted)


@given(ROWS)
def test_bleu_and_chrf_are_the_corpus_figures_of_sacrebleu(rows):
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    answers, rights = [answer for answer, _ in rows], [right for _, right in rows]
    given = [answer or "" for answer in answers]
    streams = list(zip_longest(*rights))  # a row with fewer right answers than another has None there
    assert compute("bleu", answers, rights) == pytest.approx(BLEU().corpus_score(given, streams).score / 100)
    assert compute("chrf", answers, rights) == pytest.approx(CHRF().corpus_score(given, streams).score / 100)


@given(ROWS, st.sampled_from(sorted(METRICS)))
def test_a_figure_lies_within_its_bounds_whatever_is_answered(rows, name):
    found = compute(name, [answer for answer, _ in rows], [right for _, right in rows])
    low = -1 if name in ("mcc", "pearson", "spearman") else 0
    assert low - 1e-9 <= found <= 1 + 1e-9


@given(ROWS, st.sampled_from(PERFECT))
def test_the_right_answers_are_perfect_wherever_words_are_left_of_them(rows, name):
    rights = [[f"{right} x y z w" for right in of] for _, of in rows]
    assert compute(name, [of[-1] for of in rights], rights) == pytest.approx(1)
    assert compute("edit_distance", [of[0] for of in rights], rights) == 0


@given(TEXTS, TEXTS)
def test_token_f1_is_the_same_both_ways(one, other):
    assert token_f1(one, other) == token_f1(other, one)
    assert plain(plain(one)) == plain(one)


def test_a_name_that_is_no_metric_and_a_library_that_is_absent_are_told(monkeypatch):
    with pytest.raises(EvaluationError, match=r"metric rougeLsun: there is none of that name; did you mean rougeLsum"):
        metric("rougeLsun")
    monkeypatch.setattr(metrics, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"the metric bleu needs the extra `metrics`"):
        metric("bleu")
    assert metric("f1").title == "Token F1"
