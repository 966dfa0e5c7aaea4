"""The plain layout: BOS, the prompt, the completion, the stop token, and nothing between them; and the two texts of
an encoder-decoder, each with the ends that the tokenizer itself gives a text.

Prompt and completion are never tokenised as one text, so no token can straddle the border between them, and training
and measuring give the same ids. The tokenizer's own special tokens are off: BOS and the stop token are put as ids, here
and nowhere else, and a special token's text that stands in the data stays text. Nothing is cut and nothing is stripped.
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from instruction_kit.errors import TokenError
from instruction_kit.token.conversation import Pair
from instruction_kit.token.encoder import Batch, Encoded, Encoder, Misfit, id_of, offsets_of
from instruction_kit.token.engine import IDS
from instruction_kit.token.layout import Layout

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class PlainEncoder(Encoder):
    """A tokenizer under a plain layout."""

    columns = ("prompt", "completion")
    special_as_text = True

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", layout: Layout) -> None:
        super().__init__(tokenizer, layout)
        self.begin = [] if self.bos_id is None else [self.bos_id]
        own = layout.kind == "encoder_decoder"  # where the output is a text of its own
        self.prompt_end = [] if layout.prompt_end is None else [id_of(layout.prompt_end, tokenizer)]
        self.completion_begin = self.begin if own else []

    def encode(self, pairs: Sequence[Pair]) -> list[Encoded | Misfit]:
        """Encode pairs; every one fits."""
        prompts = self.prompts([pair.prompt for pair in pairs])
        completions = self.completions([pair.completion for pair in pairs])
        return [Encoded(prompt, completion, []) for prompt, completion in zip(prompts, completions, strict=True)]

    def batch(self, rows: pa.RecordBatch) -> Batch:
        """Encode pairs, a completion that several share once."""
        prompts, shared = rows["prompt"], rows["completion"].dictionary_encode()
        ends = pa.array([self.begin, [*self.prompt_end, *self.completion_begin], [self.stop_id]], IDS)
        pieces = pa.concat_arrays([self._ids(prompts), self._ids(shared.dictionary), ends])
        begin, number = len(pieces) - 3, len(prompts)
        places = np.empty((number, 5), dtype=np.int64)
        places[:, 0], places[:, 1], places[:, 2] = begin, np.arange(number), begin + 1
        places[:, 3], places[:, 4] = number + shared.indices.to_numpy(zero_copy_only=False), begin + 2
        if not len(pieces[begin + 1]):  # as in a plain layout
            places = np.delete(places, 2, axis=1)
        lengths = pc.list_value_length(pieces).to_numpy(zero_copy_only=False).astype(np.int64)
        prompt = lengths[places[:, 1]] + len(self.begin) + len(self.prompt_end)
        completion = lengths[places[:, -2]] + len(self.completion_begin) + 1
        sizes = np.stack([prompt, completion, np.zeros(number, np.int64)], axis=1)
        return Batch(pieces, places, sizes, {})

    def afresh(self, pair: Pair) -> Encoded:
        """Encode one pair, each side by itself."""
        return Encoded(self.prompts([pair.prompt])[0], self.completions([pair.completion])[0], [])

    def offsets(self, pairs: Sequence[Pair]) -> list[list[tuple[int, int]]]:
        """Say which characters of its completion each token of it stands for."""
        found = offsets_of(self.tokenizer, [pair.completion for pair in pairs], as_text=True)
        return [[(0, 0)] * len(self.completion_begin) + spans for spans in found]

    def answer(self, pair: Pair) -> str:
        """Write the completion with the stop token."""
        begin = str(self.layout.bos) if self.completion_begin else ""
        return begin + pair.completion + self.layout.stop

    def followed(self, prompt: Sequence[int], ids: Sequence[int]) -> list[int]:
        """Put tokens behind the text of a prompt, before what ends it."""
        end = len(prompt) - len(self.prompt_end)
        return [*prompt[:end], *ids, *prompt[end:]]

    def begins_once(self, prompt: Sequence[int]) -> bool:
        """Say whether a prompt has BOS once where the layout has one, its end likewise, and no special token else."""
        start, end = len(self.begin), len(prompt) - len(self.prompt_end)
        ends = [*prompt[:start], *prompt[end:]]
        return ends == [*self.begin, *self.prompt_end] and self.special_ids.isdisjoint(prompt[start:end])

    def prompts(self, texts: list[str]) -> list[list[int]]:
        """Encode prompts: BOS once if the layout has one, then the text, then what ends a text of an encoder."""
        return [[*self.begin, *ids, *self.prompt_end] for ids in self._plain(texts)]

    def completions(self, texts: list[str]) -> list[list[int]]:
        """Encode completions: the text, then the stop token once."""
        return [[*self.completion_begin, *ids, self.stop_id] for ids in self._plain(texts)]

    def _ids(self, texts: pa.StringArray) -> pa.ListArray:
        """Encode a column by the engine; a text that became a special token is encoded in pieces."""
        found = self.engine.encode(texts)
        special = np.isin(found.flatten().to_numpy(), list(self.special_ids))
        if not special.any():
            return found
        rows = found.to_pylist()
        for row in np.unique(pc.list_parent_indices(found).to_numpy()[special]).tolist():
            rows[row] = self._in_pieces(texts[row].as_py())
        return pa.array(rows, IDS)

    def _plain(self, texts: Iterable[str]) -> list[list[int]]:
        """Encode texts, each once however often it is there."""
        texts = list(texts)
        unique = list(dict.fromkeys(texts))
        rows = dict(zip(unique, self._batch(unique), strict=True))
        for text, ids in rows.items():
            if not self.special_ids.isdisjoint(ids):
                rows[text] = self._in_pieces(text)
        return [rows[text] for text in texts]

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
