"""`verify`: is a built folder what its manifest says, file by file and row by row?

In: a folder. Out: a verdict with every problem. Nothing is rendered and no source is read: what is asked follows from
the folder alone. A file is read batch by batch, so memory does not grow with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from instruction_kit.build.manifest import Manifest, Shard, read_manifest
from instruction_kit.build.progress import bars, silent
from instruction_kit.built.files import folder_problems, look
from instruction_kit.built.homes import Homes
from instruction_kit.built.pairs import batches, pair_shards
from instruction_kit.built.problem import Problem, Told
from instruction_kit.built.recount import (
    duplicate_problems,
    manifest_problems,
    overlap_problems,
    pair_problems,
    rejected_problems,
)
from instruction_kit.built.rows import Phrasing, phrasings, row_problems


@dataclass(frozen=True)
class Verdict:
    """What was looked at, and what is wrong."""

    files: int
    pairs: int
    whole: bool
    """Whether every file could be read; else neither ledgers were counted again nor files compared with each other."""
    problems: tuple[str, ...]
    num_problems: int
    """Rows that are only counted in a line of `problems` are among them."""


def verify(folder: str | Path, *, progress: bool = False) -> Verdict:
    """Look at every file and every row of a built folder.

    Raises:
        BuildError: there is no manifest, or it is of another format.

    """
    folder, told = Path(folder), Told()
    manifest = read_manifest(folder)
    shards = manifest.shards
    known, unusable = phrasings(manifest)
    for problems in (folder_problems(folder, manifest), manifest_problems(manifest), unusable):
        told.add(problems)
    with bars() if progress else silent() as shown:
        looked = [look(folder, shard) for shard in shown.over("files", iter(shards), len(shards))]
        kept = [shard for shard, one in zip(shards, looked, strict=True) if one.readable]
        whole = len(kept) == len(shards)
        told.add(problem for one in looked for problem in one.problems)
        homes = Homes(folder, manifest, kept if whole else [])
        pairs = pair_shards(kept)
        for shard in shown.over("pairs", iter(pairs), len(pairs)):
            told.add(_row_problems(folder, manifest, known, homes, shard))
    if whole:
        told.add(pair_problems(folder, manifest, kept))
        told.add(rejected_problems(folder, manifest, kept))
        told.add(overlap_problems(manifest, homes.overlap))
        told.add(duplicate_problems(manifest, homes.duplicates))
    num_pairs = sum(shard.rows for shard in pair_shards(shards))
    return Verdict(len(shards), num_pairs, whole, tuple(told.lines()), told.num)


def _row_problems(
    folder: Path, manifest: Manifest, known: Mapping[str, Phrasing], homes: Homes, shard: Shard
) -> Iterator[Problem]:
    for frame in batches(folder / shard.path):
        yield from row_problems(frame, shard, manifest, known)
        yield from homes.problems(frame, shard)
