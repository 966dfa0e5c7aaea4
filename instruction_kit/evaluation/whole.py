"""Log-likelihoods by whole sequences: every completion is run behind its own copy of its prompt.

The way for models that cannot go on from a cache, and for prompts with one completion. Sequences are padded on the
right behind an attention mask, with explicit positions.
"""

from collections.abc import Iterator, Sequence

import torch
from transformers import PreTrainedModel

from instruction_kit.evaluation.batch import Scored, accepts, buckets, log_probabilities, padded, positions


def whole(
    model: PreTrainedModel, sequences: Sequence[Scored], *, batch_size: int
) -> Iterator[dict[Scored, torch.Tensor]]:
    """Give the log-probabilities of each completion's tokens, a batch at a time."""
    by_length = sorted(sequences, key=lambda sequence: (-sequence.num_inputs, len(sequence.prompt), sequence))
    for batch in buckets(by_length, [(sequence.num_inputs, 1) for sequence in by_length], batch_size=batch_size):
        yield _run(model, batch)


def _run(model: PreTrainedModel, batch: Sequence[Scored]) -> dict[Scored, torch.Tensor]:
    """Run one batch: of the logits only the positions that some completion needs, of those only its own."""
    width = max(sequence.num_inputs for sequence in batch)
    first = min(len(sequence.prompt) for sequence in batch) - 1
    extra: dict[str, object] = {"use_cache": False}
    if accepts(model, "logits_to_keep"):
        extra["logits_to_keep"] = width - first
    else:
        first = 0
    tokens, mask = padded([(*sequence.prompt, *sequence.completion)[:-1] for sequence in batch], device=model.device)
    starts = [0] * len(batch)
    logits = model(input_ids=tokens, attention_mask=mask, **positions(model, starts, width), **extra).logits
    found = {}
    for number, sequence in enumerate(batch):
        start = len(sequence.prompt) - 1 - first
        rows = logits[number, start : start + len(sequence.completion)]
        found[sequence] = log_probabilities(rows, sequence.completion)
    return found
