"""How options are listed in a prompt, as data.

In: the options' words. Out: the block that `{{ options }}` prints, and the text by which each option is answered: its
words, or its label where the style has labels. A style is a mark before each option, put together with a phrase above
the list; no two of them print the same list alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase, ascii_uppercase
from typing import Literal

Labels = Literal["none", "upper", "lower", "number", "roman", "upper_roman"]


@dataclass(frozen=True)
class Style:
    """One way to list options."""

    start: str
    """Words above the list, or before it where it stands in one line; empty for none."""
    item: str
    """One option, with `{label}` and `{text}`."""
    labels: Labels = "none"
    answer: str = "{text}"
    """How an option is answered, with `{label}` and `{text}`."""
    between: str = "\n"
    end: str = ""
    """What stands after the last option."""


STYLES: dict[str, Style] = {
    "dash": Style("Options:", "- {text}"),
    "star": Style("Options:", "* {text}"),
    "dot": Style("Options:", "• {text}"),
    "box": Style("Options:", "[ ] {text}"),
    "letter": Style("Options:", "({label}) {text}", "upper", "({label})"),
    "letter_point": Style("Options:", "{label}. {text}", "upper", "{label}"),
    "letter_bracket": Style("Options:", "{label}) {text}", "upper", "{label}"),
    "letter_square": Style("Options:", "[{label}] {text}", "upper", "[{label}]"),
    "letter_inline": Style("Options:", "({label}) {text}", "upper", "({label})", " "),
    "small": Style("Options:", "({label}) {text}", "lower", "({label})"),
    "small_point": Style("Options:", "{label}. {text}", "lower", "{label}"),
    "small_bracket": Style("Options:", "{label}) {text}", "lower", "{label}"),
    "number": Style("Options:", "{label}) {text}", "number", "{label}"),
    "number_point": Style("Options:", "{label}. {text}", "number", "{label}"),
    "number_round": Style("Options:", "({label}) {text}", "number", "({label})"),
    "roman": Style("Options:", "{label}. {text}", "roman", "{label}"),
    "roman_round": Style("Options:", "({label}) {text}", "roman", "({label})"),
    "roman_upper": Style("Options:", "{label}. {text}", "upper_roman", "{label}"),
    "comma": Style("Options:", "{text}", between=", ", end="."),
    "semicolon": Style("Options:", "{text}", between="; ", end="."),
    "slash": Style("Options:", "{text}", between=" / "),
    "bar": Style("Options:", "{text}", between=" | "),
    "plain": Style("", "{text}"),
}
"""By name: what a template's `style` or a mixture's `styles` can say."""

DEFAULT = "dash"
STARTS = (
    "Options:",
    "Choices:",
    "Possible answers:",
    "Answer with one of these:",
    "The answer is one of:",
    "Pick from:",
)
"""Phrases above a list; a style without one has none in any variant."""


def variants(name: str) -> tuple[Style, ...]:
    """A style under each of the phrases that can stand above it.

    >>> len(variants("dash")), len(variants("plain"))
    (6, 1)
    """
    style = STYLES[name]
    return tuple(replace(style, start=start) for start in STARTS) if style.start else (style,)


_ROMAN = {100: "c", 90: "xc", 50: "l", 40: "xl", 10: "x", 9: "ix", 5: "v", 4: "iv", 1: "i"}


def _label(kind: Labels, position: int) -> str:
    """A, B, …, Z, AA, AB, … so that no list is too long for letters.

    >>> [_label("upper", p) for p in (0, 25, 26)], _label("roman", 3)
    (['A', 'Z', 'AA'], 'iv')
    """
    if kind == "number":
        return str(position + 1)
    if kind in ("roman", "upper_roman"):
        return _roman(position + 1) if kind == "roman" else _roman(position + 1).upper()
    letters = ascii_uppercase if kind == "upper" else ascii_lowercase
    return letters[position] if position < 26 else letters[position // 26 - 1] + letters[position % 26]


def _roman(number: int) -> str:
    written = ""
    for value, letters in _ROMAN.items():
        written += letters * (number // value)
        number %= value
    return written


def block(words: Sequence[str], style: Style) -> str:
    """The list as a prompt shows it; empty without options.

    >>> print(block(["yes", "no"], STYLES["letter"]))
    Options:
    (A) yes
    (B) no
    >>> print(block(["yes", "no"], STYLES["comma"]))
    Options: yes, no.
    """
    if not words:
        return ""
    gap = ("\n" if style.between == "\n" else " ") if style.start else ""
    return f"{style.start}{gap}{style.between.join(items(words, style))}{style.end}"


def items(words: Sequence[str], style: Style) -> list[str]:
    """Each option as the list shows it."""
    return [_filled(style.item, _label(style.labels, i), text) for i, text in enumerate(words)]


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
