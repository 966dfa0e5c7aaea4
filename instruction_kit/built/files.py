"""The files of a built folder against its manifest: none is missing, none is extra, each holds what it held.

In: a folder and its manifest. Out: problems, and whether a file's rows can be looked at.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from instruction_kit.build.build import README
from instruction_kit.build.card import card
from instruction_kit.build.commit import file_hash
from instruction_kit.build.job import WORK
from instruction_kit.build.manifest import MANIFEST, Manifest, Shard
from instruction_kit.build.overlap import MATCHES
from instruction_kit.build.rejected import REJECTED_SCHEMA
from instruction_kit.build.removal import DUPLICATES
from instruction_kit.built.problem import Problem
from instruction_kit.render.pair import PAIR_SCHEMA

PAIRS, REJECTED = pl.DataFrame(pl.from_arrow(PAIR_SCHEMA.empty_table())).schema, pl.Schema(REJECTED_SCHEMA)


def folder_problems(folder: Path, manifest: Manifest) -> Iterator[Problem]:
    """Files that should not be there, or should."""
    known = {MANIFEST, README, *(shard.path for shard in manifest.shards)}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    for name in sorted(name for name in there - known if _counts(name)):
        begun = name.startswith(f"{WORK}/")
        yield Problem(
            name, "a build into this folder has not ended" if begun else f"{MANIFEST} does not list this file"
        )
    for name in sorted(known - there):
        yield Problem(name, "is missing")
    if README in there:
        yield from _card_problems(folder / README, manifest)
    repeated = [path for path, count in Counter(shard.path for shard in manifest.shards).items() if count > 1]
    yield from (Problem(MANIFEST, f"lists {path} more than once") for path in repeated)


def _counts(name: str) -> bool:
    """What git and the hub's tools keep beside the data is none of ours."""
    return not name.startswith(".") or name.startswith(f"{WORK}/")


def _card_problems(path: Path, manifest: Manifest) -> Iterator[Problem]:
    """A card may be edited; what `load_dataset` reads of it must stay."""
    if _configs(path.read_text(encoding="utf-8", errors="replace")) != _configs(card(manifest)):
        yield Problem(README, "the configs at its top are not those of the manifest, so load_dataset reads other files")


def _configs(text: str) -> Any:
    head = text.split("---\n")[1] if text.startswith("---\n") else ""
    try:
        said = yaml.safe_load(head)
    except yaml.YAMLError:
        return None
    return said.get("configs") if isinstance(said, dict) else None


UNREADABLE = (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
"""What the readers raise over bytes that are none of theirs; a panic is no `Exception`."""


@dataclass(frozen=True)
class Look:
    """What one file looks like."""

    problems: tuple[Problem, ...]
    readable: bool
    """Whether its rows can be looked at."""


def look(folder: Path, shard: Shard) -> Look:
    """Whether one file is what the manifest says: its bytes, its columns, its number of rows."""
    path = folder / shard.path
    if not path.is_file():
        return Look((), readable=False)  # told with the folder
    told = []
    if changed := file_hash(path) != shard.sha256:
        told.append(f"its bytes are not those whose hash stands in {MANIFEST}")
    try:
        schema, rows = pl.read_parquet_schema(path), pq.read_metadata(path).num_rows
        if changed:
            _read_through(path)
    except UNREADABLE as error:
        told.append(f"cannot be read as Parquet: {str(error).splitlines()[0]}")
        return Look(tuple(Problem(shard.path, what) for what in told), readable=False)
    other = list(_schema_problems(schema, shard))
    told += other
    if rows != shard.rows:
        told.append(f"holds {rows:,} rows, {MANIFEST} says {shard.rows:,}")
    return Look(tuple(Problem(shard.path, what) for what in told), readable=not other)


def _read_through(path: Path) -> None:
    """Whether every byte of a changed file still means something to both that read it; else that would end halfway."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            batch.validate(full=True)
    pl.scan_parquet(path).select(pl.all().is_null().sum()).collect(engine="streaming")


def _schema_problems(found: Mapping[str, pl.DataType], shard: Shard) -> Iterator[str]:
    wanted = {"rejected": REJECTED, "overlap": MATCHES, "duplicates": DUPLICATES}.get(shard.config, PAIRS)
    for name, kind in wanted.items():
        if name not in found:
            yield f"lacks the column {name}"
        elif found[name] != kind:
            yield f"column {name} is {found[name]}, not {kind}"
    for name in found:
        if name not in wanted:
            yield f"has a column {name}, which none of its kind has"
