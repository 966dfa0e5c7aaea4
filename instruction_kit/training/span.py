"""The proof that the loss is on the output: decoded from collated batches, before the first step.

In go the collator that training will use, the token rows, and the built folder that they came from; nothing comes out,
or a `TrainingError` that shows the row. For rows of every task (the first, the last, the shortest, the longest, and
some between) the labelled span of the batch is decoded and held against the pair's own text, read afresh from the
built folder: completion and stop token, nothing else, with the prompt's ids before it and what the layout adds after
it, as the tokenizer itself gives them. How the token rows were made plays no part.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from datasets import Dataset

from instruction_kit.build.manifest import read_manifest
from instruction_kit.errors import TrainingError
from instruction_kit.token.conversation import Pair, pair_of
from instruction_kit.token.encoder import Encoded, Encoder
from instruction_kit.token.shard import IGNORED

Collator = Callable[[list[dict[str, Any]]], Mapping[str, torch.Tensor]]

BETWEEN = 4  # rows of each task besides the first, the last, the shortest and the longest
BATCH_ROWS = 8


class Known(NamedTuple):
    """A pair as the built folder has it."""

    where: str
    pair: Pair


def prove_spans(collate: Collator, rows: Dataset, *, encoder: Encoder, built: str | Path) -> int:
    """Prove for rows of every task that the loss is on completion and stop token alone; return how many were read.

    Raises:
        TrainingError: a row is labelled otherwise; the message shows it.

    """
    numbers = sampled(rows)
    pairs = _pairs(Path(built), rows.select(numbers)["m_position"], encoder.columns)
    for start in range(0, len(numbers), BATCH_ROWS):
        items = [rows[number] for number in numbers[start : start + BATCH_ROWS]]
        batch = collate([{"input_ids": item["input_ids"], "labels": item["labels"]} for item in items])
        for index, item in enumerate(items):
            prove_row(
                batch["input_ids"][index].tolist(),
                batch["labels"][index].tolist(),
                batch["attention_mask"][index].tolist(),
                known=pairs[item["m_position"]],
                encoder=encoder,
            )
    return len(numbers)


def sampled(rows: Dataset) -> list[int]:
    """Choose the rows that are read: some of every task, among them the shortest and the longest."""
    table = rows.select_columns(["m_task", "labels"]).with_format("arrow")[:]
    sizes = pc.list_value_length(table["labels"])  # offsets alone: no token is read
    frame = pl.DataFrame({"task": pl.Series(table["m_task"]), "size": pl.Series(sizes)})
    found: set[int] = set()
    for _, part in frame.with_row_index().group_by("task"):
        index = part["index"]
        found |= {index[0], index[-1], index[part["size"].arg_min() or 0], index[part["size"].arg_max() or 0]}
        found |= {index[len(index) * step // (BETWEEN + 1)] for step in range(1, BETWEEN + 1)}
    return sorted(found)


def prove_row(
    ids: Sequence[int], labels: Sequence[int], mask: Sequence[int], *, known: Known, encoder: Encoder
) -> None:
    """Prove one row of a collated batch."""
    length = sum(mask)
    row, told = list(ids[:length]), list(labels[:length])
    learnt = [place for place, label in enumerate(told) if label != IGNORED]
    start, end = (learnt[0], learnt[-1] + 1) if learnt else (length, length)
    own, span = encoder.afresh(known.pair), told[start:end]
    found = _text([label for label in span if label != IGNORED], encoder)
    tail = [1] * length + [0] * (len(mask) - length)
    problems = {
        "the filling of the batch is no tail": list(mask) != tail,
        "the filling of the batch is trained on": any(label != IGNORED for label in labels[length:]),
        "no token is trained on": not learnt,
        "the trained tokens are not one span": span != row[start:end],
        "the stop token is not at the end of the span": row[start:end][-1:] != [encoder.stop_id],
        "the stop token is not in the span exactly once": row[start:end].count(encoder.stop_id) != 1,
        "the ids before the span are not the prompt's": row[:start] != own.prompt,
        "the ids after the span are not what the layout adds": row[end:] != own.rest,
        "the text does not begin with BOS exactly once": not row[:start] or not encoder.begins_once(row[:start]),
        "the trained text is not the completion with the stop token": not _reads_as(span, found, own, known, encoder),
    }
    wrong = [problem for problem, holds in problems.items() if holds]
    if wrong:
        raise TrainingError(
            f"{known.where}: {'; '.join(wrong)}.\n"
            f"  trained on: {found!r}\n"
            f"  completion: {encoder.answer(known.pair)!r}\n"
            f"  row: {_text(row, encoder)!r}\n"
            "The token shards are not what this kit writes for this mixture and tokenizer; "
            "remove them (the folder `tokens` of the output folder) and start again"
        )


def _text(ids: list[int], encoder: Encoder) -> str:
    return str(encoder.tokenizer.decode(ids, skip_special_tokens=False)) if ids else ""


def _reads_as(span: list[int], found: str, own: Encoded, known: Known, encoder: Encoder) -> bool:
    """Compare as text; where the tokenizer itself changes a text (Unicode forms, spaces), as ids."""
    wanted = encoder.answer(known.pair)
    return found == wanted or (span == own.completion and _text(own.completion, encoder) != wanted)


def _pairs(built: Path, positions: Sequence[int], columns: Sequence[str]) -> dict[int, Known]:
    """Read pairs of the training split by their position, one Parquet file at a time."""
    wanted = sorted(positions)
    pairs: dict[int, Known] = {}
    before = 0
    for shard in read_manifest(built).shards:
        if (shard.config, shard.split) != ("train", "train"):
            continue
        inside = [position - before for position in wanted if before <= position < before + shard.rows]
        if inside:
            where_from = ["task", "split", "row", "template"]
            table = pq.read_table(built / shard.path, columns=[*columns, *where_from]).take(inside)
            for position, row in zip(inside, table.to_pylist(), strict=True):
                where = f"{row['task']} {row['split']} row {row['row']}, template {row['template']}"
                pairs[before + position] = Known(where, pair_of(row))
        before += shard.rows
    return pairs
