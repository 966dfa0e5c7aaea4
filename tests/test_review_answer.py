"""What is said of pairs whose answer stands wrongly: no template that can be used makes such, so they are made here."""

from dataclasses import replace

import pytest
from rendering import ASK, CLAIM, JUDGE, NO_OPTIONS, OPTIONS, SENTENCE, rendered, template

from instruction_kit.review.answer import pair_flaws


def said(text: str, **changes: object) -> list[tuple[str, str]]:
    pair = replace(rendered(text, CLAIM), **changes)  # type: ignore[arg-type]
    return [(flaw.rule, flaw.what) for flaw in pair_flaws(pair, template(text), OPTIONS, JUDGE)]


@pytest.mark.parametrize("text", [ASK, SENTENCE])
def test_of_a_pair_as_it_is_rendered_nothing_is_said(text):
    assert said(text) == []
    pair = rendered(text, CLAIM, setting=NO_OPTIONS)
    assert [*pair_flaws(pair, template(text), NO_OPTIONS, JUDGE)] == []


def test_an_answer_that_is_not_what_is_read_back_is_told():
    assert said(SENTENCE, completion="I find it true. I find it false.") == [
        ("not_read_back", "answers 'true.', and what is read back from its output is 'false'"),
        ("not_an_option", "answers 'true.', which is none of the options"),
    ]


def test_an_answer_that_is_none_of_the_options_is_told():
    assert said(ASK, completion="maybe", answer_end=5) == [
        ("not_an_option", "answers 'maybe', which is none of the options")
    ]


def test_an_option_that_the_prompt_does_not_list_is_told():
    assert said(ASK, options=["true", "false", "maybe"]) == [
        ("option_not_listed", "does not list the option 'maybe'"),
    ]
