"""`stats`: what a built folder holds, as flat records that are the same in Python, in JSON and on the terminal.

In: a folder. Out: `Stats`. Counts of pairs and rows, and lengths, come from the pairs themselves; ledgers, shares and
reasons from the manifest. The records only ever gain fields.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from instruction_kit.build.manifest import Manifest, Shard, read_manifest
from instruction_kit.build.progress import bars, silent
from instruction_kit.built.lengths import Length, characters, lengths, load_tokenizer, tokens
from instruction_kit.built.pairs import CONFIG, HOME, count_rows, pairs_of, scan_pairs

FORMAT_VERSION = 1
By = Literal["split", "cluster", "task", "template", "setting"]
BY: tuple[By, ...] = ("split", "cluster", "task", "template", "setting")


@dataclass(frozen=True)
class Part:
    """Some pairs of one split of the built mixture."""

    config: str
    split: str
    by: By
    name: str
    """Of the cluster, task, template or setting; of the split itself, its name."""
    pairs: int
    rows: int
    """Different rows of sources that these pairs were made from."""
    share: float
    """Of the split's pairs."""


@dataclass(frozen=True)
class TaskLedger:
    """Where the rows of one split of one task's source went."""

    task: str
    cluster: str
    role: str
    split: str
    source_rows: int
    read: int
    used: int
    not_drawn: int
    skipped: int
    rejected: int
    removed: int
    pairs: int
    """Pairs that were written from the used rows, in all splits of the built mixture."""
    missed: int
    """Pairs that measured rows lack, since one of the templates could not take them."""
    shortened: int
    """Pairs in which a field was shortened to fit the budget."""
    fewer_exemplars: int
    """Pairs that lost exemplars to the budget."""


@dataclass(frozen=True)
class Loss:
    """Rows, or for `missed` pairs, that are not there, and why."""

    task: str
    split: str
    what: Literal["rejected", "removed", "missed"]
    reason: str
    count: int


@dataclass(frozen=True)
class Overlap:
    """Training rows that share text with held-out rows; where they were dropped, the losses say so."""

    held_out: str
    task: str
    kind: str
    rows: int


@dataclass(frozen=True)
class Share:
    """How much of the training pairs a task was meant to give, and gave."""

    task: str
    expected: float
    realised: float


@dataclass(frozen=True)
class Stats:
    """All of it."""

    format_version: int
    fingerprint: str
    tokenizer: str | None
    composition: list[Part]
    shares: list[Share]
    lengths: list[Length]
    ledgers: list[TaskLedger]
    losses: list[Loss]
    overlaps: list[Overlap]
    left: Mapping[str, str]
    """Task that is neither trained nor measured, or `template <name>` that is not used -> why."""


def stats(folder: str | Path, *, tokenizer: str | None = None, progress: bool = False) -> Stats:
    """Count what a built folder holds; `tokenizer` names one in whose tokens lengths are counted too.

    Raises:
        BuildError: the folder is not built, or a file of it cannot be read.
        TokenError: there is no such tokenizer.
        MissingExtraError: tokens are asked for, and transformers is not installed.

    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    loaded = load_tokenizer(tokenizer) if tokenizer else None
    with pairs_of(folder, manifest) as shards:
        found = list(lengths(characters(folder, shards), "characters", order=_splits(manifest)))
        if loaded is not None:
            with bars() if progress else silent() as shown:
                found += lengths(tokens(folder, shards, loaded, shown), "tokens", order=_splits(manifest))
        composition = list(_composition(folder, manifest, shards))
    return Stats(
        format_version=FORMAT_VERSION,
        fingerprint=manifest.fingerprint,
        tokenizer=tokenizer,
        composition=composition,
        shares=[Share(n, t.expected_share, t.realised_share) for n, t in manifest.tasks.items() if t.role == "train"],
        lengths=found,
        ledgers=list(_ledgers(manifest)),
        losses=list(_losses(manifest)),
        overlaps=list(_overlaps(manifest)),
        left=dict(manifest.left),
    )


def _splits(manifest: Manifest) -> list[tuple[str, str]]:
    return [(config, split) for config, names in manifest.splits.items() for split in names]


def _composition(folder: Path, manifest: Manifest, shards: Sequence[Shard]) -> Iterator[Part]:
    """The splits in the order of the manifest, in each its parts from the largest to the smallest."""
    order = _splits(manifest)
    for by in BY:
        name = HOME if by == "split" else by
        keys = tuple(dict.fromkeys((CONFIG, HOME, name)))
        pairs = scan_pairs(folder, shards).group_by(keys).agg(pl.len().cast(pl.Int64).alias("pairs"))
        counted = pairs.collect(engine="streaming").join(count_rows(folder, shards, *keys), on=keys)
        share = pl.col("pairs") / pl.col("pairs").sum().over(CONFIG, HOME)
        by_size = counted.with_columns(share.alias("share")).sort(-pl.col("pairs"), name)
        for row in sorted(by_size.iter_rows(named=True), key=lambda row: order.index((row[CONFIG], row[HOME]))):
            yield Part(row[CONFIG], row[HOME], by, row[name], row["pairs"], row["rows"], row["share"])


def _ledgers(manifest: Manifest) -> Iterator[TaskLedger]:
    for name, task in manifest.tasks.items():
        for split, source in task.splits.items():
            said = source.ledger
            yield TaskLedger(
                task=name,
                cluster=task.cluster,
                role=task.role,
                split=split,
                source_rows=said.source_rows,
                read=said.read,
                used=said.used,
                not_drawn=said.not_drawn,
                skipped=said.skipped,
                rejected=sum(said.rejected.values()),
                removed=sum(said.removed.values()),
                pairs=sum(said.pairs.values()),
                missed=sum(said.missed.values()),
                shortened=said.shortened,
                fewer_exemplars=said.fewer_exemplars,
            )


def _overlaps(manifest: Manifest) -> Iterator[Overlap]:
    for held_out, tasks in manifest.overlap.items():
        for task, kinds in tasks.items():
            yield from (Overlap(held_out, task, kind, rows) for kind, rows in kinds.items())


def _losses(manifest: Manifest) -> Iterator[Loss]:
    whats: tuple[Literal["rejected", "removed", "missed"], ...] = ("rejected", "removed", "missed")
    for name, task in manifest.tasks.items():
        for split, source in task.splits.items():
            for what in whats:
                counts: Mapping[str, int] = getattr(source.ledger, what)
                for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
                    yield Loss(name, split, what, reason, count)
