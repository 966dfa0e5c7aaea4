"""Both ledgers of every task and split, from the receipts of scans and renders.

In: scans, draw and render receipts. Out: the task records of the manifest. Rows: read = used + not drawn + skipped +
rejected + removed; an equation that does not add up is a bug, and asserted here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from instruction_kit.build.draw import Drawn
from instruction_kit.build.identity import Identity
from instruction_kit.build.leakage import OVERLAP
from instruction_kit.build.manifest import Ledger, Share, Source, TaskRecord
from instruction_kit.build.plan import amounts, expected_settings
from instruction_kit.build.removal import REMOVED
from instruction_kit.build.scan import Scan
from instruction_kit.build.share import Amount, Key, Place, sums
from instruction_kit.build.size import BYTES_PER_TOKEN
from instruction_kit.library import text_hash

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

SAME_KEY = "another row before it has the same key"


def task_records(
    mixture: "Mixture",
    scans: Sequence[Scan],
    drawn: Drawn,
    rendered: Sequence[Mapping[str, Any]],
    identity: Identity,
) -> dict[str, TaskRecord]:
    """One record for each task that trains or is measured."""
    total = sum(quota.pairs for quota in drawn.quotas.values())
    written = sum(values["pairs"].get("train", 0) for values in rendered)
    records = {}
    measured = mixture.held_out.measured
    for name in sorted({scan.unit.task for scan in scans}):
        task, quota = mixture.chosen[name], drawn.quotas.get(name)
        mine = [(scan, values) for scan, values in zip(scans, rendered, strict=True) if scan.unit.task == name]
        pairs = sum(values["pairs"].get("train", 0) for _, values in mine)
        records[name] = TaskRecord(
            cluster=task.cluster,
            part=mixture.home(name),
            role="held_out" if name in measured else "train",
            task_schema=task.schema.__name__,
            metrics=list(task.metrics),
            license=task.license,
            families=list(task.families),
            languages=list(task.languages),
            hash=identity.inputs[f"task {name}"],
            splits=_splits(name, mine, drawn),
            expected_share=quota.pairs / total if quota else 0.0,
            realised_share=pairs / written if quota and written else 0.0,
            settings=_summed(values["settings"] for _, values in mine),
            templates=_summed(values["templates"] for _, values in mine),
            exemplar_pool=drawn.pools[name].height if name in drawn.pools else 0,
            exemplars=_summed(values["exemplars"] for _, values in mine),
            rounds=quota.rounds if quota else 1,
        )
    return records


def shares(
    mixture: "Mixture", scans: Sequence[Scan], drawn: Drawn, rendered: Sequence[Mapping[str, Any]]
) -> list[Share]:
    """Expected and written pairs and tokens, side by side."""
    places = {name: Place(mixture.chosen[name].cluster, mixture.home(name)) for name in drawn.quotas}
    expected = {
        name: amounts(quota.pairs, expected_settings(mixture, name), drawn.tokens[name])
        for name, quota in drawn.quotas.items()
    }
    written = {name: _written(name, scans, rendered) for name in drawn.quotas}
    return _compared(sums(expected, places), sums(written, places))


def _written(name: str, scans: Sequence[Scan], rendered: Sequence[Mapping[str, Any]]) -> dict[str, Amount]:
    mine = [values for scan, values in zip(scans, rendered, strict=True) if scan.unit.task == name]
    pairs, sizes = (_summed(values[what] for values in mine) for what in ("settings", "sizes"))
    return {key: Amount(pairs[key], sizes[key] / BYTES_PER_TOKEN) for key in sizes}


def _compared(expected: Mapping[Key, Amount], written: Mapping[Key, Amount]) -> list[Share]:
    none = Amount(0, 0.0)
    found = []
    for by, name in dict.fromkeys([*expected, *written]):
        wanted, there = expected.get((by, name), none), written.get((by, name), none)
        found.append(
            Share(
                by=by,
                name=name,
                expected_pairs=wanted.pairs,
                pairs=int(there.pairs),
                expected_tokens=wanted.tokens,
                tokens=there.tokens or 0.0,
            )
        )
    return found


def _summed(counts: Any) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))


def _splits(name: str, mine: Sequence[tuple[Scan, Mapping[str, Any]]], drawn: Drawn) -> dict[str, Source]:
    found = {}
    for split in dict.fromkeys(scan.unit.split for scan, _ in mine):
        here = [(scan, values) for scan, values in mine if scan.unit.split == split]
        contents = [part.content for scan, _ in here for part in scan.unit.parts]
        found[split] = Source(content=text_hash(*contents), ledger=_ledger(here, _removed(drawn, name, split)))
    return found


def _removed(drawn: Drawn, name: str, split: str) -> dict[str, int]:
    """Rows that were taken out before the draw."""
    here = pl.col("task") == name, pl.col("split") == split
    found = {SAME_KEY: drawn.same_key.get((name, split), 0)}
    if drawn.dropped_overlap:
        found[OVERLAP] = drawn.overlap.filter(*here).height
    kinds = drawn.duplicates.filter(*here)["kind"]
    found |= {why: int((kinds == kind).sum()) for kind, why in REMOVED.items()}
    return {why: rows for why, rows in found.items() if rows}


def _ledger(here: Sequence[tuple[Scan, Mapping[str, Any]]], before: Mapping[str, int]) -> Ledger:
    rejected = _summed([*(scan.rejected for scan, _ in here), *(values["rejected"] for _, values in here)])
    removed = _summed([*(values["removed"] for _, values in here), before])
    read, used = sum(scan.read for scan, _ in here), sum(values["used"] for _, values in here)
    skipped = sum(scan.skipped for scan, _ in here)
    rest = read - used - skipped - sum(rejected.values()) - sum(removed.values())
    assert rest >= 0, "more rows used, skipped, rejected or removed than read"  # noqa: S101 - a bug of ours
    return Ledger(
        source_rows=sum(scan.source_rows for scan, _ in here),
        read=read,
        used=used,
        not_drawn=rest,
        skipped=skipped,
        rejected=rejected,
        removed=removed,
        pairs=_summed(values["pairs"] for _, values in here),
        missed=_summed(values["missed"] for _, values in here),
        shortened=sum(values["shortened"] for _, values in here),
        fewer_exemplars=sum(values["fewer_exemplars"] for _, values in here),
    )
