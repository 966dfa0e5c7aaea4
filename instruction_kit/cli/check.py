"""`check` as lines, `file:line: what`, as an editor finds its way by.

In: a review. Out: which of its findings are problems, and a line each. Held to the rules of the shipped library, what
falls short of them is a problem too.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from instruction_kit.review.finding import Finding
from instruction_kit.review.review import Review


def problems(found: Review, *, library: bool) -> list[Finding]:
    """What ends the command with exit 1."""
    return [one for one in found.findings if one.level == "problem" or (library and one.level == "rule")]


def summary(found: Review, *, library: bool) -> str:
    """How much was looked at, and what came of it."""
    wrong = len(problems(found, library=library))
    advice = len(found.findings) - wrong
    told = [_so_many(found.num_tasks, "task"), _so_many(found.num_templates, "template"), _so_many(wrong, "problem")]
    if advice:
        told.append(f"{_so_many(advice, 'piece')} of advice")
    return ", ".join(told)


def _so_many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def finding_lines(found: Review, *, library: bool) -> Iterator[str]:
    """Problems, and advice that is called so; files below the current folder by their way from there."""
    wrong, here = problems(found, library=library), f"{Path.cwd()}{os.sep}"
    for one in found.findings:
        told = str(one) if one in wrong else f"{one.place}: advice: {one.told}"
        yield told.replace(here, "")
