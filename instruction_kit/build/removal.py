"""Training rows that are copies of other training rows, of whatever task: found and taken out before the draw.

In: the mixture, its scans and the rows that may be drawn. Out: each copy with the row that stays in its place. Only
fields are compared, as the scans wrote them, and only of rows of one schema. Which of several copies stays is a choice
by hash, so neither the order of tasks nor that of rows decides it, and no task loses all to another.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from instruction_kit import choice
from instruction_kit.build.duplicate import KEY, KIND, NUMBER, copies
from instruction_kit.build.leakage import POS, SCAN
from instruction_kit.build.rowid import HASH, ROW
from instruction_kit.build.scan import Scan
from instruction_kit.build.texts import answer_field, batches, squeezed, texts

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture
    from instruction_kit.schema.schema import Schema

REMOVED = {"exact": "another training row is the same", "near": "another training row is nearly the same"}
"""Kind of copy -> the reason in the ledger."""
TRAIN = "train"
_NAMES = ("task", "split", "row")
DUPLICATES = pl.Schema(
    {
        **dict.fromkeys((*_NAMES, "kind"), pl.String()),
        "similarity": pl.Float64(),
        **{f"kept_{name}": pl.String() for name in _NAMES},
    }
)
"""`duplicates/*.parquet`: a row that was taken out, how it is a copy, and the row that stays."""


def duplicates(
    mixture: "Mixture", scans: Sequence[Scan], frames: Mapping[tuple[str, str], pl.DataFrame]
) -> pl.DataFrame:
    """Every training row that is to be taken out, of the layout `DUPLICATES`."""
    if mixture.drop_duplicates == "none" or not mixture.held_out.training:
        return pl.DataFrame(schema=DUPLICATES)
    parts = [_of_task(mixture, name, frames[name, TRAIN]) for name in sorted(mixture.held_out.training)]
    rows = pl.concat(parts).with_row_index(NUMBER).with_columns(pl.col(NUMBER).cast(pl.Int64))
    places = rows.sort(POS).partition_by("task", SCAN, as_dict=True)
    mine = [(scan, places.get((scan.unit.task, scan.unit.number))) for scan in scans if scan.unit.split == TRAIN]
    found = copies(
        lambda: (part for scan, own in mine if own is not None for part in _texts(mixture, scan, own)),
        near=mixture.drop_duplicates == "near",
    )
    names = rows.select(NUMBER, *_NAMES)
    told = found.join(names, left_on="copy", right_on=NUMBER)
    kept = names.rename({name: f"kept_{name}" for name in _NAMES})
    return told.join(kept, left_on="of", right_on=NUMBER).select(list(DUPLICATES)).sort(*_NAMES)


def _of_task(mixture: "Mixture", name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of one task, each with its turn."""
    order = choice.keys(frame[HASH].to_numpy(), mixture.seed, "duplicate", name)
    origin = {"task": pl.lit(name), "split": pl.lit(TRAIN), "row": pl.col(ROW)}
    return frame.select(SCAN, POS, **origin, **{KEY: pl.Series(order)})


def _texts(mixture: "Mixture", scan: Scan, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows of one scan that may be drawn, in the order of their places."""
    schema, places, start = mixture.chosen[scan.unit.task].schema, rows[POS].to_numpy(), 0
    for batch in batches(scan.examples):
        low, high = np.searchsorted(places, (start, start + batch.height)).tolist()
        here = rows[low:high]
        yield _compared(batch[(here[POS] - start).to_list()], schema).with_columns(here[NUMBER], here[KEY])
        start += batch.height


def _compared(examples: pl.DataFrame, schema: "type[Schema]") -> pl.DataFrame:
    """Each field that may be nearly the same; in one column all that must be equal: schema, answer, what is no text."""
    said = texts(examples, schema).select(squeezed(pl.all()))
    answer = [name for name in (answer_field(schema),) if name in said.columns]
    others = examples.drop(ROW, HASH, *said.columns)
    name = pl.lit(f"{schema.__module__}.{schema.__qualname__}").alias("*schema")
    equal = pl.concat([said.select(answer), others], how="horizontal").select(pl.struct(name, pl.all()))
    return said.drop(answer).with_columns(equal.to_series().struct.json_encode().alias(KIND))


def summary(found: pl.DataFrame) -> dict[str, dict[str, dict[str, int]]]:
    """Task -> task of the row that stays -> kind of copy -> rows."""
    told: dict[str, dict[str, dict[str, int]]] = {}
    counts = found.group_by("task", "kept_task", "kind").len().sort("task", "kept_task", "kind")
    for task, kept, kind, rows in counts.iter_rows():
        told.setdefault(task, {}).setdefault(kept, {})[kind] = rows
    return told
