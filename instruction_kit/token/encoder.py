"""What every layout's encoder gives: pairs to ids, the prompt apart from what is learnt.

In go pairs, out comes for each what the model reads (`Encoded`), or why the layout cannot take it (`Misfit`); many at
once come as Arrow arrays (`Batch`). Each layout has an encoder of its own, `plain` and `chat`; training, its proof and
measuring use the same one.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from instruction_kit.errors import TokenError
from instruction_kit.token.conversation import Pair, pair_of
from instruction_kit.token.engine import IDS, Engine, own_engine
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


class Batch(NamedTuple):
    """Many pairs in tokens, each put together from pieces, some of which several share."""

    pieces: pa.ListArray
    places: npt.NDArray[np.int64]
    """Which pieces each pair is made of: (pairs, pieces of one). A misfit's have no ids."""
    sizes: npt.NDArray[np.int64]
    """How many of them are of the prompt, of the completion, of the rest: (pairs, 3)."""
    misfits: dict[int, str]
    """Place of a pair that the layout cannot take -> why."""

    def ids(self, order: npt.NDArray[np.int64]) -> pa.Array:
        """Lay out the ids of some pairs, one after the other."""
        return self.pieces.take(pa.array(self.places[order].ravel())).flatten()


class Encoder(ABC):
    """A tokenizer under a layout.

    Attributes:
        columns: what a pair is made of in this layout.
        special_as_text: whether a special token's text is text, or the token.
        engine: what turns texts into ids where many are encoded at once.
        bos_id: the id that begins every text, or None.
        stop_id: the id that ends every output.
        special_ids: ids that no text of the data may become.

    """

    columns: ClassVar[tuple[str, ...]]
    special_as_text: ClassVar[bool]

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", layout: Layout) -> None:
        self.tokenizer = tokenizer
        self.layout = layout
        self.engine = own_engine(tokenizer, as_text=self.special_as_text)
        self.bos_id = None if layout.bos is None else id_of(layout.bos, tokenizer)
        self.stop_id = id_of(layout.stop, tokenizer)
        self.special_ids = special_ids(tokenizer) | {self.stop_id} | (set() if self.bos_id is None else {self.bos_id})

    @abstractmethod
    def encode(self, pairs: Sequence[Pair]) -> list[Encoded | Misfit]:
        """Encode pairs, each as if it were alone."""

    def batch(self, rows: pa.RecordBatch) -> Batch:
        """Encode pairs that have the columns `columns`."""
        encoded = self.encode([pair_of(row) for row in rows.to_pylist()])
        misfits = {place: one.reason for place, one in enumerate(encoded) if isinstance(one, Misfit)}
        sides = [Encoded([], [], []) if isinstance(one, Misfit) else one for one in encoded]
        sizes = np.array([[len(side) for side in one] for one in sides], dtype=np.int64).reshape(-1, 3)
        pieces = pa.array([one.prompt + one.completion + one.rest for one in sides], IDS)
        return Batch(pieces, np.arange(len(sides))[:, None], sizes, misfits)

    def by(self, engine: Engine) -> Self:
        """Make the same encoder with another engine."""
        other = copy(self)
        other.engine = engine
        return other

    @abstractmethod
    def afresh(self, pair: Pair) -> Encoded:
        """Encode one pair that fits, by the shortest way from the tokenizer: what a proof compares with."""

    def followed(self, prompt: Sequence[int], ids: Sequence[int]) -> list[int]:
        """Put tokens behind a prompt, where the model goes on from them."""
        return [*prompt, *ids]

    @abstractmethod
    def offsets(self, pairs: Sequence[Pair]) -> list[list[tuple[int, int]]]:
        """Say which characters of its completion each token of it stands for, the stop token left out."""

    @abstractmethod
    def answer(self, pair: Pair) -> str:
        """Write what is learnt of a pair that fits, as text."""

    @abstractmethod
    def begins_once(self, prompt: Sequence[int]) -> bool:
        """Say whether a prompt begins with BOS exactly once, where the layout has one."""


def offsets_of(tokenizer: "PreTrainedTokenizerBase", texts: list[str], *, as_text: bool) -> list[list[tuple[int, int]]]:
    """Return the characters that each token of each text stands for."""
    if not tokenizer.is_fast:
        raise TokenError(
            f"tokenizer {tokenizer.name_or_path}: it cannot say which characters a token stands for, so answers cannot "
            "be weighed against rationales; take a tokenizer with a tokenizer.json, or equal weights"
        )
    keywords = {"add_special_tokens": False, "split_special_tokens": as_text, "return_offsets_mapping": True}
    found: list[list[tuple[int, int]]] = tokenizer(texts, verbose=False, **keywords)["offset_mapping"] if texts else []
    return found


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
