"""Prompts of solved questions as papers publish them: their text goes in, questions with reasons and answers come out.

A question begins on a line with `Q:`, its solution on a line with `A:`; what stands above the first question is a title
or a licence, and is left. The answer stands behind the last `answer is`; without one the whole solution is the answer.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_QUESTION = re.compile(r"^Q:[ \t]*", re.MULTILINE)
_SOLUTION = re.compile(r"^A:[ \t]*", re.MULTILINE)
_ANSWER = re.compile(r"\s*(?:(?:So|Thus|Therefore|Hence),? )?the (?:final )?answer is:?\s+", re.IGNORECASE)
_TRIGGER = re.compile(r"\ALet's think step by step\.\s*")


class Solved(NamedTuple):
    """One solved question."""

    question: str
    rationale: str
    """Empty where the solution is the answer alone."""
    answer: str


def solved(text: str) -> Iterator[Solved]:
    r"""Read every solved question; one without a solution has no answer.

    >>> list(solved("Sums.\n\nQ: 1 + 1?\nA: Let's think step by step.\nOne and one. So the answer is 2."))
    [Solved(question='1 + 1?', rationale='One and one.', answer='2')]
    >>> list(solved("Q: 1 + 1?\nA: 2"))
    [Solved(question='1 + 1?', rationale='', answer='2')]
    """
    for part in _QUESTION.split(text)[1:]:
        question, *solution = _SOLUTION.split(part, maxsplit=1)
        said = _TRIGGER.sub("", solution[0].strip()) if solution else ""
        found = list(_ANSWER.finditer(said))
        if found:
            reasons, answer = said[: found[-1].start()], said[found[-1].end() :]
            yield Solved(question.strip(), reasons.strip(), answer.strip().removesuffix(".").strip())
        else:
            yield Solved(question.strip(), "", said)
