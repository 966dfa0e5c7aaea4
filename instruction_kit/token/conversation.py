"""A rendered pair as a conversation: what a layout reads of a pair goes in, messages come out.

The exemplars of a prompt and the turns before it stand in the pair twice: as text, at the beginning of `prompt`, and as
they are. A chat layout takes them as they are, and of the prompt only the row's own part. The joiner, which stands
between the sides of a pair in a text, has no place in a conversation and is taken off.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

Message = dict[str, str]
"""`role` and `content`, as every chat template takes them."""

COLUMNS = ("prompt", "completion", "question_start", "exemplars", "turns")


class Pair(NamedTuple):
    """What a layout reads of a pair; the names are those of a built mixture's columns."""

    prompt: str
    completion: str
    question_start: int = 0
    exemplars: tuple[tuple[str, str], ...] = ()
    """Prompt and completion of each exemplar."""
    turns: tuple[tuple[str, str], ...] = ()
    """Role and content of each message before the last one of the user."""


def pair_of(row: Mapping[str, Any]) -> Pair:
    """Take a pair out of a row; columns that only a chat layout reads may be left out of it."""
    return Pair(
        prompt=row["prompt"],
        completion=row["completion"],
        question_start=row.get("question_start") or 0,
        exemplars=tuple((of["prompt"], of["completion"]) for of in row.get("exemplars") or ()),
        turns=tuple((of["role"], of["content"]) for of in row.get("turns") or ()),
    )


def messages(pair: Pair, *, joiner: str, system_message: str | None) -> list[Message]:
    r"""Lay a pair out as messages: a system message, exemplars, turns, the prompt, the completion.

    A system message of the row's own stands in the place of the general one.

    >>> pair = Pair("Hi.\n\nOne more?\n", "No.", question_start=5, turns=(("user", "Hi."), ("assistant", "Hello.")))
    >>> [message["content"] for message in messages(pair, joiner="\n", system_message="Be brief.")]
    ['Be brief.', 'Hi.', 'Hello.', 'One more?', 'No.']
    """
    said = list(pair.turns)
    own = [said.pop(0)] if said and said[0][0] == "system" else []
    system = own or ([("system", system_message)] if system_message else [])
    sides = [*pair.exemplars, (pair.prompt[pair.question_start :], pair.completion)]
    pairs = [[("user", prompt.removesuffix(joiner)), ("assistant", completion)] for prompt, completion in sides]
    solved, asked = [side for one in pairs[:-1] for side in one], pairs[-1]
    return [{"role": role, "content": content} for role, content in (*system, *solved, *said, *asked)]
