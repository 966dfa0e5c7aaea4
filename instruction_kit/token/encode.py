"""Prompts and completions to token ids, each apart from the other.

In go lists of text, out come lists of ids. Prompt and completion are never tokenised as one text, so no token can
straddle the border between them, and training and measuring give the same ids. The tokenizer's own special tokens are
off: BOS and the stop token are put as ids, here and nowhere else, and a special token's text that stands in the data
stays text. Nothing is cut and nothing is stripped.
"""

import hashlib
import json
import re
from typing import TYPE_CHECKING

from instruction_kit.errors import TokenError
from instruction_kit.token.layout import Layout

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Encoder:
    """A tokenizer under a layout.

    Attributes:
        bos_id: the id put before every prompt, or None.
        stop_id: the id put after every completion.
        special_ids: ids that no text of the data may become.

    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", layout: Layout) -> None:
        self.tokenizer = tokenizer
        self.layout = layout
        self.bos_id = None if layout.bos is None else _id_of(layout.bos, tokenizer)
        self.stop_id = _id_of(layout.stop, tokenizer)
        self.special_ids = _special_ids(tokenizer) | {self.stop_id} | (set() if self.bos_id is None else {self.bos_id})

    def prompts(self, texts: list[str]) -> list[list[int]]:
        """Encode prompts: BOS once if the layout has one, then the text."""
        start = [] if self.bos_id is None else [self.bos_id]
        return [start + ids for ids in self._plain(texts)]

    def completions(self, texts: list[str]) -> list[list[int]]:
        """Encode completions: the text, then the stop token once."""
        return [[*ids, self.stop_id] for ids in self._plain(texts)]

    def _plain(self, texts: list[str]) -> list[list[int]]:
        rows = self._batch(texts)
        for number, ids in enumerate(rows):
            if not self.special_ids.isdisjoint(ids):
                rows[number] = self._in_pieces(texts[number])
        return rows

    def _batch(self, texts: list[str]) -> list[list[int]]:
        if not texts:
            return []
        rows: list[list[int]] = self.tokenizer(
            texts,
            add_special_tokens=False,
            split_special_tokens=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )["input_ids"]
        return rows

    def _in_pieces(self, text: str) -> list[int]:
        """Encode a text that holds a special token's text which the vocabulary itself knows as one piece (Unigram)."""
        names = self.tokenizer.convert_ids_to_tokens(sorted(self.special_ids))
        inside = "|".join(f"(?<={re.escape(name[0])})(?={re.escape(name[1:])})" for name in names if len(name) > 1)
        ids = [token for row in self._batch(re.split(inside, text)) for token in row]
        if not self.special_ids.isdisjoint(ids):
            found = sorted(self.special_ids.intersection(ids))
            raise TokenError(
                f"tokenizer {self.tokenizer.name_or_path}: the text {text[:80]!r} holds what it always reads as the "
                f"special token {self.tokenizer.convert_ids_to_tokens(found)}; skip such rows in the task file"
            )
        return ids


def _id_of(token: str, tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return the id of a token's text, refusing one that the vocabulary lacks."""
    found = tokenizer.get_vocab().get(token)
    if found is None:
        raise TokenError(
            f"tokenizer {tokenizer.name_or_path}: it has no token {token!r}, which the layout names; "
            "take the tokenizer that the layout was written with"
        )
    return int(found)


def _special_ids(tokenizer: "PreTrainedTokenizerBase") -> set[int]:
    """Collect the ids that are no text; the token for unknown text is one only where it also means something else."""
    named = {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id}
    added = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    every = added | set(tokenizer.all_special_ids)
    if tokenizer.unk_token_id not in named:
        every.discard(tokenizer.unk_token_id)
    return {int(token_id) for token_id in every | named if token_id is not None}


def tokenizer_hash(tokenizer: "PreTrainedTokenizerBase") -> str:
    """Hash what decides a tokenizer's ids: its vocabulary and rules, not how it pads, cuts or is called."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    rules = json.loads(backend.to_str()) if backend is not None else {"class": type(tokenizer).__name__}
    content = {
        **{key: value for key, value in rules.items() if key not in ("padding", "truncation")},
        "ids": sorted(tokenizer.get_vocab().items()),
        "bos": tokenizer.bos_token,
        "eos": tokenizer.eos_token,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
