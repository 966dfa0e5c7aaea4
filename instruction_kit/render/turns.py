"""What was said before, as the text that a plain model sees ahead of the row's own prompt.

In: the earlier turns of a conversation and the mixture's joiner. Out: one text, empty for none. Each content is ended
by the joiner, as a prompt is, and a blank line parts the rounds; who speaks is not written, since a plain model has no
word for it. Nothing is cut here: a conversation that lacks its middle is another one.
"""

from collections.abc import Mapping, Sequence

USER = "user"


def as_text(turns: Sequence[Mapping[str, str]], joiner: str) -> str:
    r"""Earlier turns as one text.

    >>> as_text([{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hi."}], "\n")
    'Hello.\nHi.\n\n'
    """
    newlines = len(joiner) - len(joiner.rstrip("\n"))
    blank_line = "\n" * max(0, 2 - newlines)
    return "".join(turn["content"] + joiner + ("" if turn["role"] == USER else blank_line) for turn in turns)
