"""Build: from a mixture to a folder, through scan, draw, render and shard units.

In: a mixture and a folder. Out: the folder that design calls a built mixture. Every unit leaves a receipt, so a build
that was killed at any moment goes on where it stopped and ends with the same bytes; the manifest comes last, and says
that all is whole.
"""

import logging
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from instruction_kit import __version__
from instruction_kit.build import leakage, removal
from instruction_kit.build.card import card
from instruction_kit.build.commit import file_hash, owned, read_receipt, receipt, write_frame, write_json, write_text
from instruction_kit.build.draw import PAIRS, ROLE, Drawn, draw
from instruction_kit.build.identity import Identity, check_folder, identify, sign
from instruction_kit.build.ledger import shares, task_records
from instruction_kit.build.losses import notable
from instruction_kit.build.manifest import FORMAT_VERSION, MANIFEST, Manifest, Shard, TemplateRecord, read_manifest
from instruction_kit.build.pool import pools
from instruction_kit.build.progress import Progress, bars, silent
from instruction_kit.build.rejected import REJECTED_SCHEMA
from instruction_kit.build.render import Renderer, drawn_examples
from instruction_kit.build.runner import serial
from instruction_kit.build.scan import Scan, cache_folder, remember, scan, scan_units, sizes_of
from instruction_kit.build.shard import ShardUnit, merge, shard_units, write_runs
from instruction_kit.build.unit import ScanUnit
from instruction_kit.errors import BuildError
from instruction_kit.source.hub import Hub

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

logger = logging.getLogger(__name__)

WORK = ".work"
README = "README.md"
_log = logging.getLogger(__name__)


def build(mixture: "Mixture", out: Path, *, progress: bool = False) -> Manifest:
    """Build a mixture into a folder, or go on with a build that stopped.

    Raises:
        MixtureError: the mixture cannot be.
        SourceError: a source cannot be read.
        BuildError: the folder holds something else, or another build owns it.

    """
    mixture.check()  # every flaw of the mixture comes before any work
    _check_place(out)
    with owned(out / WORK), bars() if progress else silent() as shown:
        return _Build(mixture, out, shown).run()


