"""How long prompts and completions are: quantiles from counts of lengths, so that memory does not grow with the folder.

In: a folder, its shards, and a tokenizer where tokens are asked for. Out: one record for each split, task, side and
unit. A quantile is a length that some pair has: the shortest that so large a share of the pairs does not exceed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from instruction_kit.build.manifest import Shard
from instruction_kit.build.progress import Progress
from instruction_kit.built.pairs import CONFIG, HOME, batches, pair_shards, scan_pairs
from instruction_kit.errors import MissingExtraError, TokenError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Side = Literal["prompt", "completion", "pair"]
Unit = Literal["characters", "tokens"]
SIDES: tuple[Side, ...] = ("prompt", "completion", "pair")
QUANTILES = {"p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99}
KEYS = ("config", "split", "task", "side")

Counts = Counter[tuple[str, str, str, Side, int]]
"""Config, split, task, side, length -> pairs."""


@dataclass(frozen=True)
class Length:
    """How long one side of some pairs is."""

    config: str
    split: str
    task: str | None
    """None for all tasks of the split."""
    side: Side
    """`pair` is prompt and completion together."""
    unit: Unit
    pairs: int
    mean: float
    min: int
    p5: int
    p25: int
    median: int
    p75: int
    p95: int
    p99: int
    max: int


def characters(folder: Path, shards: Sequence[Shard]) -> pl.DataFrame:
    """Count pairs by their lengths in characters: code points, as spans are counted."""
    prompt, completion = pl.col("prompt").str.len_chars(), pl.col("completion").str.len_chars()
    sides = {"prompt": prompt, "completion": completion, "pair": prompt + completion}
    pairs = scan_pairs(folder, shards).select(
        CONFIG, pl.col(HOME).alias("split"), "task", **{side: length.cast(pl.Int64) for side, length in sides.items()}
    )
    parts = [
        pairs.group_by(CONFIG, "split", "task", pl.col(side).alias("length"))
        .agg(pl.len().alias("pairs"))
        .with_columns(pl.lit(side).alias("side"))
        for side in SIDES
    ]
    return pl.concat(parts).collect(engine="streaming").select(*KEYS, "length", pl.col("pairs").cast(pl.Int64))


def tokens(
    folder: Path, shards: Sequence[Shard], tokenizer: "PreTrainedTokenizerBase", progress: Progress
) -> pl.DataFrame:
    """Count pairs by their lengths in tokens; prompt and completion are encoded apart, without special tokens."""
    counts: Counts = Counter()
    mine = pair_shards(shards)
    for shard in progress.over("tokens", iter(mine), len(mine)):
        for frame in batches(folder / shard.path, columns=("task", "prompt", "completion")):
            lengths = [_encoded(tokenizer, frame[side].to_list()) for side in ("prompt", "completion")]
            for task, prompt, completion in zip(frame["task"], *lengths, strict=True):
                for side, length in zip(SIDES, (prompt, completion, prompt + completion), strict=True):
                    counts[shard.config, shard.split, task, side, length] += 1
    rows = [(*key, pairs) for key, pairs in sorted(counts.items())]
    texts = dict.fromkeys(KEYS, pl.String())
    return pl.DataFrame(rows, schema={**texts, "length": pl.Int64(), "pairs": pl.Int64()}, orient="row")


def _encoded(tokenizer: "PreTrainedTokenizerBase", texts: list[str]) -> list[int]:
    if not texts:
        return []
    encoded = tokenizer(texts, add_special_tokens=False, split_special_tokens=True, verbose=False)
    return [len(ids) for ids in encoded["input_ids"]]


def load_tokenizer(name: str) -> "PreTrainedTokenizerBase":
    """Load a tokenizer by the name of its repository, or from its folder.

    Raises:
        MissingExtraError: transformers is not installed.
        TokenError: there is no such tokenizer.

    """
    try:
        from transformers import AutoTokenizer
    except ModuleNotFoundError as error:
        raise MissingExtraError("lengths in tokens (transformers)", extra="tune") from error
    try:
        loaded: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        path = name.startswith(("/", ".", "~")) and not Path(name).is_dir()
        told = "no such folder" if path else str(error).strip().partition("\n")[0]
        raise TokenError(f"tokenizer {name}: cannot be loaded: {told}; name a repository or a folder of one") from error
    return loaded


def lengths(counts: pl.DataFrame, unit: Unit, *, order: Sequence[tuple[str, str]]) -> Iterator[Length]:
    """The records of every split, in this order, and in each of all tasks together and of every task."""
    whole = counts.with_columns(pl.lit(None, dtype=pl.String).alias("task"))
    every = pl.concat([whole, counts]).group_by(*KEYS, "length").agg(pl.col("pairs").sum()).sort("length")
    found = dict(every.group_by(*KEYS, maintain_order=True))
    tasks = [None, *sorted(counts["task"].unique())]
    for (config, split), task, side in product(order, tasks, SIDES):
        if (config, split, task, side) in found:
            frame = found[config, split, task, side]
            yield Length(config, split, task, side, unit, **_summary(frame))  # type: ignore[arg-type] # by their names


def _summary(frame: pl.DataFrame) -> dict[str, float | int]:
    """Numbers of one group, whose lengths ascend."""
    length, pairs = frame["length"], frame["pairs"]
    total, below = int(pairs.sum()), pairs.cum_sum()
    found = {name: int(length[int((below < share * total).sum())]) for name, share in QUANTILES.items()}
    mean = float((length * pairs).sum()) / total
    return {"pairs": total, "mean": mean, "min": int(length[0]), **found, "max": int(length[-1])}
