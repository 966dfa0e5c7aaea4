"""docs/library.md names every rule, and every number of a rule is the one in force."""

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from instruction_kit.review import likeness, phrasing, position, sample
from instruction_kit.review.finding import Finding, Rule
from instruction_kit.review.review import Review

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/library.md").read_text(encoding="utf-8")


def test_the_page_names_every_rule_and_no_other():
    told = {name for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert {*get_args(Rule)} == {*told, "file"}


def test_the_numbers_of_the_page_are_those_in_force():
    assert (sample.MIN_ROWS, sample.MIN_DIRT, sample.MAX_RATIO) == (24, 3, 2)
    assert (phrasing.MIN_PHRASINGS, phrasing.MIN_INVERTED, phrasing.MAX_INVERTED) == (10, 1, 3)
    assert (phrasing.MIN_REASONING, position.MIN_MAIN, position.MIN_OPTIONS) == (3, 3, 2)
    assert likeness.TOO_MUCH == 0.5


def test_the_page_names_every_field_of_what_a_program_reads():
    names = [field.name for record in (Review, Finding) for field in fields(record)]
    assert [name for name in names if f"`{name}`" not in PAGE] == []
