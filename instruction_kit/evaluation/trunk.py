"""What prompts begin with together: prompts in tokens go in, runs of prompts with a common trunk come out.

A trunk is worth computing once where prompts share it, as few-shot prompts share their exemplars. Plain token ids, no
model: every run depends on the set of prompts alone, not on their order.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

Tokens = tuple[int, ...]

MIN_TRUNK = 32
"""Fewer common tokens are not worth a pass of their own."""


class Run(NamedTuple):
    """Prompts that begin with the same `trunk` tokens; each goes on for at least one more."""

    trunk: int
    prompts: tuple[Tokens, ...]


def runs(prompts: Sequence[Tokens]) -> list[Run]:
    """Part prompts into runs with a trunk, and one without for all others, last.

    Going through the prompts in the order of their tokens, a run takes the next prompt in as long as that saves more
    than it costs: the trunk of all is at most as long as that of those before.

    >>> exemplars = tuple(range(40))
    >>> [(run.trunk, len(run.prompts)) for run in runs([(*exemplars, 7), (5,), (*exemplars, 8, 9)])]
    [(40, 2), (0, 1)]
    """
    found = list(_runs(sorted(set(prompts))))
    loners = tuple(prompt for run in found if not run.trunk for prompt in run.prompts)
    return [run for run in found if run.trunk] + ([Run(0, loners)] if loners else [])


def _runs(ordered: Sequence[Tokens]) -> Iterator[Run]:
    trunk, members = 0, list(ordered[:1])
    for prompt in ordered[1:]:
        common = _common(members[0], prompt, bound=(trunk or len(members[0]) - 1))
        saved_before, saved_after = (len(members) - 1) * trunk, len(members) * common
        if common >= MIN_TRUNK and saved_after > saved_before:
            trunk = common
            members.append(prompt)
        else:
            yield Run(trunk, tuple(members))
            trunk, members = 0, [prompt]
    if members:
        yield Run(trunk, tuple(members))


def _common(one: Tokens, other: Tokens, *, bound: int) -> int:
    """Count the tokens that both begin with, such that each has at least one left."""
    end = min(bound, len(one) - 1, len(other) - 1)
    if one[:end] == other[:end]:
        return max(end, 0)
    return next(place for place in range(end) if one[place] != other[place])
