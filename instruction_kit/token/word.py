"""Where a text may be cut so that the ids of its parts, one after another, are its own.

In goes a column of texts, out come its words: most stand there many times, and each need be encoded once. A cut stands
between a printable ASCII character and the space after it, or an ASCII letter or digit and the line break after it.
`may_cut` says for which tokenizers that changes no id: those that divide a text by one pattern of `KNOWN` alternatives
and take the bytes of what stands between. None of these runs over a cut: a space or a line break stands in a match only
at its beginning or behind other white space or, a line break, behind punctuation. None looks behind itself, and none
ahead but from white space, which no cut follows. So what stands before a cut is divided as if the text ended there, and
what stands after it as if the text began there. NFC joins white space with nothing; added tokens must hold no white
space and take none along. Of any other tokenizer the answer is no.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Encode = Callable[[pa.StringArray], pa.ListArray]

KNOWN = frozenset({
    r"'s", r"'t", r"'re", r"'ve", r"'m", r"'ll", r"'d",
    r"'(?:[sdmt]|ll|ve|re)", r"'(?i:[sdmt]|ll|ve|re)", r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
    r" ?\p{L}+", r"[^\r\n\p{L}\p{N}]?\p{L}+", r"[^\r\n\p{L}\p{N}]?+\p{L}+", r"[^\r\n\p{L}\p{N}]?+\p{L}++",
    r"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r" ?\p{N}+", r"\p{N}+", r"\p{N}", r"\p{N}{1,3}", r"\p{N}{1,3}+",
    r" ?[^\s\p{L}\p{N}]+", r" ?[^\s\p{L}\p{N}]+[\r\n]*", r" ?[^\s\p{L}\p{N}]++[\r\n]*", r" ?[^\s\p{L}\p{N}]++[\r\n]*+",
    r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*",
    r"\s*[\r\n]", r"\s*[\r\n]+", r"\s++$", r"\s+(?!\S)", r"\s+",
})  # fmt: skip
"""Alternatives of the patterns that byte-level tokenizers divide a text by."""
ALTERNATIVE = re.compile(r"\|(?![^(]*\))")  # a bar outside parentheses

MOST_KNOWN = 2**20
"""Words that are remembered from texts to texts; with more of them, all are forgotten."""
SPACE, BREAK = 1, 2


def _table(marks: Iterable[tuple[int, int]]) -> npt.NDArray[np.uint8]:
    found = np.zeros(256, dtype=np.uint8)
    for byte, mark in marks:
        found[byte] = mark
    return found


BEFORE = _table((byte, SPACE | BREAK if chr(byte).isalnum() else SPACE) for byte in range(0x21, 0x7F))
"""Byte -> what a cut may part it from."""
AFTER = _table([(ord(" "), SPACE), (ord("\n"), BREAK)])


class Words(NamedTuple):
    """Texts in words, one text after the other."""

    words: pa.StringArray
    borders: npt.NDArray[np.int64]
    """Where each text begins among the words, and where the last one ends."""


def words_of(texts: pa.StringArray) -> Words:
    r"""Cut texts into words; what stands between two cuts is one.

    >>> words_of(pa.array(["one (two) three", "", "two\nand\n\nan end"])).words.to_pylist()
    ['one', ' (two)', ' three', 'two', '\nand', '\n\nan', ' end']
    """
    data = texts.buffers()[2]
    if not len(texts) or data is None:
        return Words(pa.array([], pa.string()), np.zeros(len(texts) + 1, dtype=np.int64))
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset :][: len(texts) + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    held = np.frombuffer(data, dtype=np.uint8)[first:last]
    is_border = np.empty(len(held) + 1, dtype=np.bool_)
    np.logical_or(held == ord(" "), held == ord("\n"), out=is_border[:-1])
    white = np.flatnonzero(is_border[:-1])
    is_border[white[BEFORE[held[white - 1]] & AFTER[held[white]] == 0]] = False
    is_border[offsets - first] = True
    borders = np.flatnonzero(is_border)
    words = pa.StringArray.from_buffers(len(borders) - 1, pa.py_buffer((borders + first).astype(np.int32)), data)
    return Words(words, np.searchsorted(borders, offsets - first))


def by_words(encode: Encode) -> Encode:
    """Make of what encodes texts what encodes each of their words once, and puts the ids together."""
    known, ids = pa.array([], pa.string()), pa.array([], pa.list_(pa.int32()))

    def encoded(texts: pa.StringArray) -> pa.ListArray:
        nonlocal known, ids
        words, borders = words_of(texts)
        found = words.dictionary_encode()
        if len(known) > MOST_KNOWN:
            known, ids = known[:0], ids[:0]
        new = found.dictionary.filter(pc.invert(pc.is_in(found.dictionary, known)))
        known, ids = pa.concat_arrays([known, new]), pa.concat_arrays([ids, encode(new)])
        placed = pc.index_in(found.dictionary, known).take(found.indices)
        spread = ids.take(placed)
        return pa.ListArray.from_arrays(spread.offsets.take(pa.array(borders)), spread.values)

    return encoded


def may_cut(rules: Mapping[str, Any], *, as_text: bool) -> bool:
    """Say whether a tokenizer is known to give a text's words the ids that it gives the text."""
    added = [token for token in rules["added_tokens"] if not (as_text and token["special"])]
    return (
        rules["normalizer"] in (None, {"type": "NFC"})
        and rules["model"]["type"] == "BPE"
        and not rules["model"].get("dropout")
        and not any(token["lstrip"] or token["rstrip"] or token["single_word"] for token in added)
        and not any(character.isspace() for token in added for character in token["content"])
        and _is_known(rules["pre_tokenizer"] or {})
    )


def _is_known(divider: Mapping[str, Any]) -> bool:
    """Say whether a pre-tokenizer divides by one pattern of known alternatives, and then takes bytes."""
    match divider:
        case {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}:  # the pattern of GPT-2
            return True
        case {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": str(pattern)}, "behavior": "Isolated", "invert": False},
                {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False},
            ],
        }:
            alternatives = set(ALTERNATIVE.split(pattern))
            return r"\s+" in alternatives and alternatives <= KNOWN
    return False
