"""A tokenizer's chat template, taken apart: what it writes around the contents of a conversation.

In goes a tokenizer, out comes a `ChatTemplate` that renders conversations as the tokenizer itself does and says what
stands around the contents (`Frame`). A frame is found by rendering a conversation of the same roles with contents that
are known. Where a conversation's rendering is not its contents in that frame, the template has changed them: so what a
template strips, repeats, leaves out or adds is seen. Marks such as `{% generation %}` are not read.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import TemplateError

from instruction_kit.errors import TokenError
from instruction_kit.token.conversation import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

RESERVED = frozenset({
    "add_generation_prompt", "chat_template", "continue_final_message", "conversation", "documents", "max_length",
    "messages", "padding", "return_assistant_tokens_mask", "return_dict", "return_tensors", "sanitize_control_tokens",
    "strftime_now", "tokenize", "tokenizer_kwargs", "tools", "truncation",
})  # fmt: skip
"""Keywords of `apply_chat_template` and of its templates that are set here."""
ANSWERS = ("a", "yes", "The", "1")
"""Beginnings of answers: with which of them a tokenizer joins what stands before depends on its vocabulary."""
OPENING = ("user", "assistant")
"""The roles of the shortest conversation: what a template must be able to write."""
SWITCH = "if it has a switch for that, set it, often --chat_template_kwargs '{\"enable_thinking\": false}'"


class UnusableTemplateError(Exception):
    """A template cannot render a conversation of some roles so that an output can be found in it; says why."""


class Frame(NamedTuple):
    """What a template writes around the contents of a conversation of some roles."""

    pieces: tuple[str, ...]
    """The texts before, between and after the contents of the prompt."""
    order: tuple[int, ...]
    """Which message's content stands after each piece but the last."""
    lead: str
    """White space between the prompt and the completion."""
    gap: str
    """White space between the completion and the stop token."""
    stop: str
    rest: str
    """What is written after the stop token."""

    def prompt(self, contents: Sequence[str]) -> str:
        """Write a prompt."""
        filled = [piece + contents[place] for piece, place in zip(self.pieces, self.order, strict=False)]
        return "".join(filled) + self.pieces[-1]

    def answer(self, completion: str) -> str:
        """Write what the model is to give after a prompt."""
        return self.lead + completion + self.gap + self.stop

    def smallest(self) -> str:
        """Write a conversation that says next to nothing: its special tokens are the template's own."""
        return self.prompt(["a"] * len(self.order)) + self.answer("a") + self.rest


