"""Batches: types are settled by all rows of a file; what cannot be read says where it stands and what stood there."""

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import rows_of

from instruction_kit import Files, Task, labels
from instruction_kit.build.scan import scan, scan_units
from instruction_kit.build.unit import valid
from instruction_kit.schema import Classification
from instruction_kit.source import row
from instruction_kit.source.raw import MAX_SHOWN_CHARS, Problem, Where

PLAIN = "if quotes are plain characters here, state quoting='none'"


def problems(folder, source):
    parts = source.ranges("train", Where(folder))
    return [
        problem
        for part in parts
        for batch in valid(source.read(part, Where(folder), None))
        for problem in batch.problems
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_the_type_of_a_column_does_not_depend_on_which_rows_come_first(name, size, tmp_path, monkeypatch):
    values = [None, 1, 0.5, 0.25, "x", {"k": 1}, 0.125]
    rows: list[dict[str, Any]] = [{"a": value, "n": {"deep": [number]}} for number, value in enumerate(values)]
    rows[6]["n"] = {"late": True}
    text = json.dumps(rows) if name == "a.json" else "".join(json.dumps(r) + "\n" for r in rows)
    (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(row, "BATCH_ROWS", size)
    found, rejected = rows_of(Files({"train": name}), tmp_path)
    assert [r["a"] for r in found] == [None, 1.0, 0.5, 0.25, 0.125]
    assert found[0]["n"] == {"deep": [0], "late": None}
    assert rejected == [
        (4, "a is text here and a fraction in other rows"),
        (5, "a is an object here and a fraction in other rows"),
    ]


def test_keys_that_come_late_are_there_from_then_on(tmp_path, monkeypatch):
    monkeypatch.setattr(row, "BATCH_ROWS", 2)
    rows = [{"a": {"x": 1}}, {"a": {"y": "t"}}, {"a": {"z": [1.5]}}, {}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    source = Files({"train": "a.jsonl"})
    (part,) = source.ranges("train", Where(tmp_path))
    read: list[str] = []
    for batch in source.read(part, Where(tmp_path), None):
        read += [str(batch.frame.schema["a"])]
    assert read == ["Struct({'x': Int64, 'y': String})", "Struct({'x': Int64, 'y': String, 'z': List(Float64)})"]


JSON = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(0, 1) | st.text(max_size=2)
NESTED = JSON | st.lists(JSON, max_size=2) | st.dictionaries(st.sampled_from("ab"), JSON, max_size=2)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(NESTED, max_size=8), size=st.integers(1, 8))
def test_the_size_of_batches_changes_neither_rows_nor_problems(values, size, tmp_path):
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"v": v}) + "\n" for v in values), encoding="utf-8")
    source = Files({"train": "a.jsonl"})
    whole = rows_of(source, tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row, "BATCH_ROWS", size)
        rows, problems = rows_of(source, tmp_path)
    assert problems == whole[1]
    assert without_null(rows) == without_null(whole[0])


def without_null(value: Any) -> Any:
    """A key that no row of a batch has is not in its frame."""
    if isinstance(value, dict):
        return {key: without_null(held) for key, held in value.items() if held is not None}
    return [without_null(item) for item in value] if isinstance(value, list) else value


def test_a_file_of_one_kind_in_each_place_is_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(row, "BATCH_ROWS", 2)
    monkeypatch.setattr(row, "_settled", None)
    (tmp_path / "a.jsonl").write_text('{"a": 1, "b": null}\n' * 5 + '{"a": null, "b": ["x"]}\n', encoding="utf-8")
    assert len(rows_of(Files({"train": "a.jsonl"}), tmp_path)[0]) == 6


