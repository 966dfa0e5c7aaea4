"""The plain layout: BOS, the prompt, the completion, the stop token, and nothing between them.

Prompt and completion are never tokenised as one text, so no token can straddle the border between them, and training
and measuring give the same ids. The tokenizer's own special tokens are off: BOS and the stop token are put as ids, here
and nowhere else, and a special token's text that stands in the data stays text. Nothing is cut and nothing is stripped.
"""

import re
from collections.abc import Iterable, Sequence

from instruction_kit.errors import TokenError
from instruction_kit.token.conversation import Pair
from instruction_kit.token.encoder import Encoded, Encoder, Misfit


class PlainEncoder(Encoder):
    """A tokenizer under a plain layout."""

    columns = ("prompt", "completion")

    def encode(self, pairs: Sequence[Pair]) -> list[Encoded | Misfit]:
        """Encode pairs; every one fits."""
        prompts = self.prompts([pair.prompt for pair in pairs])
        completions = self.completions([pair.completion for pair in pairs])
        return [Encoded(prompt, completion, []) for prompt, completion in zip(prompts, completions, strict=True)]

    def afresh(self, pair: Pair) -> Encoded:
        """Encode one pair, each side by itself."""
        return Encoded(self.prompts([pair.prompt])[0], self.completions([pair.completion])[0], [])

    def answer(self, pair: Pair) -> str:
        """Write the completion with the stop token."""
        return pair.completion + self.layout.stop

    def begins_once(self, prompt: Sequence[int]) -> bool:
        """Say whether a prompt has BOS once where the layout has one, and no special token else."""
        start = [] if self.bos_id is None else [self.bos_id]
        return list(prompt[: len(start)]) == start and self.special_ids.isdisjoint(prompt[len(start) :])

    def prompts(self, texts: list[str]) -> list[list[int]]:
        """Encode prompts: BOS once if the layout has one, then the text."""
        start = [] if self.bos_id is None else [self.bos_id]
        return [start + ids for ids in self._plain(texts)]

    def completions(self, texts: list[str]) -> list[list[int]]:
        """Encode completions: the text, then the stop token once."""
        return [[*ids, self.stop_id] for ids in self._plain(texts)]

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
