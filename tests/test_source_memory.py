"""What is held while a file is read does not grow with the file, in each format that allows it."""

import gzip
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from instruction_kit import Files
from instruction_kit.source import raw, row, text
from instruction_kit.source.raw import Where

ROWS, WIDTH, LIMIT = 4_000, 2_000, 2_000_000
"""Eight million characters, read while a quarter of them is held."""
WORDS = "x" * WIDTH


def lines():
    return f"{WORDS}\n" * ROWS


FORMATS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Callable[[], str]]]] = {
    "lines": ({"train": "a.txt"}, {}, {"a.txt": lines}),
    "packed": ({"train": "a.txt.gz"}, {}, {"a.txt.gz": lines}),
    "side by side": ({"train": {"en": "a.en", "de": "a.de"}}, {}, {"a.en": lines, "a.de": lines}),
    "blocks": ({"train": "a.conll"}, {}, {"a.conll": lambda: f"{WORDS}\n\n" * ROWS}),
    "csv": ({"train": "a.csv"}, {}, {"a.csv": lambda: "a\n" + f'"{WORDS}\n{WORDS}"\n' * (ROWS // 2)}),
    "tsv": ({"train": "a.tsv"}, {"quoting": "none"}, {"a.tsv": lambda: "a\tb\n" + f"1\t{WORDS}\n" * ROWS}),
    "jsonl": ({"train": "a.jsonl"}, {}, {"a.jsonl": lambda: (json.dumps({"a": WORDS, "n": [1]}) + "\n") * ROWS}),
    "xml": ({"train": "a.xml"}, {"records": "r"}, {"a.xml": lambda: f"<d>{f'<r><t>{WORDS}</t></r>' * ROWS}</d>"}),
}


def test_long_rows_are_held_fewer_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(row, "BATCH_SIZE", 5_000)
    monkeypatch.setattr(raw, "BATCH_SIZE", 5_000)
    rows = [{"text": "x" * 1_000, "n": [{"deep": "y" * 1_000}]}] * 10
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    table = pa.Table.from_pylist([{"text": "x" * 2_500} for _ in range(10)])
    pq.write_table(table, tmp_path / "a.parquet", use_dictionary=False, compression="none")
    with pa.ipc.new_file(tmp_path / "a.arrow", table.schema) as writer:
        writer.write_table(table)
    heights = {}
    for name in ("a.jsonl", "a.parquet", "a.arrow"):
        source = Files({"train": name})
        (part,) = source.ranges("train", Where(tmp_path))
        heights[name] = [batch.frame.height for batch in source.read(part, Where(tmp_path), None)]
    assert heights["a.jsonl"] == [3, 3, 3, 1]
    assert [sum(heights[name]) for name in heights] == [10, 10, 10]
    assert max(heights["a.parquet"]) <= 2
    assert max(heights["a.arrow"]) <= 2


@pytest.mark.parametrize("name", FORMATS)
def test_memory_stays_flat(name, tmp_path, monkeypatch):
    monkeypatch.setattr(row, "BATCH_ROWS", 50)
    monkeypatch.setattr(text, "MAX_LINE_CHARS", 10_000)  # a reader of lines takes a buffer of that size
    splits, options, files = FORMATS[name]
    for file, written in files.items():
        data = written().encode()
        (tmp_path / file).write_bytes(gzip.compress(data) if file.endswith(".gz") else data)
    source = Files(splits, **options)
    (part,) = source.ranges("train", Where(tmp_path))
    next(source.read(part, Where(tmp_path), None))  # loads what is loaded once
    tracemalloc.start()
    counts = [batch.frame.height for batch in source.read(part, Where(tmp_path), None)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(counts) in (ROWS, ROWS // 2)
    assert max(counts) <= 50
    assert peak < LIMIT
