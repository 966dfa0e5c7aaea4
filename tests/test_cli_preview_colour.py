"""What `preview` marks: the options and the answer of the question, and no exemplar's, in every kind of setting."""

import os
import re
import subprocess
import sys
from typing import Any
from unittest.mock import patch

import pytest
from command import command
from rich.color import ColorSystem

from instruction_kit.cli import console

BEFORE, OPTIONS, RIGHT, OUTPUT, ANSWER = "2", "36", "1;32", "32", "1;7;32"
"""What a terminal is told: dim, cyan, bold green, green, bold green reversed."""
MARKED = re.compile(r"\x1b\[([\d;]+)m(.*?)\x1b\[0m")


def marked(task: str, template: str, setting: str) -> dict[str, list[str]]:
    """Escape code -> the texts in it, of the first row under one template on a wide terminal in colour."""
    arguments = ("preview", task, "--template", template, "--setting", setting, "--exemplars", "2")
    colour: dict[str, Any] = {"_color_system": ColorSystem.STANDARD, "no_color": False}
    with patch.multiple(console.out, _force_terminal=True, _width=200, _height=50, **colour):
        code, out, err = command(*arguments)
    assert code == 0, err
    found: dict[str, list[str]] = {}
    for style, text in MARKED.findall(out):
        found.setdefault(style, []).append(text.rstrip())
    return found


def of_frame(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Without what is no row's: the rule above it, the separator and the lengths."""
    kept = {code: texts for code, texts in found.items() if code != "92"}
    return kept | {BEFORE: [text for text in kept[BEFORE] if not re.fullmatch(r"\|\|\||.* characters", text)]}


RIGHT_ONE, OTHER = "No fresh loaves were on the shelves.", "The baker whistled on his way home."


def test_options_and_answer_are_told_apart():
    assert of_frame(marked("copa", "question_then_options", "zero_shot.options")) == {
        BEFORE: [],
        OPTIONS: ["Options:", f"- {OTHER}"],
        RIGHT: [f"- {RIGHT_ONE}"],
        ANSWER: [RIGHT_ONE],
    }


def test_exemplars_are_dim_and_their_answers_are_not_marked():
    found = marked("sst2", "pick_one_option", "few_shot.options")
    assert (found[OPTIONS], found[RIGHT], found[ANSWER]) == (["Options:", "(A) negative"], ["(B) positive"], ["(B)"])
    dim = found[BEFORE]
    assert (dim.count("Your pick:"), dim.count("Options:"), dim.count("(A)") + dim.count("(B)")) == (2, 2, 2)


@pytest.mark.parametrize("shots", ["zero_shot", "few_shot"])
def test_reasons_are_output_and_the_answer_alone_is_marked(shots):
    found = marked("gsm8k", "step_by_step", f"{shots}.options.cot")
    assert found[ANSWER] == ["19"]
    assert found[OUTPUT] == ["Mila plants 4*6=24 heads.", "The rabbits leave 24-5=19 heads.", "The answer is", "."]
    assert found.keys().isdisjoint({OPTIONS, RIGHT})
    assert ("The answer is 12." in found[BEFORE]) == (shots == "few_shot")


@pytest.mark.parametrize("shots", ["zero_shot", "few_shot"])
def test_an_inverted_output_has_no_answer_and_no_option_is_right(shots):
    found = marked("copa", "write_the_test_item", f"{shots}.options.inverted")
    assert found[OUTPUT] == ["What did this lead to?"]
    assert found[OPTIONS] == ["Options:", f"- {RIGHT_ONE}", f"- {OTHER}"]
    assert found.keys().isdisjoint({RIGHT, ANSWER})


COMMAND = (sys.executable, "-m", "instruction_kit.cli", "preview", "sst2", "--template", "pick_one_option")


def said(**environment: str) -> str:
    """What the command writes into a pipe."""
    without = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    done = subprocess.run(COMMAND, env={**without, "TERM": "xterm", **environment}, capture_output=True, check=True)
    return done.stdout.decode()


def test_a_pipe_and_whoever_wants_no_colour_get_plain_text():
    plain, coloured, refused = said(), said(FORCE_COLOR="1"), said(FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[" in coloured
    assert "\x1b" not in plain + refused
    assert "Your pick:" in plain
    assert "Your pick:" in refused
