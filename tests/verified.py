"""A built folder to tamper with, for the tests of `verify`: what is sound, and ways to make it other than it was."""

import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from conftest import SCRATCH
from small_task import built, claims, phrasings, recitals, verdicts
from test_mixture_overlap import mixture

from instruction_kit.build.commit import file_hash, write_frame, write_table
from instruction_kit.built.verify import verify
from instruction_kit.render.pair import PAIR_SCHEMA

TEXTS = {
    "verdict/ask": "{{ claim }}\n\nIs that so?\n\n{{ options }}\n|||\n{{ answer }}",
    "verdict/letter": "---\nstyle: letter\n---\n{{ claim }}\n\n{{ options }}\n|||\nI take {{ answer }}.",
    "verdict/invent": "Write a claim that is {{ answer }}.\n|||\n{{ claim }}",
    "recital/go_on": "Go on: {{ cue }}\n|||\n{{ answer }}",
}
TRAIN, VALIDATION, SEEN = (f"train/{split}-00000-of-00001.parquet" for split in ("train", "validation", "seen"))
OVERLAP = "overlap/overlap-00000-of-00001.parquet"
HELD, REJECTED = "held_out/held__test-00000-of-00001.parquet", "rejected/verdicts-00000-of-00001.parquet"


@functools.cache
def sound() -> Path:
    """Tasks of both roles, every kind of output, and rows that are skipped, rejected, removed and not drawn."""
    folder = SCRATCH / "verified"
    odd = {"id": ["c3", "bad", None, "skip"], "claim": ["Again.", " ", "Nameless.", "No."], "label": [0, 7, 1, -1]}
    rows = pl.concat([claims(60), pl.DataFrame(odd, schema=claims(1).schema)])
    tasks = [
        verdicts(rows, skip=pl.col("label") == -1),
        recitals(30, cluster="reciting"),
        verdicts({"test": claims(12, start=100)}, name="held", cluster="judged"),
    ]
    weights = {"zero_shot.options": 1, "zero_shot.no_options": 1, "zero_shot.no_options.inverted": 1}
    options = {"hold_out": ["judged"], "num_validation": 5, "num_examples_per_task": 40, "phrasings": 2}
    built(folder / "out", phrasings(folder / "paths", TEXTS), *tasks, settings=weights, **options)
    return folder / "out"


def copy_of(folder: Path, to: Path) -> Path:
    """The same folder once more."""
    return Path(shutil.copytree(folder, to))


def problems(folder: Path) -> list[str]:
    return list(verify(folder).problems)


def manifest(folder: Path, change: Callable[[Any], None]) -> None:
    """Change the manifest as plain data."""
    path = folder / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def rewrite(folder: Path, file: str, frame: pl.DataFrame) -> None:
    """Write other rows to a file, and its hash and number of rows to the manifest."""
    if file.startswith(("rejected", "overlap", "duplicates")):
        write_frame(folder / file, frame)
    else:
        write_table(folder / file, frame.to_arrow().cast(PAIR_SCHEMA))

    def change(content: Any) -> None:
        shard = next(shard for shard in content["shards"] if shard["path"] == file)
        shard["sha256"], before, shard["rows"] = file_hash(folder / file), shard["rows"], frame.height
        content["splits"][shard["config"]][shard["split"]] += frame.height - before

    manifest(folder, change)


def replace(folder: Path, file: str, number: int, /, **values: Any) -> str:
    """Give one row other values; the result is how a problem names the row."""
    frame = pl.read_parquet(folder / file)
    found = frame.row(number, named=True)
    rows = frame.to_dicts()
    rows[number] |= values
    rewrite(folder, file, pl.DataFrame(rows, schema=frame.schema))
    return f"{file} row {number} ({found['task']} {found['split']} {found['row']})"


def first(folder: Path, file: str, **values: Any) -> int:
    """Number of the first row with these values."""
    frame = pl.read_parquet(folder / file).with_row_index("number")
    return int(frame.filter(**values)["number"][0])


def dropped_overlap(folder: Path) -> Path:
    """Build a folder from which five training rows were dropped that share text with held-out rows."""
    mixture(folder, drop_overlap=True).build(folder / "cleaned")
    return folder / "cleaned"
