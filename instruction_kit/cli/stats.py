"""`stats` as tables that fit 80 columns; lengths of single tasks are left to `--json`."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from instruction_kit.built.stats import By, Part, Stats
from instruction_kit.cli.console import table

MAX_REASONS = 30
"""Reasons that are shown; `--json` has them all."""


def stats_tables(stats: Stats) -> Iterator[RenderableType]:
    """Splits, composition of what trains and of what is measured, lengths, and what was lost."""
    splits = [part for part in stats.composition if part.by == "split"]
    rows = [(part.config, part.split, f"{part.pairs:,}", f"{part.rows:,}") for part in splits]
    yield table(("config", "split", ">pairs", ">rows"), rows, title="Splits")
    yield _tasks(stats)
    parts: tuple[tuple[By, str], ...] = (("cluster", "clusters"), ("setting", "settings"), ("template", "templates"))
    for by, name in parts:
        yield _parts([part for part in stats.composition if (part.split, part.by) == ("train", by)], by, name)
    yield _lengths(stats)
    yield _ledgers(stats)
    if stats.losses:
        yield _losses(stats)
    if stats.overlaps:
        rows = [(one.held_out, one.task, one.kind, f"{one.rows:,}") for one in stats.overlaps]
        yield table(
            ("held out", "task", "how", ">rows"), rows, title="Training rows that share text with held-out rows"
        )
    for name, why in stats.left.items():
        yield Text(f"left out: {name} ({why})")


def drawing(path: Path) -> Callable[[Stats], None]:
    """What draws stats into a file, once it is known that it can be drawn.

    Raises:
        MissingExtraError: matplotlib is not installed.
        BuildError: the file's suffix or folder cannot be.

    """
    from instruction_kit.built.picture import draw, picture_format  # the one module here that needs an extra

    picture_format(path)
    return partial(draw, path=path)


def _tasks(stats: Stats) -> RenderableType:
    expected = {share.task: share.expected for share in stats.shares}
    clusters = {ledger.task: ledger.cluster for ledger in stats.ledgers}
    mine = [part for part in stats.composition if (part.split, part.by) == ("train", "task")]
    numbers = [
        (f"{part.pairs:,}", f"{part.rows:,}", f"{part.share:.1%}", f"{expected[part.name]:.1%}") for part in mine
    ]
    rows = [(part.name, clusters[part.name], *told) for part, told in zip(mine, numbers, strict=True)]
    return table(("task", "cluster", ">pairs", ">rows", ">share", ">expected"), rows, title="Training pairs by task")


def _parts(parts: Sequence[Part], by: By, title: str) -> RenderableType:
    rows = [(part.name, f"{part.pairs:,}", f"{part.rows:,}", f"{part.share:.1%}") for part in parts]
    return table((by, ">pairs", ">rows", ">share"), rows, title=f"Training pairs by {title.removesuffix('s')}")


def _lengths(stats: Stats) -> RenderableType:
    shown = [one for one in stats.lengths if one.task is None]
    numbers = [[f"{number:,.0f}" for number in (one.mean, one.median, one.p95, one.p99, one.max)] for one in shown]
    rows = [(one.split, one.side, one.unit, *told) for one, told in zip(shown, numbers, strict=True)]
    return table(("split", "side", "unit", ">mean", ">median", ">p95", ">p99", ">max"), rows, title="Lengths")


def _ledgers(stats: Stats) -> RenderableType:
    names = ("read", "used", "not_drawn", "skipped", "rejected", "removed")
    rows = [
        (f"{ledger.task} {ledger.split}", *(f"{getattr(ledger, name):,}" for name in names)) for ledger in stats.ledgers
    ]
    columns = ("task and split", *(f">{name.replace('_', ' ')}" for name in names))
    return table(columns, rows, title="Where the rows of the sources went")


def _losses(stats: Stats) -> RenderableType:
    most = sorted(stats.losses, key=lambda loss: -loss.count)
    rows = [(loss.task, loss.split, str(loss.what), loss.reason, f"{loss.count:,}") for loss in most[:MAX_REASONS]]
    if hidden := most[MAX_REASONS:]:
        rows.append((f"{len(hidden)} more", "", "", "see --json", f"{sum(loss.count for loss in hidden):,}"))
    return table(("task", "split", "what", "reason", ">count"), rows, title="What is not there, and why")
