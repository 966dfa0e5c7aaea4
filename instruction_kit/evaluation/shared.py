"""Log-likelihoods from a cache: what completions have in common is run once.

A prompt is run once for all its completions, and the trunk of a run of prompts (few-shot exemplars) once for all of
them; the keys and values that a model caches are then copied to each that goes on from there. Only the last position
of a prompt and the positions of the completions go through the language-model head.

Not every model can go on from a cache behind padding, so `shares` asks the model at hand: its cache must be the plain
one, and on a few made-up sequences both ways must agree.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from instruction_kit.evaluation.batch import Scored, accepts, buckets, log_probabilities, padded, positions
from instruction_kit.evaluation.trunk import Tokens, runs
from instruction_kit.evaluation.whole import whole

TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-8}
"""How far the two ways may differ on the probe, by type of weights; a half type rounds after every layer."""
HALF_TOLERANCE = 0.1

Completions = Mapping[Tokens, Sequence[Tokens]]
"""Prompt -> what is scored after it."""


class Read(NamedTuple):
    """Rows of tokens that a model has read."""

    cache: DynamicCache
    mask: torch.Tensor
    """(rows, tokens), 0 where padding stands."""
    logits: torch.Tensor
    """(rows, vocabulary): what follows on the last token of each row."""


def shares(model: PreTrainedModel) -> bool:
    """Say whether the model scores from a cache as it scores whole sequences."""
    if not accepts(model, "past_key_values") or model.config.is_encoder_decoder:
        return False
    if any(type(layer) is not DynamicLayer for layer in _empty(model).layers):
        return False  # a sliding window or a recurrent state forgets what padding pushes out
    prompt, other = (1, 2, 3, 1, 2), (1, 2)
    probe = {prompt: [(3, 1, 2), (1,)], other: [(2, 1), (1, 3, 2)]}
    sequences = [Scored(prompt, completion) for prompt, completions in probe.items() for completion in completions]
    (expected,) = whole(model, sequences, batch_size=len(sequences))
    (found,) = shared(model, probe, batch_size=len(sequences))
    bound = TOLERANCE.get(model.dtype, HALF_TOLERANCE)
    return all(bool((found[sequence] - expected[sequence]).abs().max() <= bound) for sequence in sequences)


def shared(
    model: PreTrainedModel, completions: Completions, *, batch_size: int
) -> Iterator[dict[Scored, torch.Tensor]]:
    """Give the log-probabilities of each completion's tokens, a batch at a time."""
    for trunk, prompts in runs(list(completions)):
        start = _read_trunk(model, prompts[0][:trunk]) if trunk else None
        ordered = sorted(prompts, key=lambda prompt: (-len(prompt), prompt))
        sizes = [(len(prompt) - trunk, len(completions[prompt])) for prompt in ordered]
        for batch in buckets(ordered, sizes, batch_size=batch_size):
            yield _score(model, batch, completions, start)


def _read_trunk(model: PreTrainedModel, trunk: Tokens) -> Read:
    return _read(model, [trunk], before=None, of=[0], starts=[0])


def _score(
    model: PreTrainedModel, prompts: Sequence[Tokens], completions: Completions, start: Read | None
) -> dict[Scored, torch.Tensor]:
    """Read the prompts on from their trunk, then all but the last token of each completion on from its prompt."""
    trunk = 0 if start is None else start.mask.shape[1]
    rests = [prompt[trunk:] for prompt in prompts]
    read = _read(model, rests, before=start, of=[0] * len(rests), starts=[trunk] * len(rests))
    asked = [(row, Scored(prompt, text)) for row, prompt in enumerate(prompts) for text in completions[prompt]]
    firsts = read.logits.float().log_softmax(dim=-1)
    found = {sequence: firsts[row, sequence.completion[:1]] for row, sequence in asked}
    longer = [(row, sequence) for row, sequence in asked if len(sequence.completion) > 1]
    if longer:
        for sequence, rest in _go_on(model, longer, read):
            found[sequence] = torch.cat([found[sequence], rest])
    return found


def _go_on(
    model: PreTrainedModel, asked: Sequence[tuple[int, Scored]], read: Read
) -> Iterator[tuple[Scored, torch.Tensor]]:
    """Give the log-probabilities of the tokens after the first one."""
    of = [row for row, _ in asked]
    tokens, mask = padded([sequence.completion[:-1] for _, sequence in asked], device=model.device)
    starts = [len(sequence.prompt) for _, sequence in asked]
    logits = model(
        input_ids=tokens,
        attention_mask=torch.cat([read.mask[of], mask], dim=1),
        past_key_values=_copied(model, read.cache, of),
        use_cache=True,
        **positions(model, starts, tokens.shape[1]),
    ).logits
    for number, (_, sequence) in enumerate(asked):
        rest = sequence.completion[1:]
        yield sequence, log_probabilities(logits[number, : len(rest)], rest)


def _read(
    model: PreTrainedModel, rows: Sequence[Tokens], *, before: Read | None, of: Sequence[int], starts: Sequence[int]
) -> Read:
    """Read rows of tokens, each on from row `of` of what was read before."""
    tokens, mask = padded(rows, device=model.device)
    whole_mask = mask if before is None else torch.cat([before.mask[list(of)], mask], dim=1)
    cache = _empty(model) if before is None else _copied(model, before.cache, of)
    ends = [len(row) - 1 for row in rows]
    kept = sorted(set(ends))
    extra: dict[str, object] = {}
    if accepts(model, "logits_to_keep"):
        extra["logits_to_keep"] = torch.tensor(kept, device=model.device)
    else:
        kept = list(range(tokens.shape[1]))
    logits = model(
        input_ids=tokens,
        attention_mask=whole_mask,
        past_key_values=cache,
        use_cache=True,
        **positions(model, starts, tokens.shape[1]),
        **extra,
    ).logits
    return Read(cache, whole_mask, logits[range(len(rows)), [kept.index(end) for end in ends]])


def _empty(model: PreTrainedModel) -> DynamicCache:
    return DynamicCache(config=model.config)


def _copied(model: PreTrainedModel, cache: DynamicCache, of: Sequence[int]) -> DynamicCache:
    """Copy rows of a cache, one as often as it is named."""
    copy = _empty(model)
    for number, layer in enumerate(cast("Sequence[Any]", cache.layers)):  # plain layers, see `shares`
        copy.update(layer.keys[list(of)], layer.values[list(of)], number)
    return copy
