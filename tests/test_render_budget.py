"""What is cut where a prompt is over the budget, and what never is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendering import CLAIM, INVERTED, READING, attempted, rendered
from small_task import claims, verdicts

from instruction_kit.render.render import MIN_KEPT_CHARS, TOO_LONG
from instruction_kit.template.environment import RowProblem

LONG = "{{ claim }}\n\nIs that so?\n\n{{ options }}\n|||\nIt is {{ answer }}."


def test_what_fits_is_left_alone():
    exact = len(rendered(LONG, CLAIM).prompt) + len("It is false.")
    pair = rendered(LONG, CLAIM, budget=exact)
    assert (pair.shortened, pair.prompt) == (0, rendered(LONG, CLAIM).prompt)


def test_a_long_field_is_shortened_at_the_end_of_a_word_and_says_so():
    claim = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    pair = rendered(LONG, {**CLAIM, "claim": claim}, budget=120)
    kept = "one two three four five six seven eight nine ten eleven …"
    assert pair.prompt == f"{kept}\n\nIs that so?\n\nOptions:\n- true\n- false\n- open\n"
    assert pair.shortened == len(" twelve thirteen fourteen fifteen sixteen") - len(" …")
    assert len(pair.prompt) + len("It is false.") <= 120


def test_the_longest_output_has_to_fit_not_only_the_right_one():
    words = verdicts(claims(1), answers={"open": "a matter on which nobody can tell"})
    pair = rendered(LONG, {**CLAIM, "claim": "word " * 40}, task=words, budget=190)
    assert len(pair.prompt) + len("It is a matter on which nobody can tell.") <= 190
    assert pair.shortened > 0


def test_what_cannot_be_shortened_is_too_long():
    with pytest.raises(RowProblem, match=TOO_LONG):
        rendered(LONG, CLAIM, budget=len(rendered(LONG, CLAIM).prompt))
    asked = "{{ passage }}\n{{ question }}\n|||\n{{ answer }}"
    example = {"passage": "word " * 30, "question": "Who? " * 40, "answers": ["Ann"], "rationale": None}
    with pytest.raises(RowProblem, match=TOO_LONG):
        rendered(asked, example, task=READING, budget=200)


def test_an_output_is_never_shortened_and_neither_is_the_field_that_it_prints():
    text = "Pass on: {{ passage }}\n|||\n{{ passage }}"
    example = {"passage": "word " * 60, "question": "Who?", "answers": ["Ann"], "rationale": None}
    with pytest.raises(RowProblem, match=TOO_LONG):
        rendered(text, example, task=READING, setting=INVERTED, budget=400)


@given(st.text("ab \n😀", max_size=300), st.text("xy z", max_size=120).filter(str.strip), st.integers(100, 400))
def test_a_pair_is_never_over_budget_and_only_the_long_field_is_cut(passage, asked, budget):
    text = "Read.\n{{ passage }}\n---\n{{ question }}\n|||\nIt says {{ answer }}!"
    example = {"passage": passage, "question": asked, "answers": ["this", "that thing"], "rationale": None}
    pair = attempted(text, example, task=READING, budget=budget)
    if isinstance(pair, str):
        assert pair == TOO_LONG
        whole = len(f"Read.\n\n---\n{asked}\nIt says that thing!")
        assert whole + min(len(passage), MIN_KEPT_CHARS) > budget
        return
    assert len(pair.prompt) + len("It says that thing!") <= budget
    kept = pair.prompt.removeprefix("Read.\n").removesuffix(f"\n---\n{asked.rstrip()}\n")
    assert pair.prompt == f"Read.\n{kept}\n---\n{asked.rstrip()}\n"
    assert pair.completion == "It says this!"
    assert pair.references == ["It says this!", "It says that thing!"]
    if pair.shortened:
        assert passage.startswith(kept.removesuffix(" …"))
        assert len(passage) - len(kept) == pair.shortened
    else:
        assert kept == passage
