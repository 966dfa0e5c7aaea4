"""Zero-shot chain of thought in two stages: Kojima et al. 2022, section 3.1, https://arxiv.org/abs/2205.11916.

First the model goes on from a trigger ("Let's think step by step.") behind the prompt; then its reasons and a second
trigger ("Therefore, the answer is") stand there too, and the answer follows. A row with candidates has them ranked
there, without the row's own phrasing of the output; any other row has its answer generated, up to the end of a line.
"""

from collections.abc import Callable, Sequence
from functools import partial

import polars as pl
from transformers import PreTrainedModel

from instruction_kit.evaluation.answer import decoded, names
from instruction_kit.evaluation.batch import Scored
from instruction_kit.evaluation.figures import best_candidates
from instruction_kit.evaluation.generate import Generation, generate
from instruction_kit.evaluation.room import no_room, room_of
from instruction_kit.evaluation.rows import finished
from instruction_kit.evaluation.score import ignore, log_likelihoods
from instruction_kit.evaluation.trunk import Tokens
from instruction_kit.exemplar.trigger import ANSWERING, REASONING
from instruction_kit.token.conversation import pair_of
from instruction_kit.token.encoder import Encoded, Encoder

TRIGGER, ANSWER_TRIGGER = REASONING[0].text, ANSWERING[0].text
ANSWER_TOKENS = 32
"""The longest answer behind the second trigger."""


def reason(
    model: PreTrainedModel,
    encoder: Encoder,
    pairs: pl.DataFrame,
    *,
    how: Generation,
    batch_size: int,
    advance: Callable[[int], None] = ignore,
) -> pl.DataFrame:
    """Let the model reason about every pair, then answer it."""
    encoded = encoder.encode([pair_of(row) for row in pairs.select(encoder.columns).iter_rows(named=True)])
    longest = how.model_copy(update={"max_new_tokens": 2 * how.max_new_tokens + ANSWER_TOKENS})
    room = room_of(model)
    dropped = [no_room(one, room, longest) for one in encoded]
    told = pairs.with_columns(dropped=pl.Series(dropped, dtype=pl.String))
    here, left = told.filter(pl.col("dropped").is_null()), told.filter(pl.col("dropped").is_not_null())
    advance(left.height)
    prompts = [
        tuple(one.prompt) for one, why in zip(encoded, dropped, strict=True) if why is None and isinstance(one, Encoded)
    ]
    go_on = partial(_go_on, model, encoder, names(here), batch_size=batch_size)
    begun = [_followed(encoder, prompt, TRIGGER) for prompt in prompts]
    thoughts = go_on(begun, how.model_copy(update={"num_samples": 1}), advance=advance)
    leads = [f"{TRIGGER} {thought}\n{ANSWER_TRIGGER}" for thought in thoughts]
    starts = [_followed(encoder, prompt, lead) for prompt, lead in zip(prompts, leads, strict=True)]
    scores = _ranked(model, encoder, here, starts, batch_size=batch_size)
    free = [place for place, found in enumerate(scores) if found is None]
    short = how.model_copy(update={"num_samples": 1, "max_new_tokens": ANSWER_TOKENS})
    written = go_on(starts, short) if free else leads
    answers = [
        _line(text) if found is None else _favourite(found, options)
        for text, found, options in zip(written, scores, here["options"].to_list(), strict=True)
    ]
    outputs = [[f"{lead} {said or ''}".rstrip()] for lead, said in zip(leads, answers, strict=True)]
    measured = here.with_columns(
        outputs=pl.Series(outputs, dtype=pl.List(pl.String)),
        answer=pl.Series(answers, dtype=pl.String),
        references=pl.Series(_rights(here), dtype=pl.List(pl.String)),
        scores=pl.Series(scores, dtype=pl.List(pl.Float64)),
    )
    return pl.concat([finished(measured), finished(left)])


def _go_on(
    model: PreTrainedModel,
    encoder: Encoder,
    told: Sequence[str],
    starts: Sequence[Tokens],
    how: Generation,
    *,
    batch_size: int,
    advance: Callable[[int], None] = ignore,
) -> list[str]:
    written = generate(model, starts, told, stop_id=encoder.stop_id, how=how, batch_size=batch_size, advance=advance)
    return [decoded(encoder, texts)[0].strip() for texts in written]


def _line(text: str) -> str | None:
    """The answer of a generated text: its first line, without the stop at its end."""
    return text.split("\n", maxsplit=1)[0].strip().rstrip(".") or None


def _favourite(scores: Sequence[float], options: Sequence[str]) -> str | None:
    best = best_candidates(scores)
    return options[best[0]] if len(best) == 1 else None


def _rights(pairs: pl.DataFrame) -> list[list[str]]:
    """The words of the right options, where there are candidates, else the references."""
    return [
        [row["options"][place] for place in row["gold"]] if row["candidates"] else row["references"]
        for row in pairs.select("options", "gold", "candidates", "references").iter_rows(named=True)
    ]


def _ranked(
    model: PreTrainedModel, encoder: Encoder, pairs: pl.DataFrame, starts: Sequence[Tokens], *, batch_size: int
) -> list[list[float] | None]:
    """Score each option's words behind the reasons, where a row has candidates."""
    counts = [len(options) if candidates else 0 for options, candidates in pairs.select("options", "candidates").rows()]
    flat = [
        Scored(start, (*_ids(encoder, f" {word}"), encoder.stop_id))
        for start, options, count in zip(starts, pairs["options"].to_list(), counts, strict=True)
        for word in options[:count]
    ]
    found = iter(log_likelihoods(model, flat, batch_size=batch_size))
    return [[next(found) for _ in range(count)] if count else None for count in counts]


def _followed(encoder: Encoder, prompt: Tokens, text: str) -> Tokens:
    return tuple(encoder.followed(prompt, _ids(encoder, text)))


def _ids(encoder: Encoder, text: str) -> Tokens:
    ids: list[int] = encoder.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return tuple(ids)