class ChatTemplate:
    """The chat template of a tokenizer, with the variables that it is given besides the messages."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", variables: Mapping[str, Any]) -> None:
        self.tokenizer = tokenizer
        self.variables = variables
        self.tokens = sorted((str(token) for token in tokenizer.get_added_vocab()), key=len, reverse=True)
        self._frames: dict[tuple[str, ...], Frame | UnusableTemplateError] = {}

    def render(self, conversation: Sequence[Message], *, open_ended: bool) -> str:
        """Render a conversation as the tokenizer does; `open_ended` asks for what an answer follows on.

        Raises:
            UnusableTemplateError: the template refuses it.

        """
        try:
            return str(
                self.tokenizer.apply_chat_template(list(conversation), **self.keywords(open_ended), tokenize=False)
            )
        except (TemplateError, TypeError, ValueError) as error:
            if "'bool' object is not callable" in str(error):  # the clock that it is not given
                raise UnusableTemplateError(
                    "it writes today's date, so the same rows would give other tokens tomorrow; set the date if it has "
                    'a variable for it: --chat_template_kwargs \'{"date_string": "1 January 2026"}\''
                ) from error
            raise UnusableTemplateError(" ".join(str(error).split())[:200]) from error

    def keywords(self, open_ended: bool) -> dict[str, Any]:  # noqa: FBT001 - the one thing it is about
        """Return what the tokenizer is given besides the messages; it has no clock."""
        return {**self.variables, "add_generation_prompt": open_ended, "strftime_now": False}

    def frame(self, roles: tuple[str, ...]) -> Frame:
        """Find what stands around the contents of a conversation of these roles, the last of which is the answer.

        Raises:
            UnusableTemplateError: an answer could not be found in it.

        """
        if roles not in self._frames:
            try:
                self._frames[roles] = self._found(roles)
            except UnusableTemplateError as error:
                self._frames[roles] = error
        found = self._frames[roles]
        if isinstance(found, UnusableTemplateError):
            raise found
        return found

    def opening(self, system_message: str | None) -> Frame:
        """Find the frame of the shortest conversation in a layout.

        Raises:
            TokenError: the template cannot be used for tuning, or has no place for a system message.

        """
        name = self.tokenizer.name_or_path or type(self.tokenizer).__name__
        source = _text(self.tokenizer)
        unread = [variable for variable in self.variables if variable not in source]
        if unread:
            raise TokenError(
                f"--chat_template_kwargs {', '.join(unread)}: the chat template of {name} does not read it"
            )
        try:
            found = self.frame(OPENING)
            self._check_border(found)
        except UnusableTemplateError as error:
            raise TokenError(
                f"tokenizer {name}: its chat template cannot be tuned with: {error}; mend it "
                "(tokenizer.chat_template = ..., then tokenizer.save_pretrained(FOLDER)), or take --layout plain"
            ) from error
        if not system_message:
            return found
        try:
            return self.frame(("system", *OPENING))
        except UnusableTemplateError as error:
            raise TokenError(
                f"--system_message: the chat template of {name} has no place for one: {error}; leave it out, or say "
                "the same in the templates of the mixture"
            ) from error

    def _check_border(self, frame: Frame) -> None:
        """Refuse a template whose prompts end in the middle of a token: in training they would end elsewhere."""
        prompt = frame.prompt(["a"])
        before, *wholes = self.tokenizer(
            [prompt, *(prompt + frame.answer(answer) for answer in ANSWERS)], add_special_tokens=False
        )["input_ids"]
        if any(whole[: len(before)] != before for whole in wholes):
            raise UnusableTemplateError(
                f"what an answer follows on ends in {prompt[-10:]!r}, and its last token changes with the answer, so a "
                "model would meet another prompt than in training; let it end in a token of its own, or in a line break"
            )

    def _found(self, roles: tuple[str, ...]) -> Frame:
        contents = [f"Zq{number}Z" for number in range(len(roles))]
        conversation = [{"role": role, "content": content} for role, content in zip(roles, contents, strict=True)]
        prompt = self.render(conversation[:-1], open_ended=True)
        whole = self.render(conversation, open_ended=False)
        pieces, order = _cut(prompt, contents[:-1], roles)
        answer = contents[-1]
        if whole.count(answer) != 1:
            raise UnusableTemplateError(f"it writes the last answer {whole.count(answer)} times")
        before, _, after = whole.partition(answer)
        if not before.startswith(prompt):
            raise UnusableTemplateError(
                "with an answer it writes another prompt than without one "
                f"({_differing(before, prompt)!r} where there was {_differing(prompt, before)!r}); {SWITCH}"
            )
        lead = before[len(prompt) :]
        if lead.strip():
            raise UnusableTemplateError(
                f"it writes {lead!r} between the prompt and the answer, so an answer would follow on something else "
                f"than in training; {SWITCH}"
            )
        return Frame(pieces, order, lead, *self._end(after))

    def _end(self, after: str) -> tuple[str, str, str]:
        """Cut what follows an answer into white space, the stop token and the rest."""
        turn = after.lstrip()
        stop = next((token for token in self.tokens if turn.startswith(token)), None)
        if stop is None:
            raise UnusableTemplateError(
                f"after the last answer it writes {after[:40]!r}, which begins with no token of its own, so a model "
                "could not learn where to stop"
            )
        return after[: len(after) - len(turn)], stop, turn[len(stop) :]


def template_hash(tokenizer: "PreTrainedTokenizerBase") -> str | None:
    """Hash a tokenizer's chat template; None where it has none.

    >>> from types import SimpleNamespace
    >>> template_hash(SimpleNamespace(chat_template=None)) is None
    True
    """
    return hashlib.sha256(_text(tokenizer).encode()).hexdigest() if tokenizer.chat_template else None


def _text(tokenizer: "PreTrainedTokenizerBase") -> str:
    """Return the text of a tokenizer's chat template, refusing several of which none is the default one."""
    try:
        return str(tokenizer.get_chat_template())
    except ValueError as error:
        named = ", ".join(sorted(tokenizer.chat_template or ()))
        raise TokenError(
            f"tokenizer {tokenizer.name_or_path}: it has several chat templates ({named}) and no default one; take one "
            "of them: tokenizer.chat_template = tokenizer.chat_template[NAME], then tokenizer.save_pretrained(FOLDER)"
        ) from error


def _cut(text: str, contents: Sequence[str], roles: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Cut a prompt at its contents, in whatever order they stand."""
    lost = [role for role, content in zip(roles, contents, strict=False) if text.count(content) != 1]
    if lost:
        raise UnusableTemplateError(
            f"it leaves out, repeats or alters what is said by: {', '.join(dict.fromkeys(lost))}"
        )
    order = sorted(range(len(contents)), key=lambda place: text.index(contents[place]))
    pieces = re.split("|".join(map(re.escape, contents)), text)
    return tuple(pieces), tuple(order)


def _differing(text: str, other: str) -> str:
    """Show where a text begins to differ from another one."""
    same = next(
        (place for place, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other))
    )
    return text[same : same + 30]
