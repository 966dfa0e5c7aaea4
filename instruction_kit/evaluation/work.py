"""A measurement in parts that are kept: a part that was measured before a stop is read, the others are made.

In: the pairs in the order of the work, and what decides their figures. Out: frames, one a part, under `.work/` in the
folder of the measurement until its report is written. Parts follow from the pairs alone, so a run that was stopped ends
with the rows that it would have given.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from instruction_kit.build.commit import file_hash, write_frame
from instruction_kit.evaluation.rows import ROWS
from instruction_kit.library import text_hash

WORK = ".work"
PART_PAIRS = 512
"""Pairs in one part: what a stop can cost."""


class Work:
    """The parts of one measurement; another one in the same folder begins anew."""

    def __init__(self, output: str | Path, *said: str) -> None:
        self.folder = Path(output) / WORK
        self.kept = self.folder / text_hash(*said)[:16]
        for other in self.folder.glob("*") if self.folder.is_dir() else ():
            if other != self.kept:
                shutil.rmtree(other)

    def done(self, role: str, number: int) -> pl.DataFrame | None:
        """Read a part that was measured before; None where it was not."""
        path = self._path(role, number)
        return pl.read_parquet(path).select(ROWS.names()) if path.is_file() else None

    def keep(self, role: str, number: int, part: pl.DataFrame) -> None:
        """Keep a part that was measured."""
        self.kept.mkdir(parents=True, exist_ok=True)
        write_frame(self._path(role, number), part)

    def end(self) -> None:
        """Take the parts away, once the report holds them."""
        shutil.rmtree(self.folder)

    def _path(self, role: str, number: int) -> Path:
        return self.kept / f"{role}-{number:05}.parquet"


def parts(pairs: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """Number the parts; pairs of one phrasing stand together, as they may begin alike."""
    ordered = pairs.sort("measured_split", "task", "template", "setting", maintain_order=True)
    for number, start in enumerate(range(0, ordered.height, PART_PAIRS)):
        yield number, ordered[start : start + PART_PAIRS]


def weights_of(name: str) -> str:
    """Hash of the files of a local model; of another one its name, which a revision makes exact."""
    folder = Path(name)
    if not folder.is_dir():
        return name
    files = sorted(path for path in folder.iterdir() if path.suffix in (".safetensors", ".bin", ".json", ".jinja"))
    return text_hash(*(part for path in files for part in (path.name, file_hash(path))))
