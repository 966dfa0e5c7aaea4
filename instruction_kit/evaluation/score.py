"""Log-likelihoods: a model and token sequences go in, one sum of log-probabilities a completion comes out.

A score must not depend on what it was batched with: sequences are padded on the right behind an attention mask, with
explicit positions, so a token sees the same tokens at the same positions in every batch; the softmax is taken in
float32, the sum in float64. Batches hold sequences of like length, the longest first, so what does not fit in memory
fails at once; results come back in the order of the input. Nothing is ever cut here: see `max_positions`.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import torch
from transformers import PreTrainedModel

from instruction_kit.errors import EvaluationError


class Scored(NamedTuple):
    """A prompt and what is to be scored after it, in tokens."""

    prompt: tuple[int, ...]
    completion: tuple[int, ...]

    @property
    def num_inputs(self) -> int:
        """The number of tokens that the model must see: all but the last, which is only predicted."""
        return len(self.prompt) + len(self.completion) - 1


def ignore(_num: int) -> None:
    """Report progress to nobody."""


def max_positions(model: PreTrainedModel) -> int | None:
    """Read how many tokens a model can take; None where its configuration sets no bound."""
    config = model.config.get_text_config()
    for name in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"):
        found = getattr(config, name, None)
        if isinstance(found, int) and found > 0:
            return found
    return None


@torch.inference_mode()
def log_likelihoods(
    model: PreTrainedModel, sequences: Sequence[Scored], *, batch_size: int, advance: Callable[[int], None] = ignore
) -> list[float]:
    """Sum the log-probabilities of each completion's tokens after its prompt; equal sequences are run once.

    Dropout is switched off in the model if it was on.

    `advance` is told after every batch how many of the sequences are done.

    Raises:
        EvaluationError: the model knows fewer tokens than there are, or gives probabilities that are no numbers.

    """
    _check_vocabulary(model, sequences)
    model.train(mode=False)
    places: dict[Scored, list[int]] = {}
    for place, sequence in enumerate(sequences):
        places.setdefault(sequence, []).append(place)
    by_length = sorted(places, key=lambda sequence: (-sequence.num_inputs, len(sequence.prompt), sequence))
    scores = [0.0] * len(sequences)
    for start in range(0, len(by_length), batch_size):
        batch = by_length[start : start + batch_size]
        for sequence, score in zip(batch, _run(model, batch), strict=True):
            for place in places[sequence]:
                scores[place] = score
        advance(sum(len(places[sequence]) for sequence in batch))
    return scores


def _check_vocabulary(model: PreTrainedModel, sequences: Sequence[Scored]) -> None:
    """Refuse tokens that the model has no embedding for: on a GPU they end the process without a word."""
    rows = cast("torch.Tensor", model.get_input_embeddings().weight).shape[0]
    largest = max((max(*sequence.prompt, *sequence.completion) for sequence in sequences), default=0)
    if largest >= rows:
        raise EvaluationError(
            f"the model has {rows} embeddings, and its tokenizer gives the id {largest}; "
            "give the model the tokenizer that it was made with"
        )


def _run(model: PreTrainedModel, batch: Sequence[Scored]) -> list[float]:
    """Score one batch: of the logits only the positions that some completion needs, of those only its own."""
    width = max(sequence.num_inputs for sequence in batch)
    first = min(len(sequence.prompt) for sequence in batch) - 1
    accepted = inspect.signature(model.forward).parameters
    extra: dict[str, object] = {"use_cache": False}
    if "position_ids" in accepted:
        extra["position_ids"] = torch.arange(width, device=model.device).expand(len(batch), width)
    if "logits_to_keep" in accepted:
        extra["logits_to_keep"] = width - first
    else:
        first = 0
    logits = model(**_padded(batch, width, model.device), **extra).logits
    found = [_log_probabilities(logits[number], sequence, first) for number, sequence in enumerate(batch)]
    return _sums(torch.cat(found).cpu(), [len(sequence.completion) for sequence in batch])


def _padded(batch: Sequence[Scored], width: int, device: torch.device) -> dict[str, torch.Tensor]:
    """Lay sequences out as rows of one width; what stands in the padding is never attended to."""
    tokens = torch.zeros(len(batch), width, dtype=torch.long)
    mask = torch.zeros(len(batch), width, dtype=torch.long)
    for number, sequence in enumerate(batch):
        ids = (*sequence.prompt, *sequence.completion)[:-1]
        tokens[number, : len(ids)] = torch.tensor(ids)
        mask[number, : len(ids)] = 1
    return {"input_ids": tokens.to(device), "attention_mask": mask.to(device)}


def _log_probabilities(logits: torch.Tensor, sequence: Scored, first: int) -> torch.Tensor:
    start = len(sequence.prompt) - 1 - first
    targets = torch.tensor(sequence.completion, device=logits.device)
    wanted = logits[start : start + len(sequence.completion)].float().log_softmax(dim=-1)
    return wanted.gather(1, targets[:, None])[:, 0]


def _sums(log_probabilities: torch.Tensor, lengths: list[int]) -> list[float]:
    if not log_probabilities.isfinite().all():
        raise EvaluationError(
            "the model gives a probability that is not a number; its weights are broken, or overflow in this type: "
            "measure with --dtype float32"
        )
    return [float(part.sum()) for part in torch.split(log_probabilities.double(), lengths)]
