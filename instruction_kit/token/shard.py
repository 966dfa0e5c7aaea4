"""The pairs of a built mixture as token rows on disk.

In goes a built folder, out comes a folder of Arrow files, one for each Parquet file of the split `train`, with a
record (`tokens.json`). A row is `input_ids`, `labels` (-100 over all but the output) and where it came from, under
names beginning with `m_` that no trainer reads. Arrow streams are used because they are mapped into memory as they
are: no cache, no copy. Nothing is cut: a pair that is too long, or that the layout cannot take, is dropped and counted,
and too many of them are an error. Rows keep the order of the mixture, which is shuffled already. Memory holds one
batch.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import Progress

from instruction_kit.build.commit import committed, file_hash
from instruction_kit.build.length import tokenizer_hash
from instruction_kit.build.manifest import Manifest, Shard, read_manifest
from instruction_kit.errors import TokenError
from instruction_kit.token.conversation import pair_of
from instruction_kit.token.encoder import Encoded, Encoder, Misfit
from instruction_kit.token.record import (
    FORMAT_VERSION,
    RECORD,
    Identity,
    TaskTokens,
    TokenRecord,
    TokenShard,
    read_record,
    write_record,
)

BATCH_ROWS = 1024
IGNORED = -100  # the label that a cross-entropy leaves out
TOO_LONG = "longer than max_length"
MAX_DROPPED = 0.01  # of a task's pairs
ORIGIN = {"m_task": "task", "m_template": "template", "m_split": "split", "m_row": "row", "m_round": "round"}
SCHEMA = pa.schema(
    [
        pa.field("input_ids", pa.list_(pa.int32()), nullable=False),
        pa.field("labels", pa.list_(pa.int32()), nullable=False),
        *(pa.field(name, pa.int64() if name == "m_round" else pa.string()) for name in ORIGIN),
        pa.field("m_position", pa.int64()),  # of the pair among all pairs of the split, dropped ones included
    ]
)


@dataclass
class _Count:
    """One task while its pairs are counted."""

    rows: int = 0
    prompt_tokens: int = 0
    loss_tokens: int = 0
    longest: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def frozen(self) -> TaskTokens:
        return TaskTokens(
            rows=self.rows,
            prompt_tokens=self.prompt_tokens,
            loss_tokens=self.loss_tokens,
            longest=self.longest,
            dropped=dict(sorted(self.dropped.items())),
        )


@dataclass
class _Tally:
    """All that is counted while rows are written."""

    max_length: int
    tasks: dict[str, _Count] = field(default_factory=dict)
    position: int = 0
    largest_id: int = 0
    fewest_characters: float = float("inf")
    """Characters for each token in the densest of the dropped pairs."""

    def keeps(self, encoded: Encoded | Misfit, *, row: dict[str, object]) -> TypeGuard[Encoded]:
        """Count one pair and say whether it stays."""
        count = self.tasks.setdefault(str(row["task"]), _Count())
        self.position += 1
        if isinstance(encoded, Misfit):
            count.dropped[encoded.reason] += 1
            return False
        length = sum(map(len, encoded))
        count.longest = max(count.longest, length)
        if length > self.max_length:
            count.dropped[TOO_LONG] += 1
            characters = len(str(row["prompt"])) + len(str(row["completion"]))
            self.fewest_characters = min(self.fewest_characters, characters / length)
            return False
        count.rows += 1
        count.prompt_tokens += length - len(encoded.completion)
        count.loss_tokens += len(encoded.completion)
        self.largest_id = max(self.largest_id, *encoded.prompt, *encoded.completion, *encoded.rest)
        return True


def identity_of(manifest: Manifest, encoder: Encoder, *, max_length: int) -> Identity:
    """Say what will decide every token."""
    return Identity(
        built=manifest.fingerprint,
        tokenizer=tokenizer_hash(encoder.tokenizer),
        max_length=max_length,
        layout=encoder.layout,
    )


def tokenise(
    built: str | Path,
    folder: str | Path,
    *,
    encoder: Encoder,
    max_length: int,
    accept_dropped: bool = False,
    show_progress: bool = False,
) -> TokenRecord:
    """Write the token shards of a built mixture, or find that they are there already.

    Args:
        built: the built folder; its config `train`, split `train` is read.
        folder: where the shards go.
        encoder: the model's tokenizer under a layout.
        max_length: the most tokens of a prompt with its completion; longer pairs are dropped and counted.
        accept_dropped: whether a task may lose more than 1% of its pairs to its length, or to the layout.
        show_progress: whether to draw a bar on standard error.

    Raises:
        TokenError: there is nothing to train on, too much would be dropped, or the built folder is not whole.

    """
    built, folder = Path(built), Path(folder)
    manifest = read_manifest(built)
    identity = identity_of(manifest, encoder, max_length=max_length)
    found = read_record(folder)
    if found is not None and found.identity == identity and found.code == _code() and _is_whole(folder, found):
        return found
    (folder / RECORD).unlink(missing_ok=True)
    sources = [shard for shard in manifest.shards if (shard.config, shard.split) == ("train", "train")]
    tally = _Tally(max_length)
    with Progress(console=Console(stderr=True), disable=not show_progress) as progress:
        bar = progress.add_task("tokens", total=sum(shard.rows for shard in sources))
        shards = [
            _write(built, source, folder, encoder, tally, lambda n: progress.advance(bar, n)) for source in sources
        ]
    _refuse_empty(tally, built)
    if not accept_dropped:
        _refuse_dropped(tally)
    record = TokenRecord(
        format_version=FORMAT_VERSION,
        code=_code(),
        identity=identity,
        rows=sum(shard.rows for shard in shards),
        largest_id=tally.largest_id,
        tasks={name: count.frozen() for name, count in sorted(tally.tasks.items())},
        shards=[shard for shard in shards if shard.rows],
    )
    write_record(folder, record)
    return record


def _write(
    built: Path, source: Shard, folder: Path, encoder: Encoder, tally: _Tally, advance: Callable[[int], None]
) -> TokenShard:
    """Turn one Parquet file into one Arrow file."""
    origin = built / source.path
    if not origin.is_file() or file_hash(origin) != source.sha256:
        raise TokenError(f"{origin}: absent or not as the build left it; build the mixture again into an empty folder")
    path = folder / f"{origin.stem}.arrow"
    rows = 0
    with committed(path) as beside, pa.OSFile(str(beside), "wb") as file, pa.ipc.new_stream(file, SCHEMA) as writer:
        for batch in _batches(origin, encoder.columns):
            kept = _rows(batch, encoder, tally)
            if kept:
                writer.write_batch(pa.RecordBatch.from_pylist(kept, schema=SCHEMA))
            rows += len(kept)
            advance(len(batch))
    return TokenShard(path=path.name, rows=rows, sha256=file_hash(path))


def _batches(origin: Path, columns: Sequence[str]) -> Iterator[list[dict[str, object]]]:
    with pq.ParquetFile(origin) as parquet:
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS, columns=[*columns, *ORIGIN.values()]):
            yield batch.to_pylist()


def _rows(batch: list[dict[str, object]], encoder: Encoder, tally: _Tally) -> list[dict[str, object]]:
    kept = []
    for row, encoded in zip(batch, encoder.encode([pair_of(row) for row in batch]), strict=True):
        position = tally.position
        if isinstance(encoded, Encoded) and len(encoded.completion) == 1:
            raise TokenError(
                f"{row['task']} {row['split']} row {row['row']}, template {row['template']}: its completion "
                f"{row['completion']!r} has no tokens, so there is nothing to learn; skip such rows in the task file"
            )
        if tally.keeps(encoded, row=row):
            before, after = ([IGNORED] * len(side) for side in (encoded.prompt, encoded.rest))
            kept.append(
                {
                    "input_ids": encoded.prompt + encoded.completion + encoded.rest,
                    "labels": before + encoded.completion + after,
                    **{name: row[column] for name, column in ORIGIN.items()},
                    "m_position": position,
                }
            )
    return kept


def _refuse_empty(tally: _Tally, built: Path) -> None:
    if not tally.position:
        raise TokenError(f"{built}: the config `train` has no rows, so there is nothing to tune on")
    if any(count.rows for count in tally.tasks.values()):
        return
    reasons = sum((count.dropped for count in tally.tasks.values()), Counter[str]())
    if TOO_LONG in reasons:
        raise TokenError(
            f"{built}: every pair is longer than max_length {tally.max_length}, the longest has "
            f"{max(count.longest for count in tally.tasks.values())} tokens; raise --max_length"
        )
    raise TokenError(f"{built}: no pair fits the layout: {_told(reasons)}; take another --layout")


def _refuse_dropped(tally: _Tally) -> None:
    problems = [*_too_long(tally), *_misfits(tally)]
    if problems:
        raise TokenError(
            "\n".join(f"{problem}, or lose these pairs with --accept_dropped true" for problem in problems)
        )


def _too_long(tally: _Tally) -> Iterator[str]:
    """Say which tasks lose much to `max_length`, and which budget would spare it."""
    over = {
        name: (count.dropped[TOO_LONG], pairs)
        for name, count in sorted(tally.tasks.items())
        if count.dropped[TOO_LONG] > MAX_DROPPED * (pairs := count.rows + count.dropped.total())
    }
    if over:
        tasks = ", ".join(f"{name} {dropped:,} of {pairs:,}" for name, (dropped, pairs) in over.items())
        budget = int(tally.max_length * tally.fewest_characters)
        yield (
            f"pairs of more than max_length {tally.max_length} tokens would be dropped: {tasks}. Nothing is cut here. "
            f"Set `budget: {{characters: {budget}}}` in the mixture and build again, "
            f"or raise --max_length (the longest pair has {max(tally.tasks[name].longest for name in over)} tokens)"
        )


def _misfits(tally: _Tally) -> Iterator[str]:
    """Say which tasks lose much to the layout."""
    for name, count in sorted(tally.tasks.items()):
        reasons = Counter({reason: pairs for reason, pairs in count.dropped.items() if reason != TOO_LONG})
        pairs = count.rows + count.dropped.total()
        if reasons.total() > MAX_DROPPED * pairs:
            yield (
                f"the layout cannot take {reasons.total():,} of {pairs:,} pairs of {name}: {_told(reasons)}. Skip or "
                "mend such rows in the task file, take another --layout"
            )


def _told(reasons: Counter[str]) -> str:
    return "; ".join(f"{reason} ({pairs:,})" for reason, pairs in reasons.most_common())


def _is_whole(folder: Path, record: TokenRecord) -> bool:
    paths = [(folder / shard.path, shard.sha256) for shard in record.shards]
    return all(path.is_file() and file_hash(path) == sha256 for path, sha256 in paths)


def _code() -> str:
    """Hash the modules that decide a token row."""
    paths = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()
