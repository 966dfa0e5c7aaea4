"""Log-likelihoods: a model and token sequences go in, one sum of log-probabilities a completion comes out.

A score must not depend on what it was batched with: padding stands on the right behind an attention mask, with explicit
positions, so a token sees the same tokens at the same positions in every batch; the softmax is taken in float32, the
sum in float64. Sequences that share a prompt, or a long beginning of one, are run from a cache where the model can
(`shared`), all others whole (`whole`), and an encoder-decoder has a way of its own (`two_sided`); results come back in
the order of the input. Nothing is ever cut here: see `room`.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import cast

import torch
from transformers import PreTrainedModel

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.batch import Scored
from instruction_kit.evaluation.shared import shared, shares
from instruction_kit.evaluation.trunk import Tokens, runs
from instruction_kit.evaluation.two_sided import two_sided
from instruction_kit.evaluation.whole import whole


def ignore(_num: int) -> None:
    """Report progress to nobody."""


@torch.inference_mode()
def log_likelihoods(
    model: PreTrainedModel, sequences: Sequence[Scored], *, batch_size: int, advance: Callable[[int], None] = ignore
) -> list[float]:
    """Sum the log-probabilities of each completion's tokens after its prompt; equal sequences are run once.

    Dropout is switched off in the model if it was on.

    `batch_size` counts sequences of the greatest length; of shorter ones more are run at a time. `advance` is told
    after every batch how many of the sequences are done.

    Raises:
        EvaluationError: the model knows fewer tokens than there are, or gives probabilities that are no numbers.

    """
    _check_vocabulary(model, sequences)
    model.train(mode=False)
    places: dict[Scored, list[int]] = {}
    for place, sequence in enumerate(sequences):
        places.setdefault(sequence, []).append(place)
    scores = [0.0] * len(sequences)
    for batch in _batches(model, list(places), batch_size):
        for sequence, score in zip(batch, _sums(batch), strict=True):
            for place in places[sequence]:
                scores[place] = score
        advance(sum(len(places[sequence]) for sequence in batch))
    return scores


def _batches(
    model: PreTrainedModel, sequences: Sequence[Scored], batch_size: int
) -> Iterator[dict[Scored, torch.Tensor]]:
    """Run what is worth sharing from a cache, if the model can, and the rest whole."""
    if model.config.is_encoder_decoder:
        return two_sided(model, sequences, batch_size=batch_size)
    completions: dict[Tokens, list[Tokens]] = {}
    for prompt, completion in sequences:
        completions.setdefault(prompt, []).append(completion)
    loners = {prompt for run in runs(list(completions)) if not run.trunk for prompt in run.prompts}
    joint = {prompt: texts for prompt, texts in completions.items() if len(texts) > 1 or prompt not in loners}
    if not joint or not shares(model):
        return whole(model, sequences, batch_size=batch_size)
    rest = [sequence for sequence in sequences if sequence.prompt not in joint]
    return chain(shared(model, joint, batch_size=batch_size), whole(model, rest, batch_size=batch_size))


def _check_vocabulary(model: PreTrainedModel, sequences: Sequence[Scored]) -> None:
    """Refuse tokens that the model has no embedding for: on a GPU they end the process without a word."""
    rows = cast("torch.Tensor", model.get_input_embeddings().weight).shape[0]
    largest = max((max(*sequence.prompt, *sequence.completion) for sequence in sequences), default=0)
    if largest >= rows:
        raise EvaluationError(
            f"the model has {rows} embeddings, and its tokenizer gives the id {largest}; "
            "give the model the tokenizer that it was made with"
        )


def _sums(batch: dict[Scored, torch.Tensor]) -> list[float]:
    """Add up each completion; one transfer from the device for the whole batch."""
    found = torch.cat(list(batch.values())).cpu()
    if not found.isfinite().all():
        raise EvaluationError(
            "the model gives a probability that is not a number; its weights are broken, or overflow in this type: "
            "measure with --dtype float32"
        )
    return [float(part.sum()) for part in torch.split(found.double(), [len(s.completion) for s in batch])]
