"""The pairs of a built folder that are measured: a folder and a split go in, one frame comes out.

`held_out` is the measured split of every held-out task: its test rows, else its validation rows, else rows of train.
`seen` and `validation` are the trained tasks' rows of those names. Only the manifest and the files that it lists are
read; nothing is rendered again.
"""

from pathlib import Path

import polars as pl

from instruction_kit.build.manifest import MANIFEST, Manifest, Shard, read_manifest
from instruction_kit.choice import keys, row_hashes, smallest
from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.report import MeasuredSplit

PAIRS = pl.Schema(
    {
        "task": pl.String(),
        "cluster": pl.String(),
        "template": pl.String(),
        "setting": pl.String(),
        "split": pl.String(),
        "row": pl.String(),
        "round": pl.Int64(),
        "prompt": pl.String(),
        "completion": pl.String(),
        "candidates": pl.List(pl.String()),
        "gold": pl.List(pl.Int64()),
        "inverted": pl.Boolean(),
        "question_start": pl.Int64(),
        "exemplars": pl.List(pl.Struct({"row": pl.String(), "prompt": pl.String(), "completion": pl.String()})),
        "turns": pl.List(pl.Struct({"role": pl.String(), "content": pl.String()})),
    }
)
"""What measuring needs of a built folder; `split` is the source's, and with `task` and `row` it names a row."""

ORDER = ("test", "validation", "train")
"""Of a held-out task's splits the first that is there is measured."""


def read_pairs(folder: str | Path, *, split: MeasuredSplit, max_rows: int | None = None) -> pl.DataFrame:
    """Read the pairs of one split, in the folder's order, with `measured_split` beside the columns of `PAIRS`.

    `max_rows` takes that many rows of every task, the same ones each time, under all their templates.

    Raises:
        BuildError: the folder is not built.
        EvaluationError: the split has no rows, or a file is not what the manifest says.

    """
    manifest = read_manifest(folder)
    shards = _shards(manifest, split)
    if not sum(shard.rows for shard in shards):
        raise EvaluationError(_nothing(folder, manifest, split))
    pairs = pl.concat([_read_shard(Path(folder), shard) for shard in shards])
    if max_rows is not None:
        pairs = _first_rows(pairs, max_rows)
    return pairs.with_columns(pl.lit(split).alias("measured_split"))


def _shards(manifest: Manifest, split: MeasuredSplit) -> list[Shard]:
    if split != "held_out":
        return [shard for shard in manifest.shards if shard.config == "train" and shard.split == split]
    by_split: dict[str, list[Shard]] = {}
    for shard in manifest.shards:
        if shard.config == "held_out" and shard.rows:
            by_split.setdefault(shard.split, []).append(shard)
    tasks = sorted({name.rpartition("__")[0] for name in by_split})
    measured = [next(name for split in ORDER if (name := f"{task}__{split}") in by_split) for task in tasks]
    return [shard for name in measured for shard in by_split[name]]


def _read_shard(folder: Path, shard: Shard) -> pl.DataFrame:
    path = folder / shard.path
    if not path.is_file():
        raise EvaluationError(f"{path}: {MANIFEST} lists this file and it is not there; build the mixture again")
    found = pl.read_parquet_schema(path)
    missing = [name for name, dtype in PAIRS.items() if found.get(name) != dtype]
    if missing:
        raise EvaluationError(
            f"{path}: columns that are missing or of another type: {', '.join(missing)}; "
            "the folder is of another version, build the mixture again into an empty folder"
        )
    pairs = pl.read_parquet(path, columns=list(PAIRS)).select(PAIRS.names())
    if pairs.height != shard.rows:
        raise EvaluationError(
            f"{path}: {pairs.height} rows, {MANIFEST} says {shard.rows}; it was changed after the build, build it again"
        )
    return pairs


def _first_rows(pairs: pl.DataFrame, max_rows: int) -> pl.DataFrame:
    """Keep of every task the rows with the smallest keys: no template and no order has a say in it."""
    rows = pairs.select("task", "split", "row").unique().sort(pl.all())
    kept = [
        of_task[smallest(keys(row_hashes(of_task["row"].to_list()), "max_rows", of_task["task"][0]), max_rows)]
        for of_task in rows.partition_by("task", maintain_order=True)
    ]
    return pairs.join(pl.concat(kept), on=["task", "split", "row"], how="semi", maintain_order="left")


def _nothing(folder: str | Path, manifest: Manifest, split: MeasuredSplit) -> str:
    """Say why there is nothing to measure, and what would be."""
    there = {
        "held_out": any(manifest.splits.get("held_out", {}).values()),
        "seen": bool(manifest.splits.get("train", {}).get("seen")),
        "validation": bool(manifest.splits.get("train", {}).get("validation")),
    }
    why = {
        "held_out": "this mixture holds out no task with rows: name clusters or tasks in its `hold_out`",
        "seen": "it was built without them: build it with `num_validation` above 0",
        "validation": "it was built without them: build it with `num_validation` above 0",
    }[split]
    others = [f"--split {name}" for name, has_rows in there.items() if has_rows]
    return (
        f"{folder}: split {split} has no rows; {why}; there is {' and '.join(others) if others else 'no other split'}"
    )
