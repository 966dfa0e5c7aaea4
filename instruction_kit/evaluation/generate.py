"""Texts that a model writes: prompts in tokens go in, one or several continuations each come out.

`transformers` runs the steps. Without a temperature the likeliest token is taken at each. With one, tokens are drawn by
the Gumbel-max trick (Gumbel 1954; https://arxiv.org/abs/1611.00712, section 2.1): noise from a hash of the row, the
sample and the step is added, and the largest taken. So what a row gets does not depend on what it was batched with.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import torch
from pydantic import BaseModel, ConfigDict, Field
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, PreTrainedModel

from instruction_kit.choice import keys, row_hashes
from instruction_kit.evaluation.batch import buckets, padded
from instruction_kit.evaluation.score import ignore
from instruction_kit.evaluation.trunk import Tokens
from instruction_kit.evaluation.two_sided import start_of

LARGEST_SEED = 2**63 - 1


class Generation(BaseModel):
    """How texts are written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_new_tokens: int = Field(default=256, ge=1)
    """The longest text, in tokens."""
    num_samples: int = Field(default=1, ge=1)
    """Texts for each prompt, of which the commonest answer counts."""
    temperature: float = Field(default=0.0, ge=0)
    """0 takes the likeliest token."""
    seed: int = 0


@torch.inference_mode()
def generate(
    model: PreTrainedModel,
    prompts: Sequence[Tokens],
    names: Sequence[str],
    *,
    stop_id: int,
    how: Generation,
    batch_size: int,
    advance: Callable[[int], None] = ignore,
) -> list[list[Tokens]]:
    """Continue each prompt `how.num_samples` times, up to the stop token, which is left out.

    `names` of the prompts decide what is drawn for each, together with `how.seed`.
    """
    model.train(mode=False)
    found: list[list[Tokens]] = [[] for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda place: (-len(prompts[place]), prompts[place], names[place]))
    sizes = [(len(prompts[place]), how.num_samples) for place in order]
    for batch in buckets(order, sizes, batch_size=batch_size):
        rows = [place for place in batch for _ in range(how.num_samples)]
        written = _run(model, [prompts[place] for place in rows], _seeds(batch, names, how), stop_id=stop_id, how=how)
        for place, text in zip(rows, written, strict=True):
            found[place].append(text)
        advance(len(batch))
    return found


def _seeds(batch: Sequence[int], names: Sequence[str], how: Generation) -> list[int]:
    hashes = row_hashes([names[place] for place in batch])
    by_sample = [keys(hashes, how.seed, "sample", sample) for sample in range(how.num_samples)]
    return [int(of[row]) & LARGEST_SEED for row in range(len(batch)) for of in by_sample]


def _run(
    model: PreTrainedModel, prompts: Sequence[Tokens], seeds: Sequence[int], *, stop_id: int, how: Generation
) -> Iterator[Tokens]:
    """Write one batch: prompts stand behind padding, so that all are continued at the same place.

    An encoder-decoder continues nothing: its prompts stand before padding, at the positions that they have alone.
    """
    if model.config.is_encoder_decoder:
        tokens, mask = padded(prompts, device=model.device)
    else:
        tokens, mask = (found.flip(1) for found in padded([prompt[::-1] for prompt in prompts], device=model.device))
    noise = LogitsProcessorList([Noise(seeds, how.temperature)] if how.temperature else [])
    config = GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=how.max_new_tokens,
        do_sample=False,
        eos_token_id=stop_id,
        pad_token_id=stop_id,
        decoder_start_token_id=start_of(model) if model.config.is_encoder_decoder else None,
    )
    own = model.generation_config
    model.generation_config = config  # else its penalties, beams and forced tokens stand where ours says nothing
    try:
        written = cast("Any", model).generate(
            tokens, attention_mask=mask, generation_config=config, logits_processor=noise
        )
    finally:
        model.generation_config = own
    start = 1 if model.config.is_encoder_decoder else tokens.shape[1]
    for row in written[:, start:].tolist():
        yield tuple(row[: row.index(stop_id)] if stop_id in row else row)


class Noise(LogitsProcessor):
    """Turns the largest score into a draw from the distribution."""

    def __init__(self, seeds: Sequence[int], temperature: float) -> None:
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.temperature = temperature

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Add one draw of Gumbel noise a row and token; each row has a generator of its own."""
        drawn = torch.stack([torch.rand(scores.shape[-1], generator=one) for one in self.generators])
        noise = -torch.log(-torch.log(drawn.clamp(1e-20, 1 - 1e-7)))
        return scores.float() / self.temperature + noise.to(scores.device)  # type: ignore[return-value]
