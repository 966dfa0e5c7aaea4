"""Files side by side: one column each, and never of different lengths."""

import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import refused, rows_of

from instruction_kit import Files
from instruction_kit.errors import SourceError
from instruction_kit.source.raw import Where

QUICK = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"))


@QUICK
@given(pairs=st.lists(st.tuples(LINE, LINE)))
def test_lines_at_the_same_place_are_one_row(pairs, tmp_path):
    (tmp_path / "t.en").write_text("".join(f"{en}\n" for en, _ in pairs), encoding="utf-8")
    (tmp_path / "t.de.gz").write_bytes(gzip.compress("".join(f"{de}\n" for _, de in pairs).encode()))
    source = Files({"train": {"en": "t.en", "de": "t.de.gz"}})
    assert rows_of(source, tmp_path) == ([{"en": en, "de": de} for en, de in pairs], [])


def test_rows_with_columns_of_their_own_stand_there_as_objects(tmp_path):
    (tmp_path / "valid.jsonl").write_text('{"goal": "a"}\n{"goal": "b"}\n', encoding="utf-8")
    (tmp_path / "valid.lst").write_text("1\n0\n", encoding="utf-8")
    source = Files({"train": {"row": "valid.jsonl", "label": "valid.lst"}})
    assert rows_of(source, tmp_path)[0] == [{"row": {"goal": "a"}, "label": "1"}, {"row": {"goal": "b"}, "label": "0"}]


def test_of_files_side_by_side_some_have_a_header_and_others_take_the_names_that_are_stated(tmp_path):
    (tmp_path / "data.csv").write_text("id,text\n1,a\n2,b\n", encoding="utf-8")
    (tmp_path / "gold.csv").write_text("1,yes\n2,no\n", encoding="utf-8")
    source = Files({"train": {"row": "data.csv", "gold": "gold.csv"}}, columns={"gold": ["id", "label"]})
    assert rows_of(source, tmp_path)[0] == [
        {"row": {"id": "1", "text": "a"}, "gold": {"id": "1", "label": "yes"}},
        {"row": {"id": "2", "text": "b"}, "gold": {"id": "2", "label": "no"}},
    ]


@pytest.mark.parametrize(("short", "long"), [(1, 3), (0, 1), (2, 3)])
def test_a_file_that_is_shorter_is_an_error_with_both_counts(short, long, tmp_path):
    (tmp_path / "a.en").write_text("x\n" * long, encoding="utf-8")
    (tmp_path / "a.de").write_text("y\n" * short, encoding="utf-8")
    assert refused(Files({"train": {"en": "a.en", "de": "a.de"}}), tmp_path) == (
        f"files side by side are not equally long: {tmp_path}/a.en has {long} rows, {tmp_path}/a.de has {short} rows; "
        "a line is missing or one too many"
    )


def test_a_line_that_cannot_be_read_costs_its_row_and_names_its_column(tmp_path):
    (tmp_path / "a.en").write_bytes(b"one\ntwo\n")
    (tmp_path / "a.fr").write_bytes(b"un\nd\xe9ux\n")
    assert rows_of(Files({"train": {"en": "a.en", "fr": "a.fr"}}), tmp_path) == (
        [{"en": "one", "fr": "un"}],
        [(1, "fr: not valid utf-8 (byte 0xE9)")],
    )


def test_the_content_is_that_of_all_files_and_of_their_columns(tmp_path):
    for name, text in (("a.en", "x\n"), ("a.de", "y\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")

    def content(**files: str) -> str:
        (part,) = Files({"train": files}).ranges("train", Where(tmp_path))
        assert part.name == next(iter(files.values()))
        return part.content

    first = content(en="a.en", de="a.de")
    assert first != content(de="a.en", en="a.de")
    (tmp_path / "a.de").write_text("z\n", encoding="utf-8")
    assert first != content(en="a.en", de="a.de")


@pytest.mark.parametrize(
    ("splits", "options", "words"),
    [
        ({"train": {}}, {}, "name at least one file for each split"),
        ({"train": {"a": "a.parquet"}}, {}, "a.parquet: parquet cannot be read side by side"),
        ({"train": {"a": "a.x", "b": "b.x"}}, {"format": "text"}, "a.x: text cannot be read side by side"),
        ({"train": {"a": "*.txt"}}, {}, "*.txt: a pattern cannot be read side by side; name one file for each column"),
        (
            {"train": {"a": "a.csv", "b": "b.csv"}},
            {"columns": {"c": ["x"]}},
            "columns={…}: no csv or tsv file is read side by side as c",
        ),
        (
            {"train": {"a": "a.csv", "b": "b.lst"}},
            {"columns": {"b": ["x"]}},
            "columns={…}: no csv or tsv file is read side by side as b",
        ),
        (
            {"train": {"a": "a.csv", "b": "b.csv"}},
            {"columns": {"b": ["x"]}, "header": False},
            "columns={…} already says which files have no header; take header=False away",
        ),
        (
            {"train": {"a": "a.csv", "b": "b.csv"}},
            {"columns": {"b": ["x", "x"]}},
            "columns=[…] needs distinct names, not ['x', 'x']",
        ),
    ],
)
def test_what_cannot_stand_side_by_side_is_refused(splits, options, words):
    with pytest.raises(SourceError) as error:
        Files(splits, **options)
    assert str(error.value) == f"Files: {words}"
