"""Log-likelihoods by an encoder-decoder: each prompt is read once, and all its completions are scored behind it.

The encoder reads prompts behind a mask; what it makes of one is then given to the decoder once for each completion.
Encoder and decoder are padded on the right, and the decoder sees nothing behind the token that it predicts from, so a
score is the same in every batch. The decoder begins with the token that the model's configuration names.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from transformers import PreTrainedModel

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.batch import Scored, buckets, log_probabilities, padded
from instruction_kit.evaluation.trunk import Tokens


def two_sided(
    model: PreTrainedModel, sequences: Sequence[Scored], *, batch_size: int
) -> Iterator[dict[Scored, torch.Tensor]]:
    """Give the log-probabilities of each completion's tokens, a batch at a time."""
    completions: dict[Tokens, list[Tokens]] = {}
    for prompt, completion in sequences:
        completions.setdefault(prompt, []).append(completion)
    ordered = sorted(completions, key=lambda prompt: (-_width(prompt, completions[prompt]), prompt))
    sizes = [(_width(prompt, completions[prompt]), len(completions[prompt])) for prompt in ordered]
    for prompts in buckets(ordered, sizes, batch_size=batch_size):
        asked = [(row, Scored(prompt, text)) for row, prompt in enumerate(prompts) for text in completions[prompt]]
        yield _score(model, prompts, asked)


def start_of(model: PreTrainedModel) -> int:
    """Read the token that every output begins with in the decoder, before its first own one.

    Raises:
        EvaluationError: the model names none.

    """
    named = (getattr(of, "decoder_start_token_id", None) for of in (model.config, model.generation_config))
    found = next((token for token in named if token is not None), None)
    if not isinstance(found, int):
        raise EvaluationError("the model's config.json names no decoder_start_token_id, so its decoder cannot begin")
    return found


def _width(prompt: Tokens, completions: Sequence[Tokens]) -> int:
    return len(prompt) + max(map(len, completions))


def _score(
    model: PreTrainedModel, prompts: Sequence[Tokens], asked: Sequence[tuple[int, Scored]]
) -> dict[Scored, torch.Tensor]:
    """Read prompts, then score what is asked behind each of them."""
    tokens, mask = padded(prompts, device=model.device)
    read = cast("Any", model.get_encoder())(input_ids=tokens, attention_mask=mask).last_hidden_state
    start, of = start_of(model), [row for row, _ in asked]
    inputs, inputs_mask = padded([(start, *sequence.completion[:-1]) for _, sequence in asked], device=model.device)
    logits = model(
        encoder_outputs=(read[of],),
        attention_mask=mask[of],
        decoder_input_ids=inputs,
        decoder_attention_mask=inputs_mask,
        use_cache=False,
    ).logits
    return {
        sequence: log_probabilities(logits[place, : len(sequence.completion)], sequence.completion)
        for place, (_, sequence) in enumerate(asked)
    }
