"""How options are listed in a prompt, as data.

In: the options' words. Out: the block that `{{ options }}` prints, and the text by which each option is answered: its
words, or its label where the style has labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase
from typing import Literal


@dataclass(frozen=True)
class Style:
    """One way to list options."""

    start: str
    """Line above the list; empty for none."""
    item: str
    """One option, with `{label}` and `{text}`."""
    labels: Literal["none", "upper", "lower", "number"] = "none"
    answer: str = "{text}"
    """How an option is answered, with `{label}` and `{text}`."""


STYLES: dict[str, Style] = {
    "dash": Style("Options:", "- {text}"),
    "letter": Style("Options:", "({label}) {text}", "upper", "({label})"),
    "number": Style("Options:", "{label}) {text}", "number", "{label}"),
    "plain": Style("", "{text}"),
}


def _label(kind: str, position: int) -> str:
    """A, B, …, Z, AA, AB, … so that no list is too long for letters.

    >>> [_label("upper", p) for p in (0, 25, 26)]
    ['A', 'Z', 'AA']
    """
    if kind == "number":
        return str(position + 1)
    letters = ascii_uppercase if kind == "upper" else ascii_lowercase
    return letters[position] if position < 26 else letters[position // 26 - 1] + letters[position % 26]


def block(words: Sequence[str], style: Style) -> str:
    """The list as a prompt shows it; empty without options.

    >>> print(block(["yes", "no"], STYLES["letter"]))
    Options:
    (A) yes
    (B) no
    """
    lines = [_filled(style.item, _label(style.labels, i), text) for i, text in enumerate(words)]
    return "\n".join([style.start, *lines] if style.start and lines else lines)


def answers(words: Sequence[str], style: Style, *, listed: bool) -> list[str]:
    """How each option is answered; without a list in the prompt, by its words.

    >>> answers(["yes", "no"], STYLES["letter"], listed=True)
    ['(A)', '(B)']
    """
    if not listed or style.labels == "none":
        return list(words)
    return [_filled(style.answer, _label(style.labels, i), text) for i, text in enumerate(words)]


def _filled(pattern: str, label: str, text: str) -> str:
    """Not `str.format`: braces in data stay data."""
    return pattern.replace("{label}", label).replace("{text}", text)
