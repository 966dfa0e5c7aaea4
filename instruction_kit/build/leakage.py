"""What the training rows of a mixture share with its held-out rows.

In: the mixture, its scans and the held-out rows that are drawn. Out: the matches, and the training rows that they take
out where the mixture says so. Only fields are compared, as the scans wrote them; no template has touched them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from instruction_kit.build.grams import normalised, signs
from instruction_kit.build.hit import ROW as ROW_NAME
from instruction_kit.build.hit import TEXTS
from instruction_kit.build.overlap import MATCHES, overlaps
from instruction_kit.build.rowid import ROW
from instruction_kit.build.scan import Scan
from instruction_kit.build.texts import answer_fields, batches, option_fields, texts

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

SCAN, POS = "_scan", "_pos"
"""Columns that say where a row lies: the scan's number in its split, and the place in its examples."""
SHORT_CHARACTERS = 200
"""No text of fewer than 8 words is longer, but for one of huge words, of which the words say enough."""
OVERLAP = "it shares text with a held-out row"
"""The reason in the ledger."""


def leaks(mixture: "Mixture", scans: Sequence[Scan], held: Mapping[tuple[str, str], pl.DataFrame]) -> pl.DataFrame:
    """Every training row that shares text with a held-out row, of the layout `MATCHES`.

    Args:
        mixture: says which tasks train.
        scans: all scans of the mixture.
        held: the drawn rows of each (task, split) that is measured.

    """
    measured = [part for (task, split), rows in held.items() for part in _held(mixture, scans, task, split, rows)]
    looked_for = mixture.held_out.training and (mixture.find_overlap or mixture.drop_overlap)
    if not measured or not looked_for:
        return pl.DataFrame(schema=MATCHES)
    trained = [scan for scan in scans if scan.unit.split == "train" and scan.unit.task in mixture.held_out.training]
    return overlaps((part for scan in trained for part in _texts(mixture, scan)), pl.concat(measured))


def _held(
    mixture: "Mixture", scans: Sequence[Scan], task: str, split: str, rows: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    for scan in scans:
        mine = rows.filter(pl.col(SCAN) == scan.unit.number)[POS].sort().to_list()
        if (scan.unit.task, scan.unit.split) == (task, split) and mine:
            yield _long(pl.read_parquet(scan.examples)[mine], mixture, scan)


def _texts(mixture: "Mixture", scan: Scan) -> Iterator[pl.DataFrame]:
    return (_long(batch, mixture, scan) for batch in batches(scan.examples))


def _long(examples: pl.DataFrame, mixture: "Mixture", scan: Scan) -> pl.DataFrame:
    """A line for each text of each row, and one for all of its input."""
    schema = mixture.chosen[scan.unit.task].schema
    answering, made = answer_fields(schema), texts(examples, schema)
    task, split = pl.lit(scan.unit.task), pl.lit(scan.unit.split)
    fields = {name: made.select(task=task, split=split, row=examples[ROW], **_compared(name)) for name in made.columns}
    inputs = [frame for name, frame in fields.items() if name not in answering]
    lines = [
        frame.with_columns(
            answer=pl.lit(name in answering), alone=pl.lit(name not in answering | option_fields(schema))
        )
        for name, frame in fields.items()
    ]
    if inputs:
        joined = {name: _joined([frame[name] for frame in inputs]) for name in ("text", "signs")}
        whole = inputs[0].with_columns(
            **joined, field=pl.lit("*"), answer=pl.lit(value=False), alone=pl.lit(value=True)
        )
        lines.append(whole)
    about = _about(next(iter(fields.values())), [fields[name] for name in schema.shortenable() if name in fields])
    lines = [line.with_columns(about) for line in lines]
    return pl.concat(line.select(list(TEXTS)).cast(TEXTS) for line in lines).filter(pl.col("text") != "")


def _about(rows: pl.DataFrame, long: Sequence[pl.DataFrame]) -> pl.Series:
    """What each row is about, as `group_of` tells it: the first of its long texts that it has; else itself."""
    texts = rows.select(*ROW_NAME, *(frame["text"].replace("", None).alias(f"{at}") for at, frame in enumerate(long)))
    own = [pl.col(f"{at}").hash(seed=0) for at in range(len(long))]
    there = [pl.when(pl.col(f"{at}").is_not_null()).then(hashed) for at, hashed in enumerate(own)]
    return texts.select(about=pl.coalesce(*there, pl.struct(ROW_NAME).hash(seed=0))).to_series()


def _compared(name: str) -> dict[str, pl.Expr]:
    """A field's words; its signs only where the text may be short, since a long one is compared by its words alone."""
    text = pl.col(name)
    short = pl.when(text.str.len_chars() <= SHORT_CHARACTERS).then(text)
    return {"field": pl.lit(name), "text": normalised(text), "signs": signs(short).fill_null("")}


def _joined(parts: Sequence[pl.Series]) -> pl.Series:
    whole = pl.select(pl.concat_str(parts, separator=" ")).to_series()
    return whole.str.replace_all(" +", " ").str.strip_chars()


def summary(found: pl.DataFrame) -> dict[str, dict[str, dict[str, int]]]:
    """Held-out task -> training task -> kind of match -> training rows."""
    told: dict[str, dict[str, dict[str, int]]] = {}
    counts = found.group_by("held_out_task", "task", "kind").len().sort("held_out_task", "task", "kind")
    for held, task, kind, rows in counts.iter_rows():
        told.setdefault(held, {}).setdefault(task, {})[kind] = rows
    return told
