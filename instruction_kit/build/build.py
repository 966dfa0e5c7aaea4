"""Build: from a mixture to a folder, through scan, draw, render and shard units.

In: a mixture and a folder. Out: the folder that design calls a built mixture. Every unit leaves a receipt, so a build
that was killed at any moment goes on where it stopped and ends with the same bytes; the manifest comes last, and says
that all is whole. What units do stands in `work`, who does them in `runner`; all else is done here, in one process.
"""

import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from instruction_kit.build.apart import apart
from instruction_kit.build.card import card
from instruction_kit.build.commit import file_hash, owned, write_json, write_text
from instruction_kit.build.draw import Drawn, draw
from instruction_kit.build.drawn import write_drawn
from instruction_kit.build.identity import check_folder, identify, sign
from instruction_kit.build.job import WORK, Job
from instruction_kit.build.losses import notable
from instruction_kit.build.manifest import MANIFEST, Manifest, Shard, read_manifest
from instruction_kit.build.planned import homes_of, planned_pairs
from instruction_kit.build.progress import Progress, bars, silent
from instruction_kit.build.record import manifest_of
from instruction_kit.build.runner import Runner, check_num_proc, runner
from instruction_kit.build.scan import Scan, cache_folder, remember, scan_units, sizes_of
from instruction_kit.build.shard import num_shards, shard_units
from instruction_kit.build.unit import ScanUnit
from instruction_kit.build.work import RenderUnit, render_unit, scan_unit, shard_unit
from instruction_kit.errors import BuildError
from instruction_kit.source.hub import Hub

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

logger = logging.getLogger(__name__)

README = "README.md"


def build(mixture: "Mixture", out: Path, *, num_proc: int = 1, progress: bool = False) -> Manifest:
    """Build a mixture into a folder, or go on with a build that stopped.

    Raises:
        MixtureError: the mixture cannot be.
        SourceError: a source cannot be read.
        BuildError: the folder holds something else, or another build owns it; or `num_proc` cannot be.

    """
    check_num_proc(mixture, num_proc)
    mixture.check()  # every flaw of the mixture comes before any work
    _check_place(out)
    with owned(out / WORK) as lock, bars() if progress else silent() as shown:
        units = list(_scan_units(mixture))
        job = Job(mixture, identify(mixture, units), out, cache_folder())
        done, kept = _already_done(job)
        if done:
            return done
        check_folder(out, job.work, job.identity)
        with runner(job, num_proc=num_proc, lock=lock) as run:
            return _Build(job, run, shown, kept).run(units)


def _check_place(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise BuildError(f"{out}: is a file; name a folder")
    if out.is_dir() and not (out / WORK).exists() and not (out / MANIFEST).exists() and any(out.iterdir()):
        raise BuildError(f"{out}: holds other files; name an empty folder or a new one")


def _scan_units(mixture: "Mixture") -> Iterator[ScanUnit]:
    for name in sorted({*mixture.held_out.training, *mixture.held_out.measured}):
        yield from scan_units(mixture.chosen[name], data=mixture.data, data_dir=mixture.data_dir)


def _already_done(job: Job) -> tuple[Manifest | None, dict[str, Shard]]:
    """A folder that holds this very mixture, every file of it whole; else the files that are whole are kept."""
    if not (job.out / MANIFEST).is_file():
        return None, {}
    manifest = read_manifest(job.out)
    if manifest.fingerprint != job.identity.fingerprint:
        return None, {}
    kept = {shard.path: shard for shard in manifest.shards if _whole(job.out, shard)}
    if len(kept) < len(manifest.shards):
        damaged = sorted({shard.path for shard in manifest.shards} - set(kept))
        logger.warning("%s: %s: not what the manifest says; written again", job.out, ", ".join(damaged))
        return None, kept
    if _text(job.out / README) != card(manifest):
        write_text(job.out / README, card(manifest))
    _clear(job.out)
    return manifest, kept


class _Build:
    """One run of a build."""

    def __init__(self, job: Job, run: Runner, progress: Progress, kept: dict[str, Shard]) -> None:
        self.job, self.mixture, self.progress, self.kept = job, job.mixture, progress, kept
        self.units = run

    def run(self, units: Sequence[ScanUnit]) -> Manifest:
        scans = list(self.progress.over("scan", self.units(scan_unit, units), len(units)))
        drawn = draw(self.mixture, scans)  # the last that may refuse the mixture, so nothing is written before it
        self._remember(scans, drawn)
        sign(self.job.work, self.job.identity)
        write_drawn(self.job.work, self.mixture, drawn, scans)
        counts = num_shards(planned_pairs(self.mixture, scans, drawn))
        renders = [RenderUnit(done, homes_of(done.unit, counts)) for done in scans]
        rendered = list(self.progress.over("render", self.units(render_unit, renders), len(renders)))
        shards = [*self._shards(counts), *apart(self.job, scans, drawn, kept=self.kept)]
        manifest = manifest_of(self.job, scans, drawn, rendered, shards)
        write_text(self.job.out / README, card(manifest))
        write_json(self.job.out / MANIFEST, manifest.model_dump(mode="json"))
        _clear(self.job.out)
        for line in notable(manifest) if self.mixture.data == "source" else ():  # the dirt of samples is meant
            logger.warning("%s; each row with its reasons stands in the config `rejected`", line)
        return manifest

    def _remember(self, scans: Sequence[Scan], drawn: Drawn) -> None:
        """For `plan`, which asks no hub."""
        for name in self.mixture.held_out.training:
            task = self.mixture.chosen[name]
            if isinstance(task.source, Hub) and self.mixture.data == "source":
                mine = sizes_of([s for s in scans if (s.unit.task, s.unit.split) == (name, "train")])
                remember(task, "train", mine.rows - drawn.same_key[name, "train"], mine)

    def _shards(self, counts: dict[str, int]) -> list[Shard]:
        """Those that are whole already, and the others made."""
        every = [unit for units in shard_units(counts).values() for unit in units]
        missing = [unit for unit in every if unit.path not in self.kept]
        made = self.progress.over("shard", self.units(shard_unit, missing), len(missing))
        found = self.kept | {shard.path: shard for shard in made if shard}
        return [found[unit.path] for unit in every if unit.path in found]


def _clear(out: Path) -> None:
    """Nothing of the work is left; the lock goes when the folder is given up."""
    for path in (out / WORK).iterdir():
        if path.is_dir():
            shutil.rmtree(path)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _whole(out: Path, shard: Shard) -> bool:
    path = out / shard.path
    return path.is_file() and file_hash(path) == shard.sha256
