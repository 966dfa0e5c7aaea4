"""What is run at once: sequences to score become batches of like length, and rows of tokens behind a mask.

What every way of scoring shares. A batch is bounded by the tokens of the longest sequences, so that short ones go many
at a time; the longest come first, so what does not fit in memory fails at once.
"""

import inspect
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import torch
from transformers import PreTrainedModel

T = TypeVar("T")

MOST = 4
"""How many times `batch_size` sequences a batch of short ones may hold: their logits take memory too."""


class Scored(NamedTuple):
    """A prompt and what is to be scored after it, in tokens."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]

    @property
    def num_inputs(self) -> int:
        """The number of tokens that the model must see: all but the last, which is only predicted."""
        return len(self.prompt) + len(self.completion) - 1


def buckets(items: Sequence[T], sizes: Sequence[tuple[int, int]], *, batch_size: int) -> Iterator[list[T]]:
    """Part items, the widest first, into batches; `sizes` has the width and the sequences of each.

    A batch has as many tokens as `batch_size` sequences of the greatest width, at most.

    >>> list(buckets(["abcd", "efgh", "ij", "kl", "mn"], [(4, 1), (4, 1), (2, 1), (2, 1), (2, 1)], batch_size=1))
    [['abcd'], ['efgh'], ['ij', 'kl'], ['mn']]
    """
    budget = batch_size * max((width for width, _ in sizes), default=0)
    batch: list[T] = []
    width = taken = 0
    for item, (own, sequences) in zip(items, sizes, strict=True):
        wider = max(width, own)
        if batch and (wider * (taken + sequences) > budget or taken + sequences > MOST * batch_size):
            yield batch
            batch, wider, taken = [], own, 0
        batch.append(item)
        width, taken = wider, taken + sequences
    if batch:
        yield batch


def padded(rows: Sequence[Sequence[int]], *, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Lay tokens out as rows of one width, (rows, width) each: ids, and a mask that is 0 where padding stands."""
    width = max(map(len, rows))
    tokens = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    for number, ids in enumerate(rows):
        tokens[number, : len(ids)] = torch.tensor(ids, dtype=torch.long)
        mask[number, : len(ids)] = 1
    return tokens.to(device), mask.to(device)


def positions(model: PreTrainedModel, starts: Sequence[int], width: int) -> dict[str, torch.Tensor]:
    """Give the positions of rows of `width` tokens that begin at `starts`, for a model that takes any."""
    if not accepts(model, "position_ids"):
        return {}
    begins = torch.tensor(starts, device=model.device)
    return {"position_ids": begins[:, None] + torch.arange(width, device=model.device)}


def log_probabilities(logits: torch.Tensor, wanted: Sequence[int]) -> torch.Tensor:
    """Take the log-probability of one wanted token a row, in float32; `logits` is (tokens, vocabulary)."""
    targets = torch.tensor(wanted, dtype=torch.long, device=logits.device)
    return logits.float().log_softmax(dim=-1).gather(1, targets[:, None])[:, 0]


def accepts(model: PreTrainedModel, name: str) -> bool:
    """Say whether the model's forward has an argument of that name."""
    return name in inspect.signature(model.forward).parameters
