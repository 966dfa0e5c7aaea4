"""Two built folders row by row: which rows are in both, and what became of their pairs.

In: two folders with their manifests. Out: counts for each task, moves between splits, and a few rows of each kind. A
row is of one kind alone. Rows are compared in parts of a bounded size, by hashes of their pairs, so that memory does
not grow with the folders; only of the rows that are shown are texts kept.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from instruction_kit.build.manifest import Manifest
from instruction_kit.build.progress import Progress
from instruction_kit.built.pairs import HOME, ROW, ROWS_AT_ONCE, pair_shards, pairs_of, scan_pairs

Kind = Literal["same", "text", "setting", "template", "number", "moved", "dropped", "new"]
KINDS: tuple[Kind, ...] = ("same", "text", "setting", "template", "number", "moved", "dropped", "new")
Built = tuple[Path, Manifest]
Compared = tuple[list["TaskRows"], list["Move"], list["Example"]]


@dataclass(frozen=True)
class TaskRows:
    """The rows of one task that either folder uses; each is counted once."""

    task: str
    same: int
    """Every pair is equal."""
    text: int
    """The same templates in the same settings, another prompt or completion."""
    setting: int
    """The same templates in other settings."""
    template: int
    """As many pairs, of other templates."""
    number: int
    """More pairs, or fewer."""
    moved: int
    """It stands in other splits."""
    dropped: int
    """Only the first folder uses it."""
    new: int
    """Only the second folder uses it."""

    @property
    def differ(self) -> bool:
        """Whether any row does."""
        return any(getattr(self, kind) for kind in KINDS if kind != "same")


@dataclass(frozen=True)
class Move:
    """Rows of one task that stand in other splits than before."""

    task: str
    a: str
    """Splits of the built mixture, joined by a plus."""
    b: str
    rows: int


@dataclass(frozen=True)
class Shown:
    """One pair of a row that is shown."""

    home: str
    """The split of the built mixture."""
    template: str
    setting: str
    prompt: str
    completion: str


@dataclass(frozen=True)
class Example:
    """One row that differs, with its pairs in both folders."""

    task: str
    split: str
    row: str
    kind: Kind
    a: list[Shown]
    b: list[Shown]


def compare_rows(a: Built, b: Built, *, num_examples: int, progress: Progress) -> Compared:
    """Compare all rows of two folders.

    Raises:
        BuildError: a file of one of them cannot be read.

    """
    most = max(sum(shard.rows for shard in pair_shards(manifest.shards)) for _, manifest in (a, b))
    num_parts = -(-most // ROWS_AT_ONCE) or 1
    counts: Counter[tuple[str, str]] = Counter()
    moves: Counter[tuple[str, str, str]] = Counter()
    firsts: list[pl.DataFrame] = []
    for part in progress.over("compare", iter(range(num_parts)), num_parts):
        compared = _compared(_rows(a, part, num_parts), _rows(b, part, num_parts))
        counts.update({(t, kind): n for t, kind, n in compared.group_by("task", "kind").len().iter_rows()})
        moved = compared.filter(kind="moved").group_by("task", "homes", "homes_b").len()
        moves.update({(task, was, now): rows for task, was, now, rows in moved.iter_rows()})
        firsts.append(_first(compared, num_examples))
    tasks = sorted({*a[1].tasks, *b[1].tasks})
    told = [TaskRows(task, **{kind: counts[task, kind] for kind in KINDS}) for task in tasks]
    chosen = _first(pl.concat(firsts), num_examples)
    return told, [Move(*key, rows) for key, rows in sorted(moves.items())], list(_examples(chosen, a, b))


def _rows(built: Built, part: int, num_parts: int) -> pl.DataFrame:
    """Each row of one part: where it stands, how many pairs it has, and hashes that do not know their order."""
    sums = [_summed_hash(*columns).alias(step) for step, columns in STEPS.items()]
    with pairs_of(*built) as shards:
        pairs = scan_pairs(built[0], shards).filter(pl.col("row").hash() % num_parts == part)
        found = pairs.group_by(*ROW, HOME).agg(pl.len().alias("pairs"), *sums).collect(engine="streaming")
    homes = pl.col(HOME).sort().str.join("+").alias("homes")
    return found.group_by(ROW).agg(
        homes, pl.col("pairs").sum(), *(_summed_hash(HOME, step).alias(step) for step in STEPS)
    )


STEPS = {
    "templates": ("template",),
    "settings": ("template", "setting"),
    "texts": ("template", "setting", "prompt", "completion"),
}
"""What is compared one after the other."""


def _summed_hash(*columns: str) -> pl.Expr:
    """Of the low bits, so that a sum of millions stays in 64."""
    return (pl.struct(columns).hash() // 2**24).sum()


def _compared(a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    """Each row of either with its kind."""
    both = a.join(b, on=ROW, how="full", coalesce=True, suffix="_b")

    def other(column: str) -> pl.Expr:
        return pl.col(column) != pl.col(f"{column}_b")

    kind = (
        pl.when(pl.col("homes_b").is_null()).then(pl.lit("dropped"))
        .when(pl.col("homes").is_null()).then(pl.lit("new"))
        .when(other("homes")).then(pl.lit("moved"))
        .when(other("pairs")).then(pl.lit("number"))
        .when(other("templates")).then(pl.lit("template"))
        .when(other("settings")).then(pl.lit("setting"))
        .when(other("texts")).then(pl.lit("text"))
        .otherwise(pl.lit("same"))
    )  # fmt: skip
    return both.select(*ROW, "homes", "homes_b", kind.alias("kind"))


def _first(compared: pl.DataFrame, count: int) -> pl.DataFrame:
    """The first rows of each task and kind: shortest name first, so that 2 comes before 10."""
    changed = compared.filter(pl.col("kind") != "same")
    if not count:
        return changed.clear()
    ordered = changed.sort("task", "kind", "split", pl.col("row").str.len_bytes(), "row")
    return ordered.group_by("task", "kind", maintain_order=True).head(count).select(compared.columns)


def _examples(chosen: pl.DataFrame, a: Built, b: Built) -> Iterator[Example]:
    before, after = _chosen_pairs(chosen, a), _chosen_pairs(chosen, b)
    for row in chosen.iter_rows(named=True):
        key = (row["task"], row["split"], row["row"])
        yield Example(*key, row["kind"], before.get(key, []), after.get(key, []))


def _chosen_pairs(chosen: pl.DataFrame, built: Built) -> dict[tuple[str, str, str], list[Shown]]:
    columns = (HOME, "template", "setting", "prompt", "completion")
    with pairs_of(*built) as shards:
        mine = scan_pairs(built[0], shards).join(chosen.lazy().select(ROW), on=ROW, how="semi").select(*ROW, *columns)
        records = mine.collect(engine="streaming").sort(pl.all()).iter_rows()
    found: dict[tuple[str, str, str], list[Shown]] = {}
    for task, split, row, *shown in records:
        found.setdefault((task, split, row), []).append(Shown(*shown))
    return found
