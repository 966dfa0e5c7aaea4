"""JSON documents: where their rows stand, and what is refused or rejected."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import refused, rows_of

from instruction_kit import Files

QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
RECORDS = st.lists(
    st.fixed_dictionaries({"text": st.text(st.characters(exclude_categories=["Cs"])), "n": st.integers(0, 9)})
)


def read(folder, document, **options):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    (folder / "a.json").write_bytes(data)
    return rows_of(Files({"train": "a.json"}, **options), folder)


def told(folder, document, **options):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    (folder / "a.json").write_bytes(data)
    return refused(Files({"train": "a.json"}, **options), folder).replace(f"{folder}/", "")


@QUICK
@given(records=RECORDS)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_list_of_records_reads_back_as_written(ascii_only, records, tmp_path):
    data = json.dumps(records, ensure_ascii=ascii_only).encode()
    assert read(tmp_path, data) == (records, [])


@QUICK
@given(records=RECORDS)
def test_the_same_records_read_back_in_every_shape(records, tmp_path):
    keyed = {f"id{number}": record for number, record in enumerate(records)}
    columns = {name: [record[name] for record in records] for name in ("text", "n")}
    expected = [{"key": key, **record} for key, record in keyed.items()]
    assert read(tmp_path, {"version": 1, "data": {"items": records}}, records="data.items") == (records, [])
    assert read(tmp_path, {"x": keyed}, records="x", shape="keyed") == (expected, [])
    assert read(tmp_path, columns, shape="columns") == (records, [])
    assert read(tmp_path, {"all": records}, shape="single")[1] == []


def test_records_that_are_lists_or_values_take_the_names_that_are_given(tmp_path):
    assert read(tmp_path, [["hi", "greet"], ["bye"]], columns=["text", "intent"]) == (
        [{"text": "hi", "intent": "greet"}],
        [(1, "1 values for 2 columns")],
    )
    assert read(tmp_path, ["hi", "bye"], columns=["text"]) == ([{"text": "hi"}, {"text": "bye"}], [])


def test_one_document_holds_several_splits(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"train": [{"x": 1}], "val": [{"x": 2}, {"x": 3}]}), encoding="utf-8")
    source = Files({"train": "a.json", "validation": "a.json"}, records={"train": "train", "validation": "val"})
    assert rows_of(source, tmp_path) == ([{"x": 1}], [])
    assert rows_of(source, tmp_path, split="validation") == ([{"x": 2}, {"x": 3}], [])


def test_a_field_whose_name_has_a_full_stop_is_found(tmp_path):
    assert read(tmp_path, {"v1.0": {"a": [{"x": 1}]}}, records="v1.0.a") == ([{"x": 1}], [])


def test_a_keyed_value_that_is_no_object_stands_under_value(tmp_path):
    assert read(tmp_path, {"bank": ["a", "b"]}, shape="keyed") == ([{"key": "bank", "value": ["a", "b"]}], [])


def test_what_cannot_be_a_record_is_rejected_by_itself(tmp_path):
    data = b'[{"a": "x"}, 7, {"a": "caf\xe9"}, {"a": "\\ud800"}, {"a": NaN}, [1], {"a": "y"}]'
    assert read(tmp_path, data) == (
        [{"a": "x"}, {"a": "y"}],
        [
            (1, "not a JSON object"),
            (2, "not valid utf-8 (byte 0xE9)"),
            (3, "lone surrogate U+D800"),
            (4, "a is a number too large to hold"),
            (5, "not a JSON object; name its items with columns=[…]"),
        ],
    )


@pytest.mark.parametrize(
    ("document", "options", "words"),
    [
        (b"", {}, "a.json:1: not JSON (expecting value, column 1)"),
        (b'[{"a": 1},\n{"a": }]', {}, "a.json:2: not JSON (expecting value, column 7)"),
        (
            b'{"a": 1}\n{"a": 2}\n',
            {},
            "a.json:2: not JSON (extra data, column 1); if each line is an object of its own, give format='jsonl'",
        ),
        (b"[" * 100_000, {}, "a.json: not JSON that can be read (maximum recursion depth exceeded"),
        (
            {"data": [], "version": "1"},
            {},
            "a.json: the document is an object with the fields data, version, not a list of records; name the list",
        ),
        ({"data": []}, {"records": "dato"}, "a.json: records='dato': no field dato; did you mean data?"),
        (
            {"data": []},
            {"records": "data.items"},
            "a.json: records='data.items': items is looked for in a list, which has no fields",
        ),
        ([], {"shape": "keyed"}, "a.json: the document is a list, and shape='keyed' wants an object"),
        (
            {"x": {"key": "y"}},
            {"shape": "keyed"},
            "a.json: the document: shape='keyed': the record 'x' has a field `key` of its own that says otherwise",
        ),
        (
            {"a": [1], "b": [1, 2]},
            {"shape": "columns"},
            "a.json: the document: shape='columns': the columns are not equally long (a 1, b 2)",
        ),
        (
            {"a": [1], "b": 2},
            {"shape": "columns"},
            "a.json: the document: shape='columns': b is a number or boolean, not a list of values",
        ),
    ],
)
def test_a_document_that_does_not_hold_the_rows_is_refused_in_words(document, options, words, tmp_path):
    assert told(tmp_path, document, **options).startswith(words)
