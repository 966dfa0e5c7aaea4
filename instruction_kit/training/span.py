"""The proof that the loss is on the output: decoded from collated batches, before the first step.

In go the collator that training will use, the token rows, and the built folder that they came from; nothing comes out,
or a `TrainingError` that shows the pair. For pairs of every task (the first, the last, the shortest, the longest, and
some between) the batch is cut at its own borders, and the labelled span is decoded and held against the pair's own
text, read afresh from the built folder: completion and stop token, nothing else, with the prompt's ids before it and
what the layout adds after it, as the tokenizer itself gives them. How the token rows were made plays no part.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasets import Dataset

from instruction_kit.build.manifest import read_manifest
from instruction_kit.errors import TrainingError
from instruction_kit.token.conversation import Pair, pair_of
from instruction_kit.token.encoder import Encoded, Encoder
from instruction_kit.token.row import IGNORED
from instruction_kit.training.document import COLLATED, Collator, Document, documents

BATCH_ROWS = 8
BETWEEN = 4  # pairs of each task besides the first, the last, the shortest and the longest


class Place(NamedTuple):
    """Where a pair stands: in which row, and which of its pairs it is."""

    row: int
    inside: int


class Known(NamedTuple):
    """A pair as the built folder has it."""

    where: str
    pair: Pair


def prove_spans(collate: Collator, rows: Dataset, *, encoder: Encoder, built: str | Path) -> int:
    """Prove for pairs of every task that the loss is on completion and stop token alone; return how many were read.

    Raises:
        TrainingError: a pair is labelled otherwise, or its borders are lost; the message shows it.

    """
    chosen = sampled(rows)
    positions = {place: rows[place.row]["m_position"][place.inside] for place in chosen}
    pairs = _pairs(Path(built), list(positions.values()), encoder.columns)
    numbers = sorted({place.row for place in chosen})
    for start in range(0, len(numbers), BATCH_ROWS):
        found = _collated(collate, rows, numbers[start : start + BATCH_ROWS])
        for place in chosen:
            if place in found:
                prove_document(found[place], known=pairs[positions[place]], encoder=encoder)
    return len(chosen)


def where_from(built: Path, positions: Sequence[int], *, most: int = 10) -> str:
    """Name pairs of the training split by their positions."""
    named = list(
        dict.fromkeys(known.where for _, known in sorted(_pairs(built, positions, ["prompt", "completion"]).items()))
    )
    return "; ".join(named[:most]) + (f" and {len(named) - most} more" if len(named) > most else "")


def _collated(collate: Collator, rows: Dataset, numbers: Sequence[int]) -> dict[Place, Document]:
    """Collate some rows and find their pairs in the batch again."""
    items = [rows[number] for number in numbers]
    found = documents(
        collate([{name: item[name] for name in COLLATED if item.get(name) is not None} for item in items])
    )
    places = [Place(n, place) for n, item in zip(numbers, items, strict=True) for place in range(len(item["task_ids"]))]
    lengths = [length for item in items for length in item["seq_lengths"]]
    if [sum(one.mask) for one in found[: len(places)]] != lengths:
        raise TrainingError(
            f"rows {', '.join(map(str, numbers))} of the token shards: their batch does not keep the borders between "
            "their pairs, which would see each other; --packing must be what the shards were written with"
        )
    return dict(zip(places, found, strict=False))


def sampled(rows: Dataset) -> list[Place]:
    """Choose the pairs that are read: some of every task, among them the shortest and the longest."""
    table = rows.select_columns(["task_ids", "seq_lengths"]).with_format("arrow")[:]
    frame = pl.DataFrame(
        {
            "task": pl.Series(pc.list_flatten(table["task_ids"])),
            "size": pl.Series(pc.list_flatten(table["seq_lengths"])),
            "row": pl.Series(pc.list_parent_indices(table["task_ids"])),
        }
    ).with_columns(inside=pl.int_range(pl.len()).over("row"))
    found: set[int] = set()
    for _, part in frame.with_row_index().group_by("task"):
        index = part["index"]
        found |= {index[0], index[-1], index[part["size"].arg_min() or 0], index[part["size"].arg_max() or 0]}
        found |= {index[len(index) * step // (BETWEEN + 1)] for step in range(1, BETWEEN + 1)}
    return [Place(*frame.select("row", "inside").row(number)) for number in sorted(found)]


def prove_document(document: Document, *, known: Known, encoder: Encoder) -> None:
    """Prove one pair of a collated batch."""
    ids, labels, mask = document
    length = sum(mask)
    row, told = ids[:length], labels[:length]
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
