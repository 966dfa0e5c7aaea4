"""What every layout's encoder gives: pairs to ids, the prompt apart from what is learnt.

In go pairs, out comes for each what the model reads (`Encoded`), or why the layout cannot take it (`Misfit`). Each
layout has an encoder of its own, `plain` and `chat`; training, its proof and measuring use the same one.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from instruction_kit.errors import TokenError
from instruction_kit.token.conversation import Pair
from instruction_kit.token.layout import Layout

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Encoded(NamedTuple):
    """A pair in tokens."""

    prompt: list[int]
    completion: list[int]
    """The output and the stop token: all that is learnt."""
    rest: list[int]
    """What stands after the stop token: read, never learnt."""


class Misfit(NamedTuple):
    """Why a layout cannot take a pair."""

    reason: str


class Encoder(ABC):
    """A tokenizer under a layout.

    Attributes:
        columns: what a pair is made of in this layout.
        bos_id: the id that begins every text, or None.
        stop_id: the id that ends every output.
        special_ids: ids that no text of the data may become.

    """

    columns: tuple[str, ...]

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", layout: Layout) -> None:
        self.tokenizer = tokenizer
        self.layout = layout
        self.bos_id = None if layout.bos is None else id_of(layout.bos, tokenizer)
        self.stop_id = id_of(layout.stop, tokenizer)
        self.special_ids = special_ids(tokenizer) | {self.stop_id} | (set() if self.bos_id is None else {self.bos_id})

    @abstractmethod
    def encode(self, pairs: Sequence[Pair]) -> list[Encoded | Misfit]:
        """Encode pairs, each as if it were alone."""

    @abstractmethod
    def afresh(self, pair: Pair) -> Encoded:
        """Encode one pair that fits, by the shortest way from the tokenizer: what a proof compares with."""

    @abstractmethod
    def answer(self, pair: Pair) -> str:
        """Write what is learnt of a pair that fits, as text."""

    @abstractmethod
    def begins_once(self, prompt: Sequence[int]) -> bool:
        """Say whether a prompt begins with BOS exactly once, where the layout has one."""


def id_of(token: str, tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return the id of a token's text, refusing one that the vocabulary lacks."""
    found = tokenizer.get_vocab().get(token)
    if found is None:
        raise TokenError(
            f"tokenizer {tokenizer.name_or_path}: it has no token {token!r}, which the layout names; "
            "take the tokenizer that the layout was written with"
        )
    return int(found)


def special_ids(tokenizer: "PreTrainedTokenizerBase") -> set[int]:
    """Collect the ids that are no text; the token for unknown text is one only where it also means something else."""
    named = {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id}
    added = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    every = added | set(tokenizer.all_special_ids)
    if tokenizer.unk_token_id not in named:
        every.discard(tokenizer.unk_token_id)
    return {int(token_id) for token_id in every | named if token_id is not None}
