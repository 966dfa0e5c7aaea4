"""The chat layout: a conversation as the tokenizer's own chat template writes it.

The ids are the tokenizer's own for the whole conversation, and so is the prompt, with what the template writes for an
answer to follow on. What is learnt stands between the two: the completion, its stop token, and white space that the
template puts around it; what the template adds after the stop token is read and not learnt. A pair is no fit where the
template changes its text, where its text holds one of the template's own tokens (it would begin or end a turn in the
middle of a message), or where the tokens of its prompt change with its completion.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from instruction_kit.errors import TokenError
from instruction_kit.token.chat_template import ChatTemplate, UnusableTemplateError, template_hash
from instruction_kit.token.conversation import COLUMNS, Message, Pair, messages
from instruction_kit.token.encoder import Encoded, Encoder, Misfit, offsets_of
from instruction_kit.token.layout import LAYOUT_FILE, Layout

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ALTERED = "the chat template alters its text"
FORGED = "its text holds a token of the chat template"
UNSTABLE = "the tokens of its prompt change with its completion"


class _Laid(NamedTuple):
    """A conversation as text."""

    roles: tuple[str, ...]
    prompt: str
    whole: str


class ChatEncoder(Encoder):
    """A tokenizer under a chat layout.

    Raises:
        TokenError: the tokenizer has another chat template than the layout.

    """

    columns = COLUMNS
    special_as_text = False

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", layout: Layout) -> None:
        super().__init__(tokenizer, layout)
        if template_hash(tokenizer) != layout.template:
            raise TokenError(
                f"tokenizer {tokenizer.name_or_path}: its chat template is not the one of the layout ({LAYOUT_FILE}); "
                "take the tokenizer that the layout was written with"
            )
        self.template = ChatTemplate(tokenizer, layout.template_kwargs or {})
        self._controls: dict[tuple[str, ...], list[int]] = {}
        added = set(tokenizer.added_tokens_decoder)
        self.special_ids |= added.intersection(self._ids([self.template.opening(layout.system_message).smallest()])[0])

    def encode(self, pairs: Sequence[Pair]) -> list[Encoded | Misfit]:
        """Encode pairs, a prompt that several share once."""
        laid = [self._laid(pair) for pair in pairs]
        fit = [one for one in laid if isinstance(one, _Laid)]
        texts = list(dict.fromkeys(text for one in fit for text in (one.prompt, one.whole)))
        ids = dict(zip(texts, self._ids(texts), strict=True))
        return [one if isinstance(one, Misfit) else self._cut(one, ids[one.prompt], ids[one.whole]) for one in laid]

    def afresh(self, pair: Pair) -> Encoded:
        """Encode one conversation through the tokenizer's own function."""
        conversation = self._messages(pair)
        prompt, whole = (
            list(self.tokenizer.apply_chat_template(said, **self.template.keywords(open_ended))["input_ids"])  # type: ignore[index, call-overload]
            for said, open_ended in ((conversation[:-1], True), (conversation, False))
        )
        end = whole.index(self.stop_id, len(prompt)) + 1
        return Encoded(prompt, whole[len(prompt) : end], whole[end:])

    def offsets(self, pairs: Sequence[Pair]) -> list[list[tuple[int, int]]]:
        """Say which characters of its completion each token of it stands for; white space before it is before 0."""
        laid = [one for pair in pairs if isinstance(one := self._laid(pair), _Laid)]
        prompts = self._ids([one.prompt for one in laid])
        whole = offsets_of(self.tokenizer, [one.whole for one in laid], as_text=False)
        found = []
        for one, prompt, spans, pair in zip(laid, prompts, whole, pairs, strict=True):
            frame = self.template.frame(one.roles)
            begin = len(one.prompt) + len(frame.lead)
            end = begin + len(pair.completion) + len(frame.gap)
            found.append([(a - begin, b - begin) for a, b in spans[len(prompt) :] if a < end])
        return found

    def answer(self, pair: Pair) -> str:
        """Write the completion as the template does, with the stop token."""
        return self.template.frame(_roles(self._messages(pair))).answer(pair.completion)

    def begins_once(self, prompt: Sequence[int]) -> bool:
        """Say whether a prompt has BOS once where the layout has one; where it also ends turns, it stands there too."""
        if self.bos_id is None:
            return True
        return prompt[0] == self.bos_id and (self.bos_id == self.stop_id or list(prompt).count(self.bos_id) == 1)

    def _laid(self, pair: Pair) -> _Laid | Misfit:
        """Write a pair as the template does, and hold that against what it writes around any contents."""
        conversation = self._messages(pair)
        roles, contents = _roles(conversation), [message["content"] for message in conversation]
        try:
            frame = self.template.frame(roles)
            prompt = self.template.render(conversation[:-1], open_ended=True)
            whole = self.template.render(conversation, open_ended=False)
        except UnusableTemplateError as error:
            return Misfit(f"the chat template does not take {', '.join(roles[:-1])}: {error}")
        if frame.stop != self.layout.stop:
            return Misfit(f"the chat template ends its answer with {frame.stop}")
        if prompt != frame.prompt(contents) or whole != prompt + frame.answer(pair.completion) + frame.rest:
            return Misfit(ALTERED)
        return _Laid(roles, prompt, whole)

    def _cut(self, laid: _Laid, prompt: list[int], whole: list[int]) -> Encoded | Misfit:
        """Cut the ids of a whole conversation where its prompt and its output end."""
        if [token for token in whole if token in self.special_ids] != self._control(laid.roles):
            return Misfit(FORGED)
        if whole[: len(prompt)] != prompt:
            return Misfit(UNSTABLE)
        end = whole.index(self.stop_id, len(prompt)) + 1
        return Encoded(prompt, whole[len(prompt) : end], whole[end:])

    def _control(self, roles: tuple[str, ...]) -> list[int]:
        """Return the special tokens that the template itself writes for these roles, in their order."""
        if roles not in self._controls:
            [ids] = self._ids([self.template.frame(roles).smallest()])
            self._controls[roles] = [token for token in ids if token in self.special_ids]
        return self._controls[roles]

    def _messages(self, pair: Pair) -> list[Message]:
        return messages(pair, joiner=self.layout.joiner, system_message=self.layout.system_message)

    def _ids(self, texts: list[str]) -> list[list[int]]:
        rows: list[list[int]] = self.engine.encode(pa.array(texts, pa.string())).to_pylist()
        return rows


def _roles(conversation: Sequence[Message]) -> tuple[str, ...]:
    return tuple(message["role"] for message in conversation)
