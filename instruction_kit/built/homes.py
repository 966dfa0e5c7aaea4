"""Where a row may stand: what is measured is neither trained on nor shown, what is called seen is trained on.

In: all files of a folder, of which the rows of the measured ones are held; then batches of pairs. Out: problems.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from instruction_kit.build.manifest import Manifest, Shard
from instruction_kit.build.overlap import MATCHES
from instruction_kit.build.removal import DUPLICATES
from instruction_kit.built.exemplars import ROWS as EXEMPLARS
from instruction_kit.built.pairs import NUMBER, ROW, scan_pairs
from instruction_kit.built.problem import Problem, rows_with


class Homes:
    """The rows that must not, and those that must, stand in another file too."""

    def __init__(self, folder: Path, manifest: Manifest, shards: list[Shard]) -> None:
        measured = scan_pairs(folder, [shard for shard in shards if shard.split not in ("train", "seen")])
        self.measured = measured.select(ROW).unique().collect(engine="streaming")
        seen = scan_pairs(folder, shards, "seen").select(ROW).unique().collect(engine="streaming")
        trained = scan_pairs(folder, shards, "train").select(ROW).join(seen.lazy(), on=ROW, how="semi")
        files = [folder / shard.path for shard in shards if shard.config == "overlap"]
        self.overlap = pl.concat([pl.DataFrame(schema=MATCHES), *map(pl.read_parquet, files)])
        matched = self.overlap.select(ROW)
        self.dropped = matched if manifest.mixture["drop_overlap"] else matched.clear()
        copies = [folder / shard.path for shard in shards if shard.config == "duplicates"]
        self.duplicates = pl.concat([pl.DataFrame(schema=DUPLICATES), *map(pl.read_parquet, copies)])
        self.strange = seen.join(trained.unique().collect(engine="streaming"), on=ROW, how="anti")

    def problems(self, frame: pl.DataFrame, shard: Shard) -> Iterator[Problem]:
        """What stands where it must not."""
        if shard.config == "train" and shard.split in ("train", "seen"):
            both = frame.join(self.measured, on=ROW, how="semi")
            yield from rows_with("it is trained on, and measured as if it were not", both, file=shard.path)
            gone = frame.join(self.dropped, on=ROW, how="semi")
            yield from rows_with("it shares text with a held-out row, and was to be dropped", gone, file=shard.path)
            copies = frame.join(self.duplicates.select(ROW), on=ROW, how="semi")
            yield from rows_with("it is a copy of another row, and was to be dropped", copies, file=shard.path)
        shown = frame.select(NUMBER, "task", split=pl.lit("train"), row=EXEMPLARS).explode("row", empty_as_null=False)
        told = shown.join(self.measured, on=ROW, how="semi")[NUMBER].unique()
        measured = frame.filter(pl.col(NUMBER).is_in(told.to_list()))
        yield from rows_with("it shows an exemplar that is measured", measured, file=shard.path)
        if shard.split == "seen":
            strange = frame.join(self.strange, on=ROW, how="semi")
            yield from rows_with("it is called seen, and is not trained on", strange, file=shard.path)
