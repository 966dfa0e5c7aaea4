"""Draw: which rows are used, how often and for what; over keys, hashes and counts alone.

In: the scans of every task. Out: for each scan a frame of drawn rows with their role. Membership takes the smallest
keys under a hash of (seed, name of the choice, task, split, row id), so one more row displaces at most one, and no task
moves another.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from instruction_kit import choice
from instruction_kit.build.leakage import OVERLAP, POS, SCAN, leaks
from instruction_kit.build.plan import mean_tokens
from instruction_kit.build.quota import Quota, num_carved, quotas
from instruction_kit.build.removal import REMOVED, duplicates
from instruction_kit.build.rowid import HASH, ROW
from instruction_kit.build.scan import Scan, sizes_of
from instruction_kit.build.size import expected_tokens
from instruction_kit.errors import MixtureError
from instruction_kit.render.setting import parse_setting

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

Role = Literal["train", "validation", "seen", "held_out"]
ROLES: tuple[Role, ...] = ("train", "validation", "seen", "held_out")
ROLE, PAIRS = "role", "pairs"
"""Columns of drawn frames beside those of places: role, and for train the pairs to render."""

MAX_POOL = 1_000
"""Rows of a task from which exemplars are taken."""
UNSEEN: tuple[Role, ...] = ("validation", "held_out")
"""Roles of rows that no training prompt may show."""

DRAWN_SCHEMA = {POS: pl.Int64(), ROW: pl.String(), HASH: pl.UInt64(), ROLE: pl.String(), PAIRS: pl.Int64()}
POOL_SCHEMA = {ROW: pl.String(), HASH: pl.UInt64(), SCAN: pl.Int64(), POS: pl.Int64()}
_NO_ROWS = pl.DataFrame(schema=POOL_SCHEMA)


@dataclass(frozen=True)
class Drawn:
    """The draw of one mixture."""

    rows: Mapping[str, pl.DataFrame]
    """Scan key -> its drawn rows."""
    quotas: Mapping[str, Quota]
    same_key: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(task, split) -> rows whose key another row before them has."""
    overlap: pl.DataFrame = field(default_factory=pl.DataFrame)
    """Training rows that share text with held-out rows, as `instruction_kit.build.overlap` lays them out."""
    dropped_overlap: bool = False
    """Whether those were taken out."""
    duplicates: pl.DataFrame = field(default_factory=pl.DataFrame)
    """Training rows that were taken out as copies, as `instruction_kit.build.removal` lays them out."""
    pools: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    """Task -> the rows that its exemplars come from; only of tasks that show some."""
    tokens: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Training task -> setting -> tokens that a pair is expected to have."""


def draw(mixture: "Mixture", scans: Sequence[Scan]) -> Drawn:
    """Fix the used rows of every task.

    Raises:
        MixtureError: a task that trains or is measured has no row left, or quotas cannot be met.

    """
    frames, same_key = _frames(scans)
    held = mixture.held_out
    _check_rows(mixture, frames, scans)
    measured = {}
    for name in held.measured:
        split = _measured_split(mixture, name)
        measured[name, split] = _smallest(
            frames[name, split], mixture.num_held_out, mixture.seed, "held out", name, split
        )
        choosing = frames.get((name, "validation"), _NO_ROWS)
        if split == "test" and choosing.height:  # what a template is chosen on that is then measured on test
            measured[name, "validation"] = _smallest(
                choosing, mixture.num_validation, mixture.seed, "held out", name, "validation"
            )
    overlap = leaks(mixture, scans, measured)
    if mixture.drop_overlap:
        frames = _without(frames, overlap)
    copies = duplicates(mixture, scans, frames)
    frames = _without(frames, copies)
    _check_rows(mixture, frames, scans, _taken(overlap if mixture.drop_overlap else overlap.clear(), copies))
    drawn: list[tuple[tuple[str, str], pl.DataFrame]] = []
    pools = {}
    for name in held.training:
        validation, pool = _validation(mixture, name, frames)
        drawn.append((validation[0], _with_role(validation[1], "validation")))
        pools[name] = pool
    tokens = {name: expected_tokens(mixture, name, sizes_of(_training(scans, name))) for name in pools}
    made = quotas(mixture, {name: pool.height for name, pool in pools.items()}, mean_tokens(mixture, tokens))
    for name, pool in pools.items():
        used = _uses(mixture, name, pool, made[name])
        seen = _smallest(used, mixture.num_validation, mixture.seed, "seen", name)
        drawn += [((name, "train"), _with_role(used, "train")), ((name, "train"), _with_role(seen, "seen"))]
    drawn += [(key, _with_role(rows, "held_out")) for key, rows in measured.items()]
    exemplars = {name: _exemplars(mixture, name, frames, drawn) for name in showing(mixture)}
    return Drawn(_by_scan(scans, drawn), made, same_key, overlap, mixture.drop_overlap, copies, exemplars, tokens)


def _training(scans: Sequence[Scan], name: str) -> list[Scan]:
    return [scan for scan in scans if (scan.unit.task, scan.unit.split) == (name, "train")]


def _without(
    frames: Mapping[tuple[str, str], pl.DataFrame], taken: pl.DataFrame
) -> dict[tuple[str, str], pl.DataFrame]:
    """Less the rows that are taken out."""
    gone = {key: frame[ROW] for key, frame in taken.partition_by("task", "split", as_dict=True).items()}
    return {
        key: frame.filter(~pl.col(ROW).is_in(gone[key].implode())) if key in gone else frame
        for key, frame in frames.items()
    }


def showing(mixture: "Mixture") -> list[str]:
    """Tasks that show exemplars: those that are measured do so in the settings in which they are."""
    measured = any(parse_setting(key).few_shot for key in mixture.held_out_settings)
    trained = [
        name
        for name in mixture.held_out.training
        if measured or any(parse_setting(key).few_shot for key in mixture.part(name).settings)
    ]
    return [*trained, *(mixture.held_out.measured if measured else ())]


def _exemplars(
    mixture: "Mixture",
    name: str,
    frames: Mapping[tuple[str, str], pl.DataFrame],
    drawn: Sequence[tuple[tuple[str, str], pl.DataFrame]],
) -> pl.DataFrame:
    """Rows that are not measured, whether they are trained on or not."""
    of = (name, mixture.chosen[name].exemplar_split(mixture.data))
    theirs = frames.get(of, _NO_ROWS)
    measured = [frame for key, frame in drawn if key == of]
    rows = pl.concat([_NO_ROWS.select(ROW), *(f.filter(pl.col(ROLE).is_in(UNSEEN)).select(ROW) for f in measured)])
    free = theirs.join(rows, on=ROW, how="anti", maintain_order="left")
    return _smallest(free, MAX_POOL, mixture.seed, "exemplar pool", name)


def _measured_split(mixture: "Mixture", name: str) -> str:
    task = mixture.chosen[name]
    there = task.reading(mixture.data).split_names
    if task.measured_split in there:
        return task.measured_split
    return next(split for split in ("test", "validation", "train") if split in there)


def _frames(scans: Sequence[Scan]) -> tuple[dict[tuple[str, str], pl.DataFrame], dict[tuple[str, str], int]]:
    """Keys and hashes of all accepted rows by task and split; of rows with one key the first counts."""
    parts: dict[tuple[str, str], list[pl.DataFrame]] = {}
    for scan in scans:
        keys = pl.read_parquet(scan.examples, columns=[ROW, HASH])
        place = keys.with_columns(
            pl.lit(scan.unit.number, dtype=pl.Int64).alias(SCAN), pl.int_range(pl.len(), dtype=pl.Int64).alias(POS)
        )
        parts.setdefault((scan.unit.task, scan.unit.split), []).append(place)
    whole = {key: pl.concat(frames) for key, frames in parts.items()}
    unique = {key: frame.unique(ROW, keep="first", maintain_order=True) for key, frame in whole.items()}
    return unique, {key: whole[key].height - unique[key].height for key in whole}


def _taken(overlap: pl.DataFrame, copies: pl.DataFrame) -> Counter[tuple[str, str]]:
    """(task, reason) -> rows that were taken out."""
    return Counter(
        [*((task, OVERLAP) for task in overlap["task"]), *((t, REMOVED[k]) for t, k in copies[["task", "kind"]].rows())]
    )


def _check_rows(
    mixture: "Mixture",
    frames: Mapping[tuple[str, str], pl.DataFrame],
    scans: Sequence[Scan],
    taken: Mapping[tuple[str, str], int] = MappingProxyType({}),
) -> None:
    needed = [(name, "train") for name in mixture.held_out.training]
    needed += [(name, _measured_split(mixture, name)) for name in mixture.held_out.measured]
    for name, split in needed:
        if frames[name, split].height == 0:
            mine = [scan for scan in scans if (scan.unit.task, scan.unit.split) == (name, split)]
            reasons = [f"{count} x {why}" for scan in mine for why, count in scan.rejected.items()]
            reasons = [f"{count} x {why}" for (task, why), count in taken.items() if task == name] + reasons
            skipped = sum(scan.skipped for scan in mine)
            told = "; ".join([*reasons[:5], *([f"{skipped} skipped"] if skipped else [])]) or "the source has none"
            raise MixtureError(
                f"task {name}: no row of {split} can be used ({told}{_shown(mine)}); mend the task, or take it out"
            )


def _shown(scans: Sequence[Scan]) -> str:
    """A value that was refused, for the reader to see."""
    for scan in scans:
        values = pl.read_parquet(scan.folder / "rejected.parquet")["value"].drop_nulls()
        if values.len():
            return f", for example {values[0]!r}"
    return ""


def _validation(
    mixture: "Mixture", name: str, frames: Mapping[tuple[str, str], pl.DataFrame]
) -> tuple[tuple[tuple[str, str], pl.DataFrame], pl.DataFrame]:
    """The source's own validation rows, else some of train; and the rows that are left to train on.

    Rows of train are used from one end of the order of their keys and held back from the other, so that a row which is
    put out of one of the two never takes another one's place in the other.
    """
    train = frames[name, "train"]
    own = frames.get((name, "validation"))
    if own is not None:
        return ((name, "validation"), _smallest(own, mixture.num_validation, mixture.seed, "validation", name)), train
    ordered = _smallest(train, train.height, mixture.seed, "use", name)
    left = train.height - num_carved(mixture, name, train.height)
    return ((name, "train"), ordered[left:]), ordered[:left]


def _smallest(frame: pl.DataFrame, count: int, seed: int, *name: str) -> pl.DataFrame:
    order = choice.keys(frame[HASH].to_numpy(), seed, *name)
    return frame[choice.smallest(order, count)]


def _uses(mixture: "Mixture", name: str, pool: pl.DataFrame, quota: Quota) -> pl.DataFrame:
    """The pool in key order, each row with the pairs that it gives over all rounds."""
    ordered = _smallest(pool, quota.pool, mixture.seed, "use", name)
    whole, rest = divmod(quota.pairs, quota.each * quota.pool) if quota.pool else (0, 0)
    pairs = np.full(quota.pool, whole * quota.each)
    full, part = divmod(rest, quota.each)
    pairs[:full] += quota.each
    if part:
        pairs[full] += part
    return ordered.with_columns(pl.Series(PAIRS, pairs, dtype=pl.Int64)).filter(pl.col(PAIRS) > 0)


def _with_role(frame: pl.DataFrame, role: Role) -> pl.DataFrame:
    pairs = pl.col(PAIRS) if role == "train" else pl.lit(0, dtype=pl.Int64)
    return frame.select(SCAN, POS, ROW, HASH, pl.lit(role).alias(ROLE), pairs.alias(PAIRS))


def _by_scan(scans: Sequence[Scan], drawn: Sequence[tuple[tuple[str, str], pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    found = {}
    for scan in scans:
        mine = [
            f.filter(pl.col(SCAN) == scan.unit.number) for key, f in drawn if key == (scan.unit.task, scan.unit.split)
        ]
        frame = pl.concat(mine).drop(SCAN) if mine else pl.DataFrame(schema=DRAWN_SCHEMA)
        found[scan.unit.key] = frame.sort(POS, ROLE)
    return found
