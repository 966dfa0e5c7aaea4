"""Scan: read one range of one source once, map it, check it, and write the accepted examples with their keys and a
ledger.

In: a task and a range. Out: a folder with `accepted.parquet` (row, hash, the schema's fields), `rejected.parquet` and a
receipt. The folder is cached under a key of contents (source bytes, task file, code); the mixture is not in it, so any
number of mixtures share a scan.
"""

import io
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow.parquet as pq

from instruction_kit.build.commit import committed, read_receipt, receipt, workshop, write_json
from instruction_kit.build.examples import Examples, Mapper
from instruction_kit.build.rejected import REJECTED_SCHEMA
from instruction_kit.build.size import Sizes
from instruction_kit.build.unit import ScanUnit, split_units, unit_examples, valid
from instruction_kit.errors import BuildError
from instruction_kit.library import code_hash, text_hash
from instruction_kit.schema.columns import is_columnar
from instruction_kit.task.task import Task


def cache_folder() -> Path:
    """Where scans are kept: `INSTRUCTION_KIT_CACHE`, else `~/.cache/instruction_kit`."""
    return Path(os.environ.get("INSTRUCTION_KIT_CACHE") or Path.home() / ".cache" / "instruction_kit")


@dataclass(frozen=True)
class Scan:
    """A scan that is done."""

    unit: ScanUnit
    folder: Path
    source_rows: int
    read: int
    accepted: int
    skipped: int
    rejected: Mapping[str, int]
    fields: Mapping[str, Sequence[int]]
    """How much text the fields of accepted examples hold, as `instruction_kit.build.size` counts it."""

    @property
    def examples(self) -> Path:
        """The accepted examples."""
        return self.folder / "accepted.parquet"


def task_hash(task: Task, *, data_dir: Path | None = None) -> str:
    """Hash of the task file; of a Task object, of what it says and of every example that it makes."""
    if task.path is not None:
        return text_hash(task.path.read_bytes())
    lists = (task.metrics, task.families, task.languages, task.classes, task.words)
    said = [
        task.cluster,
        task.schema.__qualname__,
        str(task.evaluate),
        task.license,
        str([list(part) for part in lists]),
    ]
    splits = task.reading("source").split_names
    units = [unit for split in splits for unit in split_units(task, split, data="source", data_dir=data_dir)]
    return text_hash(*said, *(part for unit in units for part in _made(unit, task)))


def _made(unit: ScanUnit, task: Task) -> Iterator[str | bytes]:
    """Expressions and functions cannot be hashed; what they make can, and is the same in every process."""
    for examples in unit_examples(unit, task):
        yield f"{unit.split} {sorted(examples.counts.items())}"
        for frame in (examples.accepted, examples.rejected):
            buffer = io.BytesIO()
            frame.write_parquet(buffer, compression="uncompressed", statistics=False)
            yield buffer.getvalue()


def scan_units(task: Task, *, data: Literal["source", "sample"], data_dir: Path | None) -> list[ScanUnit]:
    """The units of one task, over every split that it declares, so that every row is accounted for."""
    code = text_hash(code_hash(), task_hash(task, data_dir=data_dir))
    splits = task.reading(data).split_names
    return [u for split in splits for u in split_units(task, split, data=data, data_dir=data_dir, code=code)]


def sizes_of(scans: Sequence[Scan]) -> Sizes:
    """How much text the examples of some scans hold."""
    sizes = Sizes()
    for done in scans:
        sizes.add(done.accepted, done.fields)
    return sizes


def remember(task: Task, split: str, rows: int, sizes: Sizes) -> None:
    """Keep what a split holds, for a plan that may not ask where it is read from."""
    write_json(_counted(task, split), {"rows": rows, "accepted": sizes.rows, "fields": sizes.fields})


