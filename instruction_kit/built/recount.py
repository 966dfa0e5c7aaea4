"""Both ledgers, counted again from the files.

In: a folder, its manifest and the shards whose rows can be read. Out: what the manifest says otherwise. Memory holds
counts, and of each row that is used its name.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from instruction_kit.build import leakage, removal
from instruction_kit.build.identity import Identity
from instruction_kit.build.leakage import OVERLAP
from instruction_kit.build.ledger import SAME_KEY
from instruction_kit.build.manifest import MANIFEST, Ledger, Manifest, Shard, TaskRecord
from instruction_kit.build.removal import REMOVED
from instruction_kit.build.share import Amount, Place, sums
from instruction_kit.build.size import BYTES_PER_TOKEN
from instruction_kit.built.pairs import count_rows, scan_pairs
from instruction_kit.built.problem import Problem

LINE = ("task", "split", "file", "row", "field", "reason")
"""Columns of rejected rows that are looked at."""


def manifest_problems(manifest: Manifest) -> Iterator[Problem]:
    """What needs no other file: the manifest against itself."""
    if Identity(manifest.mixture, manifest.inputs).fingerprint != manifest.fingerprint:
        yield _told("its fingerprint is not that of its mixture and inputs")
    for name, task in manifest.tasks.items():
        for split, source in task.splits.items():
            yield from _row_ledger_problems(f"{name} {split}", source.ledger)
    listed = Counter[tuple[str, str]]()
    for shard in manifest.shards:
        listed[shard.config, shard.split] += shard.rows
    said = {(config, split): rows for config, splits in manifest.splits.items() for split, rows in splits.items()}
    for config, split in sorted(listed.keys() | said.keys()):
        if said.get((config, split)) != listed[config, split]:
            told = f"says {_number(said.get((config, split)))} rows, its shards have {listed[config, split]:,}"
            yield _told(f"{config} {split}: {told}")


def _row_ledger_problems(where: str, ledger: Ledger) -> Iterator[Problem]:
    parts = {
        "used": ledger.used,
        "not drawn": ledger.not_drawn,
        "skipped": ledger.skipped,
        "rejected": sum(ledger.rejected.values()),
        "removed": sum(ledger.removed.values()),
    }
    if sum(parts.values()) != ledger.read:
        told = " + ".join(f"{what} {rows:,}" for what, rows in parts.items())
        yield _told(f"{where}: read {ledger.read:,} is not {told} = {sum(parts.values()):,}")
    yield from (_told(f"{where}: {what} is {rows:,}") for what, rows in parts.items() if rows < 0)


def pair_problems(folder: Path, manifest: Manifest, shards: Sequence[Shard]) -> Iterator[Problem]:
    """The ledger of pairs, and the rows that were used, against the pairs themselves."""
    keys = ("config", "home", "task", "split", "template", "setting")
    shown = pl.col("exemplars").list.len().cast(pl.String)
    pairs = scan_pairs(folder, shards).with_columns(exemplars=shown)
    size = (pl.col("prompt").str.len_bytes() + pl.col("completion").str.len_bytes()).sum().alias("bytes")
    counts = pairs.group_by(*keys, "exemplars").agg(pl.len().alias("pairs"), size).collect(engine="streaming")
    rows = count_rows(folder, shards, "task", "split")
    used = {(task, split): count for task, split, count in rows.select("task", "split", "rows").iter_rows()}
    for name, task in manifest.tasks.items():
        mine = counts.filter(pl.col("task") == name)
        for split, source in task.splits.items():
            here, where = mine.filter(pl.col("split") == split), f"{name} {split}"
            yield from _differences(f"{where}: pairs", source.ledger.pairs, _summed(here, "home"))
            if source.ledger.used != used.get((name, split), 0):
                yield _told(
                    f"{where}: used {source.ledger.used:,}, its pairs are of {used.get((name, split), 0):,} rows"
                )
        said = {"0": 0, **task.exemplars}
        yield from _differences(f"{name}: pairs with exemplars", said, _summed(mine, "exemplars") | {"0": 0})
        yield from _task_problems(name, task, mine.filter(pl.col("home") != "validation", pl.col("home") != "seen"))
    yield from _share_problems(manifest, counts)
    yield from _amount_problems(manifest, counts)


def _task_problems(name: str, task: TaskRecord, mine: pl.DataFrame) -> Iterator[Problem]:
    yield from _differences(f"{name}: pairs of setting", task.settings, _summed(mine, "setting"))
    yield from _differences(f"{name}: pairs of template", task.templates, _summed(mine, "template"))


def _share_problems(manifest: Manifest, counts: pl.DataFrame) -> Iterator[Problem]:
    trained = _summed(counts.filter(pl.col("home") == "train"), "task")
    total = sum(trained.values())
    for name, task in manifest.tasks.items():
        share = trained.get(name, 0) / total if total else 0.0
        if abs(share - task.realised_share) > 1e-9:
            yield _told(f"{name}: realised_share {task.realised_share:.6f}, its training pairs are {share:.6f} of all")


def _amount_problems(manifest: Manifest, counts: pl.DataFrame) -> Iterator[Problem]:
    """What was written of each part, cluster, task and setting."""
    found: dict[str, dict[str, Amount]] = {}
    trained = counts.filter(pl.col("home") == "train", pl.col("task").is_in(list(manifest.tasks)))
    for name, setting, pairs, size in trained.select("task", "setting", "pairs", "bytes").iter_rows():
        own, amount = found.setdefault(name, {}), Amount(pairs, size / BYTES_PER_TOKEN)
        own[setting] = own[setting] + amount if setting in own else amount
    written = sums(found, {name: Place(task.cluster, task.part) for name, task in manifest.tasks.items()})
    for share in manifest.shares:
        there = written.get((share.by, share.name), Amount(0, 0.0))
        tokens = there.tokens or 0.0
        if share.pairs != there.pairs or abs(share.tokens - tokens) > 0.5:
            said = f"{share.pairs:,} pairs and {share.tokens:,.0f} tokens"
            yield _told(f"{share.by} {share.name}: {said}, its files have {there.pairs:,} and {tokens:,.0f}")


def _summed(counts: pl.DataFrame, column: str) -> dict[str, int]:
    return dict(counts.group_by(column).agg(pl.col("pairs").sum()).iter_rows())


def _differences(where: str, said: Mapping[str, int], found: Mapping[str, int]) -> Iterator[Problem]:
    for key in sorted({*said, *found}):
        if said.get(key, 0) != found.get(key, 0):
            yield _told(f"{where} {key}: {said.get(key, 0):,}, its files have {found.get(key, 0):,}")


def rejected_problems(folder: Path, manifest: Manifest, shards: Sequence[Shard]) -> Iterator[Problem]:
    """The rows that were lost, with their reasons, against the files that name them.

    A row that has a key may share it with another, so a reason is bounded by rows from below and by lines from above.
    """
    for name, task in manifest.tasks.items():
        files = [folder / shard.path for shard in shards if (shard.config, shard.split) == ("rejected", name)]
        frames = [pl.read_parquet(file, columns=list(LINE)) for file in files]
        lines = pl.concat([pl.DataFrame(schema=dict.fromkeys(LINE, pl.String())), *frames]).with_columns(_reason())
        for split, source in task.splits.items():
            mine = lines.filter(pl.col("task") == name, pl.col("split") == split)
            yield from _lost_problems(f"{name} {split}", source.ledger, mine)


def _reason() -> pl.Expr:
    """As the ledger tells it; what could not be read at all, and what no template could take, has no field there."""
    whole = pl.format("{}: {}", "field", "reason")
    return pl.when(pl.col("field").is_in(["", "phrasing"])).then("reason").otherwise(whole).alias("why")


def _lost_problems(where: str, ledger: Ledger, lines: pl.DataFrame) -> Iterator[Problem]:
    removed = {why: rows for why, rows in ledger.removed.items() if why not in (SAME_KEY, OVERLAP, *REMOVED.values())}
    said = Counter(ledger.rejected) + Counter(removed)
    most = dict(lines.group_by("why").len().iter_rows())
    first = lines.filter(pl.col("row").is_not_null()).filter(pl.struct("file", "row").is_first_distinct())
    least = dict(first.group_by("why").len().iter_rows())
    for why in sorted({*said, *least}):
        low, high = least.get(why, 0), most.get(why, 0)
        if not low <= said[why] <= high:
            there = f"{high:,}" if low == high else f"between {low:,} and {high:,}"
            yield _told(f"{where}: lost {said[why]:,} rows for {why!r}, its file of rejected rows has {there}")


def overlap_problems(manifest: Manifest, found: pl.DataFrame) -> Iterator[Problem]:
    """The training rows that share text with held-out rows, against the file that names them."""
    yield from _differences("overlap", _flat(manifest.overlap), _flat(leakage.summary(found)))
    gone = dict[tuple[str, str], int]()
    if manifest.mixture["drop_overlap"]:
        gone = {(task, split): rows for task, split, rows in found.group_by("task", "split").len().iter_rows()}
    for name, task in manifest.tasks.items():
        for split, source in task.splits.items():
            said, rows = source.ledger.removed.get(OVERLAP, 0), gone.get((name, split), 0)
            if said != rows:
                yield _told(f"{name} {split}: removed {said:,} rows for {OVERLAP!r}, its file of overlaps has {rows:,}")


def duplicate_problems(manifest: Manifest, found: pl.DataFrame) -> Iterator[Problem]:
    """The training rows that were taken out as copies, against the file that names them."""
    yield from _differences("duplicates", _flat(manifest.duplicates), _flat(removal.summary(found)))
    counts = {tuple(key): rows for *key, rows in found.group_by("task", "split", "kind").len().iter_rows()}
    for name, task in manifest.tasks.items():
        for split, source in task.splits.items():
            for kind, why in REMOVED.items():
                said, rows = source.ledger.removed.get(why, 0), counts.get((name, split, kind), 0)
                if said != rows:
                    yield _told(f"{name} {split}: removed {said:,} rows for {why!r}, its file of copies has {rows:,}")


def _flat(told: Mapping[str, Mapping[str, Mapping[str, int]]]) -> dict[str, int]:
    return {
        f"{held_out} {task} {kind}": rows
        for held_out, tasks in told.items()
        for task, kinds in tasks.items()
        for kind, rows in kinds.items()
    }


def _number(value: int | None) -> str:
    return "no" if value is None else f"{value:,}"


def _told(what: str) -> Problem:
    return Problem(MANIFEST, what)
