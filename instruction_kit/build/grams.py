"""Texts as normalised words and as hashes of runs of words, in columns.

In: a series of texts. Out: their words, and for every run of n words the text that it stands in. What counts as a word
does not depend on case, punctuation or width; in scripts that put no blanks between words a word is a character, or a
consonant with its vowels and marks where characters are less than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

_SIGN = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
_LETTER = (
    "[\u0e40-\u0e44\u0ec0-\u0ec4]?"  # vowels that are written before their consonant
    r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
    "[\\p{M}\u0e30\u0e32\u0eb0\u0eb2]*"  # marks, and vowels written behind it
)
_UNSPACED = f"({_SIGN}|{_LETTER})"
PRIME = np.uint64(0x9E3779B97F4A7C15)
"""2**64 divided by the golden ratio, made odd: powers of it spread over all 64 bits."""

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


def normalised(texts: pl.Expr) -> pl.Expr:
    r"""Lower-case words with single blanks between them.

    >>> pl.DataFrame({"t": ["It's  ALL\nright!", "日本 go"]}).select(normalised(pl.col("t"))).to_series().to_list()
    ['it s all right', '日 本 go']
    """
    return (
        texts.str.normalize("NFKC")
        .str.to_lowercase()
        .str.replace_all(_UNSPACED, " $1 ")
        .str.replace_all(r"[^\p{L}\p{N}\p{M}]+", " ")
        .str.strip_chars()
    )


def signs(texts: pl.Expr) -> pl.Expr:
    r"""The signs of arithmetic and money, which words leave out; a dash or a stroke is one beside a number.

    >>> told = pl.DataFrame({"t": ["2 + 3", "2-3", "$5 or 5 %", "well-known"]}).select(signs(pl.col("t")))
    >>> told.to_series().to_list()
    ['+', '2-', '$5%', '']
    """
    flat = texts.str.normalize("NFKC").str.replace_all(r"[\p{Pd}\x{2212}]", "-")
    return (
        flat.str.extract_all(r"[\p{Sm}\p{Sc}]|\p{N}\s*[-*/^%]|[-*/^%]\s*\p{N}").list.join("").str.replace_all(r"\s", "")
    )


@dataclass(frozen=True)
class Words:
    """The words of many texts, one after another."""

    hashes: Hashes
    text: Places
    """The number of the text in which each word stands."""
    left: Places
    """How many words its text has from this one on, itself counted."""


def words_of(texts: pl.Series) -> Words:
    """The words of normalised texts.

    >>> words_of(pl.Series(["a b", "c"])).left.tolist()
    [2, 1, 1]
    """
    lists = texts.fill_null("").str.split(" ").list.eval(pl.element().filter(pl.element() != ""))
    lengths = lists.list.len().cast(pl.Int64).to_numpy()
    words = lists.explode(empty_as_null=False).drop_nulls()
    text = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
    ends = np.cumsum(lengths, dtype=np.int64)
    left = ends[text] - np.arange(len(words), dtype=np.int64)
    return Words(words.hash(seed=0).to_numpy(), text, left)


def grams(words: Words, size: int) -> tuple[Hashes, Places]:
    """Hashes of all runs of `size` words inside one text, and the places of their first words.

    >>> hashes, places = grams(words_of(pl.Series(["a b c", "a b", "c"])), 2)
    >>> places.tolist(), bool(hashes[0] == hashes[2])
    ([0, 1, 3], True)
    """
    count = max(0, len(words.hashes) - size + 1)
    run = np.zeros(count, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for step in range(size):
            run = run * PRIME + words.hashes[step : step + count]
    whole = np.flatnonzero(words.left[:count] >= size).astype(np.int64)
    return run[whole], whole


def without(words: Words, covered: npt.NDArray[np.bool_]) -> Words:
    """The same words, where no run goes over one that is covered.

    >>> without(words_of(pl.Series(["a b c d"])), np.array([False, False, True, False])).left.tolist()
    [2, 1, 0, 1]
    """
    places = np.arange(len(covered), dtype=np.int64)
    ends = np.where(covered, places, len(covered))
    following = np.minimum.accumulate(ends[::-1])[::-1]
    return Words(words.hashes, words.text, np.minimum(words.left, following - places))


def text_at(texts: Sequence[str], words: Words, place: int, size: int) -> str:
    """The run of words that begins at a place."""
    number = int(words.text[place])
    start = place - int(np.searchsorted(words.text, number))
    return " ".join(texts[number].split(" ")[start : start + size])
