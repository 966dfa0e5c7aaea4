"""Zero-shot chain of thought in two stages: Kojima et al. 2022, section 3.1, https://arxiv.org/abs/2205.11916.

First the model goes on from a trigger ("Let's think step by step.") behind the prompt; then its reasons and a second
trigger ("Therefore, the answer is") stand there too, and the answer follows. A row with candidates has them ranked
there, without the row's own phrasing of the output; any other row has its answer generated, up to the end of a line.
"""

from collections.abc import Callable, Sequence

import polars as pl
from transformers import PreTrainedModel

from instruction_kit.evaluation.answer import decoded, names, no_room
from instruction_kit.evaluation.batch import Scored
from instruction_kit.evaluation.figures import best_candidates
from instruction_kit.evaluation.generate import Generation, generate
from instruction_kit.evaluation.rows import finished
from instruction_kit.evaluation.score import ignore, log_likelihoods, max_positions
from instruction_kit.evaluation.trunk import Tokens
from instruction_kit.exemplar.trigger import ANSWERING, REASONING
from instruction_kit.token.conversation import pair_of
from instruction_kit.token.encoder import Encoded, Encoder

TRIGGER, ANSWER_TRIGGER = REASONING[0].text, ANSWERING[0].text
ANSWER_TOKENS = 32
"""The longest answer behind the second trigger."""


def reason(  # noqa: PLR0913 - as `answer`
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
    room = how.model_copy(update={"max_new_tokens": 2 * how.max_new_tokens + ANSWER_TOKENS})
    dropped = [no_room(one, max_positions(model), room) for one in encoded]
    kept = [place for place, reason in enumerate(dropped) if reason is None]
    advance(pairs.height - len(kept))
    here = pairs[kept]
    prompts = [tuple(one.prompt) for place, one in enumerate(encoded) if place in set(kept) and isinstance(one, Encoded)]
    told = names(here)
    once = how.model_copy(update={"num_samples": 1})

    def go_on(starts: Sequence[Tokens], way: Generation, tell: Callable[[int], None]) -> list[str]:
        written = generate(
            model, starts, told, stop_id=encoder.stop_id, how=way, batch_size=batch_size, advance=tell
        )
        return [decoded(encoder, texts)[0].strip() for texts in written]

    thoughts = go_on([prompt + _ids(encoder, TRIGGER) for prompt in prompts], once, advance)
    leads = [f"{TRIGGER} {thought}\n{ANSWER_TRIGGER}" for thought in thoughts]
    starts = [prompt + _ids(encoder, lead) for prompt, lead in zip(prompts, leads, strict=True)]
    short = once.model_copy(update={"max_new_tokens": ANSWER_TOKENS})
    scores = _ranked(model, encoder, here, starts, batch_size=batch_size)
    free = [place for place, found in enumerate(scores) if found is None]
    written = go_on(starts, short, ignore) if free else []
    answers, rights = [], []
    for place, row in enumerate(here.select("options", "gold", "references").iter_rows(named=True)):
        found = scores[place]
        if found is None:
            answers.append(written[place].split("\n")[0].strip().rstrip(".") or None)
            rights.append(row["references"])
        else:
            best = best_candidates(found)
            answers.append(row["options"][best[0]] if len(best) == 1 else None)
            rights.append([row["options"][gold] for gold in row["gold"]])
    outputs = [[f"{lead} {said or ''}".rstrip()] for lead, said in zip(leads, answers, strict=True)]
    measured = here.with_columns(
        outputs=pl.Series(outputs, dtype=pl.List(pl.String)),
        answer=pl.Series(answers, dtype=pl.String),
        references=pl.Series(rights, dtype=pl.List(pl.String)),
        scores=pl.Series(scores, dtype=pl.List(pl.Float64)),
    )
    left = pairs.with_columns(dropped=pl.Series(dropped, dtype=pl.String)).filter(pl.col("dropped").is_not_null())
    return pl.concat([finished(measured), finished(left)])


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


def _ids(encoder: Encoder, text: str) -> Tokens:
    ids: list[int] = encoder.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return tuple(ids)
