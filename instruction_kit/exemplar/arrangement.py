"""How exemplars stand before a question: what parts the rounds, and what is written above each.

In: rendered exemplars. Out: the text that stands before the row's own prompt. An exemplar is its prompt, which the
joiner ends, and its completion, as in a pair by itself; a line between rounds is never taken for a part of either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Shown(NamedTuple):
    """One exemplar as it stands in a prompt."""

    row: str
    prompt: str
    completion: str


@dataclass(frozen=True)
class Arrangement:
    """One way to write rounds one after another."""

    between: str
    """After each exemplar's completion."""
    above: str = ""
    """Before each exemplar, with `{number}`."""
    question: str = ""
    """Before the question, with `{number}`, which goes on counting."""

    def text(self, shown: Sequence[Shown]) -> str:
        r"""All that stands before the question.

        >>> Arrangement("\n\n").text([Shown("r1", "1 + 1?\n", "2")])
        '1 + 1?\n2\n\n'
        """
        rounds = [
            f"{self.above.replace('{number}', str(number))}{one.prompt}{one.completion}{self.between}"
            for number, one in enumerate(shown, start=1)
        ]
        return "".join(rounds) + self.question.replace("{number}", str(len(shown) + 1))


_BETWEEN = ("\n\n", "\n\n\n", "\n\n---\n\n", "\n\n###\n\n", "\n\n***\n\n")
_HEADINGS = (
    ("", ""),
    ("Example {number}\n", "Now this one\n"),
    ("Problem {number}:\n", "Problem {number}:\n"),
    ("[{number}]\n", "[{number}]\n"),
)

ARRANGEMENTS = tuple(Arrangement(between, *heading) for heading in _HEADINGS for between in _BETWEEN)
"""The first is what a row that is measured has: a blank line between rounds, and no headings."""