def remembered(task: Task, split: str) -> tuple[int, Sizes] | None:
    """The number of usable rows that a split had when it was last built, and how much text they hold."""
    try:
        said = json.loads(_counted(task, split).read_text(encoding="utf-8"))
        sizes = Sizes()
        sizes.add(said["accepted"], said["fields"])
        return int(said["rows"]), sizes
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _counted(task: Task, split: str) -> Path:
    """`sample` is of those rows; their bytes are in the name, which those of a hub cannot be."""
    contents = [task.sample_path.read_bytes()] if split == "sample" else []
    return cache_folder() / "counts" / f"{text_hash(code_hash(), task_hash(task), task.name, split, *contents)}.json"


def cached(unit: ScanUnit, root: Path) -> Scan | None:
    """A scan that was done before and is whole."""
    folder = root / "scans" / unit.key[:2] / unit.key
    values = read_receipt(folder / "receipt.json", _files(folder))
    return Scan(unit, folder, **values) if values is not None else None


def scan(unit: ScanUnit, *, task: Task, root: Path) -> Scan:
    """Do one unit, or take it from the cache.

    Raises:
        SourceError: the source cannot be read.
        TaskError: a column that the task reads is not there, or the source's class names are not the task's.

    """
    if done := cached(unit, root):
        return done
    final = root / "scans" / unit.key[:2] / unit.key
    with workshop(final.with_name(f".{final.name}.part")) as made:
        if done := cached(unit, root):  # another build was first
            return done
        _write(unit, task, made)
        if final.is_dir():  # not whole, or it would have been taken above
            shutil.rmtree(final)
        made.rename(final)
    done = cached(unit, root)
    if done is None:
        told = "was written and does not read back; check the disk, or set INSTRUCTION_KIT_CACHE elsewhere"
        raise BuildError(f"{final}: {told}")
    return done


def _files(folder: Path) -> dict[str, Path]:
    return {name: folder / f"{name}.parquet" for name in ("accepted", "rejected")}


def _write(unit: ScanUnit, task: Task, folder: Path) -> None:
    counts: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    lost: list[pl.DataFrame] = []
    sizes = Sizes()
    with committed(folder / "accepted.parquet") as path:
        writer = _Accepted(path)
        for examples in _one_typed(unit_examples(unit, task), task):
            if examples.anew:
                sizes = Sizes()
                for kept in (counts, rejected, lost, writer):
                    kept.clear()
            writer.write(examples.accepted)
            sizes.add_all(Sizes.of(examples.accepted))
            counts.update(examples.counts)
            rejected.update(examples.reasons)
            lost.append(examples.rejected)
        writer.close(Mapper(task, unit.split).empty())
    with committed(folder / "rejected.parquet") as path:
        whole = pl.concat([pl.DataFrame(schema=REJECTED_SCHEMA), *lost])
        whole.sort("file", pl.col("row").str.len_bytes(), "row", maintain_order=True).write_parquet(path)
    numbers: dict[str, Any] = {name: counts[name] for name in ("source_rows", "read", "accepted", "skipped")}
    receipt(
        folder / "receipt.json",
        _files(folder),
        {**numbers, "rejected": dict(sorted(rejected.items())), "fields": sizes.fields},
    )


class _Accepted:
    """The Parquet file of accepted examples: of the type of its first, and begun anew where the source begins anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def write(self, accepted: pl.DataFrame) -> None:
        table = accepted.rechunk().to_arrow()
        self._writer = self._writer or pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table.cast(self._writer.schema))

    def clear(self) -> None:
        if self._writer:
            self._writer.close()
        self._writer = None

    def close(self, empty: pl.DataFrame) -> None:
        """A file without examples has the types of an empty frame."""
        if not self._writer:
            self.write(empty)
        self.clear()


def _one_typed(batches: Iterator[Examples], task: Task) -> Iterator[Examples]:
    """A field of a type of the user's own takes the type that it comes with, which one batch alone may not show."""
    if is_columnar(task.schema):
        yield from batches
        return
    every = valid(batches)
    whole = [part for examples in every for part in [examples.accepted] if part.height]
    types = pl.concat(whole, how="vertical_relaxed").schema if whole else pl.Schema()
    for examples in every:
        yield replace(examples, accepted=examples.accepted.cast(types) if types else examples.accepted)
