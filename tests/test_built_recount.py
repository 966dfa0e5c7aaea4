"""`verify`, counted again: what the manifest and its two ledgers say is what the files hold."""

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from verified import HELD, OVERLAP, REJECTED, copy_of, dropped_overlap, manifest, problems, rewrite, sound


@pytest.fixture
def folder(tmp_path) -> Path:
    """A copy to tamper with."""
    return copy_of(sound(), tmp_path / "out")


def ledger(content: Any, task: str = "verdicts", split: str = "train") -> Any:
    return content["tasks"][task]["splits"][split]["ledger"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda m: ledger(m).update(read=65),
            r"verdicts train: read 65 is not used \d+ \+ not drawn \d+ \+ skipped 1 \+ rejected 2 \+ removed 1 = 64",
        ),
        (
            lambda m: ledger(m).update(used=ledger(m)["used"] - 1, not_drawn=ledger(m)["not_drawn"] + 1),
            r"verdicts train: used 44, its pairs are of 45 rows",
        ),
        (lambda m: ledger(m).update(skipped=-1), r"verdicts train: skipped is -1"),
        (
            lambda m: ledger(m)["rejected"].update({"key: missing": 2}),
            r"verdicts train: lost 2 rows for 'key: missing', its file of rejected rows has between 0 and 1",
        ),
        (
            lambda m: ledger(m).update(rejected={"claim: missing": 1, "key: missing": 1}),
            r"verdicts train: lost 1 rows for 'claim: missing', its file of rejected rows has 0",
        ),
        (lambda m: ledger(m)["pairs"].update(train=1), r"verdicts train: pairs train: 1, its files have \d+"),
        (lambda m: ledger(m, "held", "test")["pairs"].update(held__test=1), r"held test: pairs held__test: 1, .* 24"),
        (
            lambda m: m["tasks"]["recitals"]["settings"].update({"zero_shot.options": 3}),
            r"recitals: pairs of setting zero_shot.options: 3, its files have \d+",
        ),
        (
            lambda m: m["tasks"]["recitals"]["templates"].update({"recital/other": 3}),
            r"recitals: pairs of template recital/other: 3, its files have 0",
        ),
        (
            lambda m: m["tasks"]["recitals"].update(realised_share=0.5),
            r"recitals: realised_share 0.500000, its training pairs are 0\.\d+ of all",
        ),
        (lambda m: m["splits"]["train"].update(train=7), r"train train: says 7 rows, its shards have \d+"),
        (lambda m: m["splits"]["train"].pop("seen"), r"train seen: says no rows, its shards have \d+"),
        (lambda m: m["shards"].append(m["shards"][0]), r"lists train/.*\.parquet more than once"),
        (lambda m: m["mixture"].update(seed=7), r"its fingerprint is not that of its mixture and inputs"),
        (lambda m: m["inputs"].update(code="7"), r"its fingerprint is not that of its mixture and inputs"),
        (
            lambda m: m["templates"]["verdict/ask"].update(text="{{ claim }}\n|||\n{{ answer }}"),
            r"the text of template verdict/ask is not that of its hash",
        ),
        (
            lambda m: m["templates"]["verdict/ask"].update(text="{{ claim"),
            r"the text of template verdict/ask cannot be parsed: verdict/ask:1: .*",
        ),
    ],
)  # fmt: skip
def test_each_thing_that_is_wrong_in_the_manifest_is_named(change, told, folder):
    manifest(folder, change)
    lines = [line.removeprefix("manifest.json: ") for line in problems(folder)]
    assert [line for line in lines if re.fullmatch(told, line)], lines


def test_a_line_that_is_gone_from_the_rejected_rows_is_missed(folder):
    rewrite(folder, REJECTED, pl.read_parquet(folder / REJECTED).filter(pl.col("row").is_null()))
    assert problems(folder) == [
        "manifest.json: verdicts train: lost 1 rows for 'label: not one of the labels', its file of rejected rows has 0"
    ]


def test_a_pair_that_was_taken_out_is_missed_in_every_ledger_that_counted_it(folder):
    frame = pl.read_parquet(folder / HELD)
    rewrite(folder, HELD, frame.filter(pl.col("row") != frame["row"][0]))
    assert problems(folder) == [
        "manifest.json: held test: pairs held__test: 24, its files have 22",
        "manifest.json: held test: used 12, its pairs are of 11 rows",
        "manifest.json: held: pairs of setting zero_shot.options: 24, its files have 22",
        "manifest.json: held: pairs of template verdict/ask: 12, its files have 11",
        "manifest.json: held: pairs of template verdict/letter: 12, its files have 11",
    ]


def test_a_match_that_is_gone_is_missed(tmp_path):
    cleaned = dropped_overlap(tmp_path)
    rewrite(cleaned, OVERLAP, pl.read_parquet(cleaned / OVERLAP).head(4))
    assert problems(cleaned) == [
        "manifest.json: overlap held trained exact: 5, its files have 4",
        (
            "manifest.json: trained train: removed 5 rows for 'it shares text with a held-out row', "
            "its file of overlaps has 4"
        ),
    ]
