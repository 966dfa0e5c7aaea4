"""Measuring: a model, its tokenizer, its layout and pairs go in; the pairs with what was found of each come out.

What is asked of a pair follows from the pair and from the protocols that are wanted: one with candidates is ranked, one
of a task without any gives a likelihood, one that reasons first is generated and read back. Pairs that no wanted
protocol covers are left out with their reason. Prompt and candidate become tokens as in training, by the same encoder.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import polars as pl
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from instruction_kit.evaluation.answer import answer
from instruction_kit.evaluation.arguments import Wanted
from instruction_kit.evaluation.generate import Generation
from instruction_kit.evaluation.rank import num_candidates, rank
from instruction_kit.evaluation.reason import reason
from instruction_kit.evaluation.report import MODEL
from instruction_kit.evaluation.rows import PAIR, ROWS, Protocol, finished
from instruction_kit.evaluation.score import ignore
from instruction_kit.template.template import Place
from instruction_kit.token.encode import encoder_of
from instruction_kit.token.encoder import Encoder
from instruction_kit.token.layout import Layout

INVERTED = "inverted templates train, they are never measured"
CHAIN_OF_THOUGHT = "a chain of thought is generated and read back, it has no candidates: ask for generate"
NO_CANDIDATES = "no candidates, where other pairs of the task have them"
NOT_BARE = "zero-shot chain of thought asks for reasons by itself: it takes zero-shot pairs that write none"


@dataclass(frozen=True)
class How:
    """What is measured of pairs."""

    protocols: tuple[Wanted, ...] = ("rank",)
    generation: Generation = field(default_factory=Generation)
    places: Mapping[str, Place] = field(default_factory=dict)
    """Template -> where the answer stands in its output."""


RANK = How()


def measure(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    layout: Layout,
    pairs: pl.DataFrame,
    *,
    batch_size: int,
    how: How = RANK,
    name: str = MODEL,
    advance: Callable[[int], None] = ignore,
) -> pl.DataFrame:
    """Measure every pair that `read_pairs` gave; the result has the columns of `ROWS`, in the order of `asked_of`.

    `name` is written to the column `model`. `advance` is told how much is done of `amount(asked_of(pairs, …))`.
    """
    asked = asked_of(pairs, how.protocols)
    encoder = encoder_of(tokenizer, layout)
    return measure_asked(model, encoder, asked, batch_size=batch_size, how=how, name=name, advance=advance)


def measure_asked(
    model: PreTrainedModel,
    encoder: Encoder,
    asked: pl.DataFrame,
    *,
    batch_size: int,
    how: How,
    name: str,
    advance: Callable[[int], None] = ignore,
) -> pl.DataFrame:
    """Measure some of the pairs that `asked_of` gave."""
    found = [finished(asked.filter(pl.col("dropped").is_not_null()))]
    for protocol, part in _by_protocol(asked):
        match protocol:
            case "rank" | "likelihood":
                rows = rank(model, encoder, part, batch_size=batch_size, advance=advance)
            case "zero_shot_chain_of_thought":
                rows = reason(model, encoder, part, how=how.generation, batch_size=batch_size, advance=advance)
            case _:
                rows = answer(
                    model, encoder, part, how.places, how=how.generation, batch_size=batch_size, advance=advance
                )
        found.append(rows)
    rows = pl.concat(found).with_columns(pl.lit(name).alias("model"))
    return asked.select(PAIR).join(rows, on=list(PAIR), how="left", maintain_order="left").select(ROWS.names())


def amount(asked: pl.DataFrame) -> int:
    """Count what there is to do: a sequence for each candidate, and a text for each pair that is generated."""
    return sum(
        num_candidates(part) if protocol in ("rank", "likelihood") else part.height
        for protocol, part in _by_protocol(asked)
    )


def asked_of(pairs: pl.DataFrame, protocols: Sequence[Wanted]) -> pl.DataFrame:
    """Pairs with the protocol in which each is asked, and why it is not; a pair stands there once for each of them."""
    found = [_in(pairs, wanted) for wanted in dict.fromkeys(protocols)]
    if len(found) == 1:
        return found[0]
    asked, pair = pl.concat(found), [name for name in PAIR if name != "protocol"]
    kept, left = asked.filter(pl.col("dropped").is_null()), asked.filter(pl.col("dropped").is_not_null())
    # Left out is what no protocol covers, told once; not what another one measures.
    left = left.join(kept, on=pair, how="anti", maintain_order="left").unique(pair, keep="first", maintain_order=True)
    return pl.concat([kept, left])


def _in(pairs: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    cot = pl.col("setting").str.split(".").list.contains("cot")
    few_shot = pl.col("setting").str.starts_with("few_shot")
    has_candidates = pl.col("candidates").list.len() > 0
    ranked = (has_candidates & ~pl.col("inverted")).any().over("task")
    inverted = pl.when("inverted").then(pl.lit(INVERTED))
    if wanted == "rank":  # a task with candidates anywhere is ranked everywhere
        protocol = pl.when(ranked).then(pl.lit("rank")).otherwise(pl.lit("likelihood"))
        reasoned = inverted.when(cot).then(pl.lit(CHAIN_OF_THOUGHT))
        return pairs.with_columns(
            protocol=protocol, dropped=reasoned.when(ranked & ~has_candidates).then(pl.lit(NO_CANDIDATES))
        )
    if wanted == "generate":
        protocol = pl.when(cot).then(pl.lit("chain_of_thought")).otherwise(pl.lit("generate"))
        return pairs.with_columns(protocol=protocol, dropped=inverted)
    bare = inverted.when(cot | few_shot).then(pl.lit(NOT_BARE))
    return pairs.with_columns(protocol=pl.lit("zero_shot_chain_of_thought"), dropped=bare)


def _by_protocol(asked: pl.DataFrame) -> Iterator[tuple[Protocol, pl.DataFrame]]:
    kept = asked.filter(pl.col("dropped").is_null())
    for part in kept.partition_by("protocol", maintain_order=True):
        yield cast("Protocol", part["protocol"][0]), part
