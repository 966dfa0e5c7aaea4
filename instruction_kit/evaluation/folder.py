"""The pairs of a built folder that are measured: a folder and a split go in, one frame comes out.

`held_out` is the measured split of every held-out task: its test rows, else its validation rows, else rows of train;
`choosing` its validation rows where test is measured. `seen` and `validation` are the trained tasks' rows of those
names. Only the manifest and the files that it lists are read; nothing is rendered again.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from instruction_kit.build.manifest import MANIFEST, Manifest, Shard, read_manifest
from instruction_kit.choice import keys, row_hashes, smallest
from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.report import CHOOSING, MeasuredSplit
from instruction_kit.template.parse import parse
from instruction_kit.template.template import Place, place_of

PAIRS = pl.Schema(
    {
        "task": pl.String(),
        "cluster": pl.String(),
        "template": pl.String(),
        "setting": pl.String(),
        "split": pl.String(),
        "row": pl.String(),
        "group": pl.String(),
        "round": pl.Int64(),
        "prompt": pl.String(),
        "completion": pl.String(),
        "options": pl.List(pl.String()),
        "references": pl.List(pl.String()),
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


def read_pairs(folder: str | Path, *, split: MeasuredSplit, rows_per_task: int | None = None) -> pl.DataFrame:
    """Read the pairs of one split, in the folder's order.

    Beside the columns of `PAIRS` stand `measured_split` and `metrics`, those that the task names. `rows_per_task` takes
    that many rows of every task, the same ones each time, under all their templates.

    Raises:
        BuildError: the folder is not built.
        EvaluationError: the split has no rows, or a file is not what the manifest says.

    """
    manifest = read_manifest(folder)
    shards = _shards(manifest, split)
    if not sum(shard.rows for shard in shards):
        raise EvaluationError(_nothing(folder, manifest, split))
    return _read(folder, manifest, shards, split, rows_per_task)


def read_choosing(folder: str | Path, *, rows_per_task: int | None = None) -> pl.DataFrame:
    """Read the rows on which a template of a held-out task may be chosen; none where there are none."""
    manifest = read_manifest(folder)
    measured = {shard.path for shard in _shards(manifest, "held_out")}
    others = [shard for shard in manifest.shards if shard.config == "held_out" and shard.path not in measured]
    return _read(folder, manifest, others, CHOOSING, rows_per_task)


def answer_places(folder: str | Path) -> dict[str, Place]:
    """Say of every answering template of a built folder where the answer stands in its output."""
    found = {}
    for name, record in read_manifest(folder).templates.items():
        output = parse(record.text, where=name).output
        if output is not None and (place := place_of(output)) is not None:
            found[name] = place
    return found


def _read(
    folder: str | Path, manifest: Manifest, shards: Sequence[Shard], split: str, rows_per_task: int | None
) -> pl.DataFrame:
    pairs = pl.concat([pl.DataFrame(schema=PAIRS), *(_read_shard(Path(folder), shard) for shard in shards)])
    if rows_per_task is not None:
        pairs = _first_rows(pairs, rows_per_task)
    metrics = {name: task.metrics for name, task in manifest.tasks.items()}
    named = pl.Series("metrics", [metrics.get(name, []) for name in pairs["task"]], dtype=pl.List(pl.String))
    return pairs.with_columns(pl.lit(split).alias("measured_split"), named)


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


def _first_rows(pairs: pl.DataFrame, count: int) -> pl.DataFrame:
    """Keep of every task the rows with the smallest keys: no template and no order has a say in it."""
    rows = pairs.select("task", "split", "row").unique().sort(pl.all())
    kept = [
        of_task[smallest(keys(row_hashes(of_task["row"].to_list()), "rows per task", of_task["task"][0]), count)]
        for of_task in rows.partition_by("task", maintain_order=True)
    ]
    if not kept:
        return pairs
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
