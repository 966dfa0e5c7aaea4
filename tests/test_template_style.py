"""Styles of options: distinct, exact from label to option, and blind to what the options say."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_kit.template.style import STARTS, STYLES, Style, answers, block, variants

EVERY = [variant for name in STYLES for variant in variants(name)]
LABELLED = [name for name, style in STYLES.items() if style.labels != "none"]
WORDS = st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=30) | st.just([str(n) for n in range(100)])


def test_there_are_twenty_styles_and_more_under_several_phrases():
    assert len(STYLES) >= 20
    assert len(STARTS) >= 5
    assert len(set(EVERY)) == len(EVERY)


@pytest.mark.parametrize("words", [["yes", "no"], ["yes", "yes"], [str(n) for n in range(100)]])
def test_no_two_styles_print_the_same_list_alike(words):
    printed = {style: block(words, style) for style in EVERY}
    alike = [pair for pair in combinations(EVERY, 2) if printed[pair[0]] == printed[pair[1]]]
    assert alike == []


@given(words=WORDS)
@pytest.mark.parametrize("name", LABELLED)
def test_every_label_leads_back_to_its_option(name, words):
    said = answers(words, STYLES[name], listed=True)
    assert [said.index(label) for label in said] == list(range(len(words)))


@given(words=WORDS)
@pytest.mark.parametrize("style", [style for name in STYLES for style in variants(name)[:2]])
def test_every_option_stands_in_the_list_as_it_is_and_in_its_order(style, words):
    rest = block(words, style)
    for label, word in zip(answers(words, style, listed=True), words, strict=True):
        shown = label if style.labels != "none" else ""
        assert shown.strip("()[]") in rest
        _, found, rest = rest.partition(word)
        assert found


@given(words=WORDS)
@pytest.mark.parametrize("name", STYLES)
def test_without_a_list_an_option_is_answered_by_its_words(name, words):
    assert answers(words, STYLES[name], listed=False) == words


@pytest.mark.parametrize("name", STYLES)
def test_without_options_nothing_is_printed(name):
    assert block([], STYLES[name]) == ""


def test_a_pattern_in_an_option_is_only_text():
    assert block(["{text}", "{label}"], Style("", "{label}) {text}", "upper", "{label}")) == "A) {text}\nB) {label}"


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("roman", "Options:\ni. a\nii. b\niii. c\niv. d"),
        ("roman_upper", "Options:\nI. a\nII. b\nIII. c\nIV. d"),
        ("letter_inline", "Options: (A) a (B) b (C) c (D) d"),
        ("comma", "Options: a, b, c, d."),
        ("number_round", "Options:\n(1) a\n(2) b\n(3) c\n(4) d"),
        ("small_bracket", "Options:\na) a\nb) b\nc) c\nd) d"),
    ],
)
def test_a_list_is_printed_in_its_style(name, printed):
    assert block(list("abcd"), STYLES[name]) == printed
