"""What a phrasing says itself: whether it reads as written text, with and without options.

In: a masked phrasing. Out: (rule, what is wrong). No data is looked at, so odd punctuation in a dataset is nobody's
fault here.
"""

import re
from collections.abc import Iterator, Sequence

from instruction_kit.review.finding import Flaw
from instruction_kit.review.masked import MARK, Masked

Said = Iterator[Flaw]


_SLOT = re.compile(
    r"\{+[^{}\n]*\}*|[{}]|<([a-z_]{3,})>(?![\s\S]*</\1>)|%s\b|\b(?:None|Undefined|TODO|FIXME|XXX)\b|\|\|\||\"\"|“”|\(\)"
)
"""A tag that is closed again is no slot."""
_BLANKS = re.compile(r"\n\n\n|[ \t]\n|\S {2,}| [,.;:!?](?!\.)")
_BLANKS_IN_FRENCH = re.compile(r"\n\n\n|[ \t]\n|\S {2,}| [,.](?!\.)")
"""Where the other stops have one before them."""
_STOPS = re.compile(r"[?!.,;:][?!.,;:]")
_CHOOSING = r"(?:choose|pick|select) (?:from|between|among|one|the (?:right|best|correct))"
_OF_NONE = re.compile(rf"\b(?:options?|choices?|{_CHOOSING})\b", re.IGNORECASE)
"""Where a task has no options at all, lists and letters may be what it is about, and a title is chosen freely."""
_BIDDING = r"(?<!\byou )(?<!\bto )(?<!\bwe )(?<!\bthey )(?:choose|select)\b(?![^.?!\n]* or )"
"""`Which would you choose` needs no list, nor does `choose yes or no`."""
_POINTING = (
    r"answers (?:below|above)|(?:the following|possible|available) (?:answer|label|class|verdict)\w*"
    r"|(?-i:A(?:, B| or B))"
    r"|which of (?:these|those|the following)(?= (?:is|are|was|were|fits?|best|holds?|do|does|would|could|can)\b|[?:.])"
)
_OF_SOME = re.compile(
    rf"\b(?:options?|choices?|{_CHOOSING}|{_BIDDING}|letters?|listed|list|numbered|{_POINTING})(?!\w)", re.IGNORECASE
)


def wording_flaws(said: Masked, *, has_options: bool, listed: bool, languages: Sequence[str] = ()) -> Said:
    """Everything that is wrong with the words of both sides; `listed` says whether options are shown."""
    for side in (said.prompt, said.output):
        yield from _slots(side)
        yield from _blanks(side, _BLANKS_IN_FRENCH if "fr" in languages else _BLANKS)
        yield from _stops(side)
    if not listed:
        yield from _dangling(said.prompt, _OF_SOME if has_options else _OF_NONE)


def _slots(side: str) -> Said:
    if found := _SLOT.search(side):
        yield Flaw("unfilled_slot", f"prints {found[0]!r}, as if something had not been filled in", found[0])


def _blanks(side: str, odd: re.Pattern[str]) -> Said:
    if found := odd.search(side):
        yield Flaw("blanks", f"has odd blanks, {_around(side, found)!r}", found[0])


def _stops(side: str) -> Said:
    plain = side.replace("...", "…")
    if found := _STOPS.search(plain):
        yield Flaw("doubled_punctuation", f"doubles a stop, {_around(plain, found)!r}", found[0])


def _dangling(prompt: str, words: re.Pattern[str]) -> Said:
    if found := words.search(MARK.sub("", prompt)):
        yield Flaw("dangling_options", f"says {found[0]!r} where no options are listed", found[0])


def _around(side: str, found: re.Match[str]) -> str:
    """What was found, with what stands beside it in its line."""
    before = side[max(0, found.start() - 12) : found.start()].rpartition("\n")[2]
    after = side[found.end() : found.end() + 12].partition("\n")[0]
    return before + found[0] + after
