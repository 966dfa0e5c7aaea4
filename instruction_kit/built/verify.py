"""`verify`: is a built folder what its manifest says, file by file and row by row?

In: a folder. Out: a verdict with every problem. Nothing is rendered and no source is read: what is asked follows from
the folder alone. A file is read batch by batch, so memory does not grow with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from instruction_kit.build.manifest import Manifest, Shard, read_manifest
from instruction_kit.build.overlap import MATCHES
from instruction_kit.build.progress import bars, silent
from instruction_kit.built.exemplars import ROWS as EXEMPLARS
from instruction_kit.built.files import folder_problems, is_readable, shard_problems
from instruction_kit.built.pairs import NUMBER, ROW, batches, pair_shards, scan_pairs
from instruction_kit.built.problem import Problem, Told, rows_with
from instruction_kit.built.recount import manifest_problems, overlap_problems, pair_problems, rejected_problems
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
    kept = [shard for shard in shards if is_readable(folder, shard)]
    whole = len(kept) == len(shards)
    homes = _Homes(folder, manifest, kept if whole else [])
    with bars() if progress else silent() as shown:
        for shard in shown.over("verify", iter(shards), len(shards)):
            told.add(_shard_problems(folder, manifest, known, homes, shard))
    if whole:
        told.add(pair_problems(folder, manifest, kept))
        told.add(rejected_problems(folder, manifest, kept))
        told.add(overlap_problems(manifest, homes.overlap))
    pairs = sum(shard.rows for shard in pair_shards(shards))
    return Verdict(len(shards), pairs, whole, tuple(told.lines()), told.num)


class _Homes:
    """Rows that must not, and rows that must, stand in another file too; only those of measured files are held."""

    def __init__(self, folder: Path, manifest: Manifest, shards: list[Shard]) -> None:
        measured = scan_pairs(folder, [shard for shard in shards if shard.split not in ("train", "seen")])
        self.measured = measured.select(ROW).unique().collect(engine="streaming")
        seen = scan_pairs(folder, shards, "seen").select(ROW).unique().collect(engine="streaming")
        trained = scan_pairs(folder, shards, "train").select(ROW).join(seen.lazy(), on=ROW, how="semi")
        files = [folder / shard.path for shard in shards if shard.config == "overlap"]
        self.overlap = pl.concat([pl.DataFrame(schema=MATCHES), *map(pl.read_parquet, files)])
        self.dropped = (
            self.overlap.select(ROW) if manifest.mixture["drop_overlap"] else self.overlap.select(ROW).clear()
        )
        self.strange = seen.join(trained.unique().collect(engine="streaming"), on=ROW, how="anti")

    def problems(self, frame: pl.DataFrame, shard: Shard) -> Iterator[Problem]:
        """What stands where it must not."""
        if shard.config == "train" and shard.split in ("train", "seen"):
            both = frame.join(self.measured, on=ROW, how="semi")
            yield from rows_with("it is trained on, and measured as if it were not", both, file=shard.path)
            gone = frame.join(self.dropped, on=ROW, how="semi")
            yield from rows_with("it shares text with a held-out row, and was to be dropped", gone, file=shard.path)
        shown = frame.select(NUMBER, "task", split=pl.lit("train"), row=EXEMPLARS).explode("row", empty_as_null=False)
        told = shown.join(self.measured, on=ROW, how="semi")[NUMBER].unique()
        measured = frame.filter(pl.col(NUMBER).is_in(told.to_list()))
        yield from rows_with("it shows an exemplar that is measured", measured, file=shard.path)
        if shard.split == "seen":
            strange = frame.join(self.strange, on=ROW, how="semi")
            yield from rows_with("it is called seen, and is not trained on", strange, file=shard.path)


def _shard_problems(
    folder: Path, manifest: Manifest, known: Mapping[str, Phrasing], homes: _Homes, shard: Shard
) -> Iterator[Problem]:
    yield from shard_problems(folder, shard)
    if not pair_shards([shard]) or not is_readable(folder, shard):
        return
    for frame in batches(folder / shard.path):
        yield from row_problems(frame, shard, manifest, known)
        yield from homes.problems(frame, shard)