def _check_place(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise BuildError(f"{out}: is a file; name a folder")
    if out.is_dir() and not (out / WORK).exists() and not (out / MANIFEST).exists() and any(out.iterdir()):
        raise BuildError(f"{out}: holds other files; name an empty folder or a new one")


class _Build:
    """One run of a build."""

    def __init__(self, mixture: "Mixture", out: Path, progress: Progress) -> None:
        self.mixture, self.out, self.progress = mixture, out, progress
        held = mixture.held_out
        self.kept: dict[str, Shard] = {}
        self.roles = {**dict.fromkeys(held.training, "train"), **dict.fromkeys(held.measured, "held_out")}

    def run(self) -> Manifest:
        units = [u for name in sorted(self.roles) for u in self._scan_units(name)]
        identity = identify(self.mixture, units)
        if done := self._already_done(identity):
            return done
        work = self.out / WORK / identity.fingerprint[:16]
        check_folder(self.out, work, identity)
        scans = list(self.progress.over("scan", serial(self._scan, units), len(units)))
        drawn = draw(self.mixture, scans)  # the last that may refuse the mixture, so nothing is written before it
        self._remember(scans, drawn)
        sign(work, identity)
        shards = shard_units(_planned(self.mixture, scans, drawn))
        each = serial(lambda done: self._render(done, scans, drawn, shards, work), scans)
        rendered = list(self.progress.over("render", each, len(scans)))
        flat = [unit for units_of in shards.values() for unit in units_of]
        written = list(self.progress.over("shard", serial(lambda u: self._shard(u, scans, work), flat), len(flat)))
        found = {"overlap": drawn.overlap, "duplicates": drawn.duplicates}
        others = [*self._rejected(scans, work), *(shard for what in found.items() for shard in self._found(*what))]
        manifest = self._manifest(identity, scans, drawn, rendered, [shard for shard in (*written, *others) if shard])
        write_text(self.out / README, card(manifest))
        write_json(self.out / MANIFEST, manifest.model_dump(mode="json"))
        self._clear()
        for line in notable(manifest) if self.mixture.data == "source" else ():  # the dirt of samples is meant
            logger.warning("%s; each row with its reasons stands in the config `rejected`", line)
        return manifest

    def _clear(self) -> None:
        """Nothing of the work is left; the lock goes when the folder is given up."""
        for path in (self.out / WORK).iterdir():
            if path.is_dir():
                shutil.rmtree(path)

    def _scan_units(self, name: str) -> list[ScanUnit]:
        task = self.mixture.chosen[name]
        return scan_units(task, data=self.mixture.data, data_dir=self.mixture.data_dir)

    def _already_done(self, identity: Identity) -> Manifest | None:
        """A folder that holds this very mixture, every file of it whole; else the files that are whole are kept."""
        if not (self.out / MANIFEST).is_file():
            return None
        manifest = read_manifest(self.out)
        if manifest.fingerprint != identity.fingerprint:
            return None
        self.kept = {shard.path: shard for shard in manifest.shards if _whole(self.out, shard)}
        if len(self.kept) < len(manifest.shards):
            damaged = sorted({shard.path for shard in manifest.shards} - set(self.kept))
            _log.warning("%s: %s: not what the manifest says; written again", self.out, ", ".join(damaged))
            return None
        if _text(self.out / README) != card(manifest):
            write_text(self.out / README, card(manifest))
        self._clear()
        return manifest

    def _scan(self, unit: ScanUnit) -> Scan:
        return scan(unit, task=self.mixture.chosen[unit.task], root=cache_folder())

    def _remember(self, scans: Sequence[Scan], drawn: Drawn) -> None:
        """For `plan`, which asks no hub."""
        for name in self.mixture.held_out.training:
            task = self.mixture.chosen[name]
            if isinstance(task.source, Hub) and self.mixture.data == "source":
                mine = sizes_of([s for s in scans if (s.unit.task, s.unit.split) == (name, "train")])
                remember(task, "train", mine.rows - drawn.same_key[name, "train"], mine)

    def _render(
        self, done: Scan, scans: Sequence[Scan], drawn: Drawn, shards: Mapping[str, Sequence[ShardUnit]], work: Path
    ) -> dict[str, Any]:
        folder = work / "runs" / done.unit.key
        lost = folder / "lost.parquet"
        if (values := _rendered(folder)) is not None:
            return values
        task, rows = self.mixture.chosen[done.unit.task], drawn.rows[done.unit.key]
        shown = pools(self.mixture, task, drawn.pools.get(task.name), scans)
        renderer = Renderer(self.mixture, task, split=done.unit.split, pools=shown)
        runs = write_runs(folder, renderer.pairs(*drawn_examples(done.examples, rows)), shards)
        write_frame(lost, pl.DataFrame(renderer.ledger.lost, schema={"row": pl.String, "reason": pl.String}))
        values = renderer.ledger.numbers()
        receipt(folder / "receipt.json", {"lost": lost, **{run: folder / run for run in runs}}, values)
        return values

    def _shard(self, unit: ShardUnit, scans: Sequence[Scan], work: Path) -> Shard | None:
        if unit.path in self.kept:
            return self.kept[unit.path]
        mark = work / "shards" / f"{unit.run}.json"
        files = {"shard": self.out / unit.path}
        if (values := read_receipt(mark, files)) is None:
            runs = [work / "runs" / done.unit.key / unit.run for done in scans]
            values = {"rows": merge(unit, runs, self.out)}
            if not values["rows"]:
                return None
            receipt(mark, files, values)
        return _shard_record(self.out, unit.path, unit.config, unit.split, values["rows"])

    def _rejected(self, scans: Sequence[Scan], work: Path) -> list[Shard]:
        """One file a task: what could not be read or mapped, and what no phrasing could take."""
        shards = []
        for name in sorted(self.roles):
            mine = [done for done in scans if done.unit.task == name]
            frames = [pl.read_parquet(done.folder / "rejected.parquet") for done in mine]
            frames += [_lost(work, done) for done in mine if done.unit.parts]
            frame = pl.concat([pl.DataFrame(schema=REJECTED_SCHEMA), *frames])
            path = f"rejected/{name}-00000-of-00001.parquet"
            if path in self.kept:
                shards.append(self.kept[path])
            elif frame.height:
                write_frame(self.out / path, frame)
                shards.append(_shard_record(self.out, path, "rejected", name, frame.height))
        return shards

    def _found(self, config: str, rows: pl.DataFrame) -> list[Shard]:
        """Rows that were found before the draw, one file under a config of their own."""
        path = f"{config}/{config}-00000-of-00001.parquet"
        if not rows.height:
            return []
        if path not in self.kept:
            write_frame(self.out / path, rows)
        return [self.kept.get(path) or _shard_record(self.out, path, config, config, rows.height)]

    def _manifest(
        self,
        identity: Identity,
        scans: Sequence[Scan],
        drawn: Drawn,
        rendered: Sequence[Mapping[str, Any]],
        shards: list[Shard],
    ) -> Manifest:
        used = sorted({name for values in rendered for name in values["phrasings"]})
        known = {t.name: t for templates in self.mixture.templates.values() for t in templates}
        planned = {
            "train": ["train", "validation", "seen"],
            "held_out": _held_out_splits(scans, drawn),
            "rejected": sorted(self.roles),
            "overlap": ["overlap"],
            "duplicates": ["duplicates"],
        }
        rows: Counter[tuple[str, str]] = Counter()
        for shard in shards:
            rows[shard.config, shard.split] += shard.rows
        return Manifest(
            format_version=FORMAT_VERSION,
            fingerprint=identity.fingerprint,
            versions={
                "instruction-kit": __version__,
                **{p: version(p) for p in ("jinja2", "polars", "pyarrow", "pydantic")},
            },
            inputs=dict(identity.inputs),
            mixture=self.mixture.portable(),
            tasks=task_records(self.mixture, self.roles, scans, drawn, rendered, identity),
            left=dict(self.mixture.leaving),
            templates={name: TemplateRecord(hash=known[name].hash, text=known[name].text) for name in used},
            shares=shares(self.mixture, scans, drawn, rendered),
            overlap=leakage.summary(drawn.overlap),
            duplicates=removal.summary(drawn.duplicates),
            splits={config: {split: rows[config, split] for split in splits} for config, splits in planned.items()},
            shards=shards,
        )


def _planned(mixture: "Mixture", scans: Sequence[Scan], drawn: Drawn) -> dict[str, int]:
    """Home -> pairs, as far as counts alone can tell; only the number of shards follows from it."""
    planned: Counter[str] = Counter(train=0, validation=0, seen=0)
    for done in scans:
        rows, task = drawn.rows[done.unit.key], done.unit.task
        each = len(mixture.templates[task]) * len(mixture.held_out_settings)
        planned["train"] += int(rows[PAIRS].sum())
        for role, home in (("validation", "validation"), ("seen", "seen"), ("held_out", f"{task}__{done.unit.split}")):
            if count := rows.filter(pl.col(ROLE) == role).height:
                planned[home] += count * each
    return dict(planned)


def _held_out_splits(scans: Sequence[Scan], drawn: Drawn) -> list[str]:
    homes = [
        (f"{s.unit.task}__{s.unit.split}", drawn.rows[s.unit.key].filter(pl.col(ROLE) == "held_out").height)
        for s in scans
    ]
    return sorted({home for home, rows in homes if rows})


def _rendered(folder: Path) -> dict[str, Any] | None:
    """Numbers of a render unit that is done; its receipt names its own files."""
    mark = folder / "receipt.json"
    if not mark.is_file():
        return None
    names = [path.name for path in folder.glob("*.parquet")]
    return read_receipt(
        mark, {name.removesuffix(".parquet") if name == "lost.parquet" else name: folder / name for name in names}
    )


def _lost(work: Path, done: Scan) -> pl.DataFrame:
    path = work / "runs" / done.unit.key / "lost.parquet"
    blank = pl.lit(None, dtype=pl.String)
    labels = {"task": pl.lit(done.unit.task), "split": pl.lit(done.unit.split), "file": pl.lit(done.unit.parts[0].name)}
    texts = {"field": pl.lit("phrasing"), "value": blank, "place": blank}
    return pl.read_parquet(path).with_columns(**labels, **texts).select(list(REJECTED_SCHEMA))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _whole(out: Path, shard: Shard) -> bool:
    path = out / shard.path
    return path.is_file() and file_hash(path) == shard.sha256


def _shard_record(out: Path, path: str, config: Any, split: str, rows: int) -> Shard:
    return Shard(path=path, config=config, split=split, rows=rows, sha256=file_hash(out / path))