def test_rows_that_were_given_anew_are_counted_once(tmp_path, monkeypatch):
    monkeypatch.setattr(row, "BATCH_ROWS", 2)
    values = [1, 2, 3, "a", "b", "a", "b", "a", "b"]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"t": "x", "v": v}) + "\n" for v in values), encoding="utf-8")
    columns = {"text": "t", "label": labels("v", {"a": "first", "b": "second"})}
    task = Task(
        name="t",
        cluster="c",
        schema=Classification,
        source=Files({"train": str(tmp_path / "a.jsonl")}),
        columns=columns,
    )
    (unit,) = scan_units(task, data="source", data_dir=None)
    done = scan(unit, task=task, root=tmp_path / "cache")
    assert (done.source_rows, done.read, done.accepted) == (9, 9, 6)
    assert done.rejected == {"v is a whole number here and text in other rows": 3}
    assert pl.read_parquet(done.examples).height == 6
    assert pl.read_parquet(done.folder / "rejected.parquet")["row"].to_list() == ["a.jsonl:0", "a.jsonl:1", "a.jsonl:2"]


@pytest.mark.parametrize(
    ("name", "data", "options", "problem"),
    [
        ("a.txt", b"x\ncaf\xe9\r\n", {}, (1, "not valid utf-8 (byte 0xE9)", r"caf\xe9", "line 2")),
        ("a.jsonl", b'{"a": 1}\n{"a": }\n', {}, (1, "not JSON (expecting value)", '{"a": }', "line 2")),
        (
            "a.jsonl",
            b'{"a": "x"}\n{"a": "y"}\n{"a": 7}\n',
            {},
            (2, "a is a whole number here and text in other rows", "7", "line 3"),
        ),
        ("a.csv", b'a,b\n"x\ny",1\n2\n', {}, (1, "1 cells for 2 columns", "2", "line 4")),
        (
            "a.tsv",
            b"a\tb\n1\t2\n3\t\xff\n",
            {"quoting": "none"},
            (1, "not valid utf-8 (byte 0xFF)", "3\t\\xff", "line 3"),
        ),
        (
            "a.csv",
            b'a\nx\n"y\nz\n',
            {},
            (
                1,
                f"quotes do not match (unexpected end of data); {PLAIN}",
                '"y',
                "line 3",
            ),
        ),
        ("a.conll", b"\na\nb\n\n\nc\nd\xe9\n", {}, (1, "not valid utf-8 (byte 0xE9)", r"d\xe9", "line 6")),
        ("a.txt", b"caf\xe9", {"format": "text"}, (0, "not valid utf-8 (byte 0xE9)", r"caf\xe9", "a.txt")),
        ("a.json", b'[7, {"a": "\\ud800"}]', {}, (0, "not a JSON object", "7", "")),
    ],
)
def test_what_cannot_be_read_says_where_it_stands_and_what_stood_there(name, data, options, problem, tmp_path):
    (tmp_path / name).write_bytes(data)
    assert problems(tmp_path, Files({"train": name}, **options))[0] == Problem(*problem)


def test_of_files_side_by_side_the_line_is_that_of_the_file_at_fault(tmp_path):
    (tmp_path / "a.en").write_text("x\ny\n", encoding="utf-8")
    (tmp_path / "a.csv").write_bytes(b"h\nz\ncaf\xe9\n")
    source = Files({"train": {"en": "a.en", "table": "a.csv"}})
    assert problems(tmp_path, source) == [Problem(1, "table: not valid utf-8 (byte 0xE9)", r"caf\xe9", "line 3")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x" * MAX_SHOWN_CHARS, "x" * MAX_SHOWN_CHARS),
        ("x" * (MAX_SHOWN_CHARS + 1), "x" * (MAX_SHOWN_CHARS - 1) + "…"),
        ("\udc80\ud801\udbff\r\n", r"\x80\ud801\udbff"),
        ("\r\n", ""),
    ],
)
def test_what_stood_there_is_shortened_and_is_text(text, shown, tmp_path):
    assert row.shown(text) == shown


def test_of_a_line_beyond_all_measure_the_beginning_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("instruction_kit.source.text.MAX_LINE_CHARS", 300)
    (tmp_path / "a.txt").write_text("y" * 301 + "\nz\n", encoding="utf-8")
    (problem,) = problems(tmp_path, Files({"train": "a.txt"}))
    assert problem.reason == "a line of more than 300 characters"
    assert problem.place == "line 1"
    assert problem.text == "y" * (MAX_SHOWN_CHARS - 1) + "…"
