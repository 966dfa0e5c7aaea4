"""Text files: a line ends at a line feed and nowhere else, and every row is either in the frame or a problem."""

import csv
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instruction_kit import Files
from instruction_kit.errors import SourceError
from instruction_kit.source.cells import MAX_RUNAWAYS
from instruction_kit.source.raw import INDEX, Where

PLAIN = "if quotes are plain characters here, state quoting='none'"
TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [
        "",
        " ",
        "\r",
        "a\rb",
        "\u2028\u2029",
        "\x85",
        "\x00",
        "\ufeff",
        '"',
        '""',
        '"a',
        "a,b\tc",
        "|||",
        "{{ x }}",
        "\u202e",
        "🙂",
    ]
)
QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path: Path, data: bytes, *, wanted: frozenset[str] | None = None, **options: Any):
    """The rows of a file that holds these bytes, and its problems."""
    path.write_bytes(data)
    source = Files({"train": str(path)}, **options)
    batches = [batch for part in source.ranges("train", Where()) for batch in source.read(part, Where(), wanted)]
    rows = [row for batch in batches for row in batch.frame.to_dicts()]
    problems = [(problem.number, problem.reason) for batch in batches for problem in batch.problems]
    numbers = sorted([row.pop(INDEX) for row in rows] + [number for number, _ in problems])
    assert numbers == list(range(len(numbers))), "a row is lost, or told twice"
    return rows, problems


# --- what is written reads back ---------------------------------------------------------------------------------------


@QUICK
@given(texts=st.lists(TEXT.filter(lambda text: "\n" not in text and not text.endswith("\r"))))
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_read_back_as_written(end, texts, tmp_path):
    data = "".join(f"{text}{end}" for text in texts).encode()
    data = (
        b"\xef\xbb\xbf" + data if data.startswith(b"\xef\xbb\xbf") else data
    )  # one mark is the file's, not the text's
    assert read(tmp_path / "a.txt", data) == ([{"line": text} for text in texts], [])


@QUICK
@given(texts=st.lists(TEXT))
@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_lines_read_back_as_written(ascii_only, texts, tmp_path):
    data = "".join(json.dumps({"text": text}, ensure_ascii=ascii_only) + "\n" for text in texts).encode()
    assert read(tmp_path / "a.jsonl", data) == ([{"text": text} for text in texts], [])


@QUICK
@given(rows=st.lists(st.tuples(TEXT, TEXT.filter(lambda text: not text.endswith("\r")))))
@pytest.mark.parametrize(("suffix", "delimiter"), [("csv", ","), ("tsv", "\t")])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimited_cells_read_back_as_written(suffix, delimiter, quoting, end, rows, tmp_path):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows([("a", "b"), *rows])
    assert read(tmp_path / f"a.{suffix}", file.getvalue().encode()) == ([{"a": a, "b": b} for a, b in rows], [])


@QUICK
@given(texts=st.lists(TEXT))
def test_parquet_reads_back_as_written(texts, tmp_path):
    pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)}).write_parquet(tmp_path / "b.parquet", row_group_size=3)
    data = (tmp_path / "b.parquet").read_bytes()
    assert read(tmp_path / "a.parquet", data) == ([{"text": text} for text in texts], [])


@QUICK
@given(data=st.binary() | st.lists(TEXT).map(lambda texts: "\n".join(texts).encode()))
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.txt", {}),
        ("a.txt", {"encoding": "cp1252"}),
        ("a.jsonl", {}),
        ("a.tsv", {"quoting": "none", "header": False, "columns": ["a"]}),
    ],
)
def test_whatever_a_file_holds_each_line_is_a_row_or_a_problem(name, options, data, tmp_path):
    data = data.removeprefix(b"\xef\xbb\xbf")
    rows, problems = read(tmp_path / name, data, **options)
    assert len(rows) + len(problems) == data.count(b"\n") + (not data.endswith(b"\n") and data != b"")


@QUICK
@given(data=st.text(st.sampled_from('ab",\r\n')).map(str.encode) | st.binary())
def test_whatever_quotes_a_file_holds_no_row_is_told_twice(data, tmp_path):
    read(tmp_path / "a.csv", data, header=False, columns=["a", "b"])


# --- lines ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\rb\nc\r", ["a\rb", "c\r"]),
        ("a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n".encode(), ["a\u2028b\u2029c\x85d\x0be\x0cf\x1cg"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", ["a", "\ufeffb"]),
        (b"a\x00b\n", ["a\x00b"]),
        (b" a \n", [" a "]),
    ],
)
def test_a_line_ends_at_a_line_feed_and_nowhere_else(data, texts, tmp_path):
    assert read(tmp_path / "a.txt", data) == ([{"line": text} for text in texts], [])


def test_a_byte_of_another_encoding_costs_its_own_line(tmp_path):
    rows, problems = read(tmp_path / "a.txt", b"caf\xc3\xa9\ncaf\xe9\ntea\n")
    assert rows == [{"line": "café"}, {"line": "tea"}]
    assert problems == [(1, "not valid utf-8 (byte 0xE9)")]


def test_in_its_own_encoding_the_same_byte_is_a_letter(tmp_path):
    assert read(tmp_path / "a.txt", b"caf\xe9\n", encoding="cp1252") == ([{"line": "café"}], [])
    rows, problems = read(tmp_path / "a.txt", b"a\x81\nb\n", encoding="cp1252")
    assert (rows, problems) == ([{"line": "b"}], [(0, "not valid cp1252 (byte 0x81)")])


@pytest.mark.parametrize("spelling", ["utf-8", "UTF8", "utf_8", "U8"])
def test_the_mark_of_the_encoding_is_no_text_however_utf_8_is_spelled(spelling, tmp_path):
    assert read(tmp_path / "a.txt", b"\xef\xbb\xbfa\n", encoding=spelling) == ([{"line": "a"}], [])


def test_utf_16_reads_with_its_mark_and_is_refused_without(tmp_path):
    assert read(tmp_path / "a.txt", "naïve\nb\n".encode("utf-16"), encoding="utf-16")[0] == [
        {"line": "naïve"},
        {"line": "b"},
    ]
    with pytest.raises(SourceError) as refused:
        read(tmp_path / "a.txt", "a\n".encode("utf-16-le"), encoding="utf-16")
    assert str(refused.value) == (
        f"{tmp_path}/a.txt: cannot be read as utf-16 (UTF-16 stream does not start with BOM); state its encoding="
    )


@pytest.mark.parametrize(
    ("name", "first", "long", "last"),
    [
        ("a.txt", "a", "x" * 30_000_000, "b"),
        ("a.jsonl", '{"line": "a"}', '{"line": "' + "x" * 30_000_000 + '"}', '{"line": "b"}'),
        ("a.csv", "line\na", '"' + "x" * 30_000_000 + '"', "b"),
    ],
    ids=["txt", "jsonl", "csv"],
)
def test_a_line_too_long_to_hold_is_a_problem_of_its_own_and_is_not_held(name, first, long, last, tmp_path):
    data = f"{first}\n{long}\n{last}\n".encode()
    tracemalloc.start()
    rows, problems = read(tmp_path / name, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == [{"line": "a"}, {"line": "b"}]
    assert problems == [(1, "a line of more than 8388608 characters")]
    assert peak < 2**26


# --- JSON Lines -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"a": "x"', "not JSON (expecting ',' delimiter)"),
        ("{'a': 'x'}", "not JSON (expecting property name enclosed in double quotes)"),
        ('{"a": "x"} {"a": "y"}', "not JSON (extra data)"),
        ('{"a": "x\ty"}', "not JSON (invalid control character at)"),
        ('["x"]', "not a JSON object"),
        ('"x"', "not a JSON object"),
        ("null", "not a JSON object"),
        ("", "blank line"),
        ("  ", "blank line"),
        ('{"a": NaN}', "not JSON (nan is no number)"),
        ('{"a": -Infinity}', "not JSON (-infinity is no number)"),
        ('{"a": 1e999}', "a is a number too large to hold"),
        ('{"a": 9223372036854775808}', "a is a number too large to hold"),
        ('{"a": ' + "9" * 5000 + "}", "not JSON (exceeds the limit (4300 digits) for integer string conversion)"),
        ('{"a": "\\ud800"}', "lone surrogate U+D800"),
        ('{"a": "\\udc80"}', "lone surrogate U+DC80"),
        ('{"a": {"b": ["\\udfff"]}}', "lone surrogate U+DFFF"),
        ('{"\\ud800": "x"}', "lone surrogate U+D800"),
        ('{"a": 7}', "a is a whole number here and text in other rows"),
        ('{"a": 7.5}', "a is a fraction here and text in other rows"),
        ('{"a": true}', "a is a boolean here and text in other rows"),
        ('{"a": ["x"]}', "a is a list here and text in other rows"),
        ('{"a": {"b": "x"}}', "a is an object here and text in other rows"),
    ],
)
def test_a_line_that_is_no_good_is_a_problem_of_its_own(line, problem, tmp_path):
    data = '{"a": "x"}\n{"a": null}\n' + line + '\n{"a": "\\ud83d\\ude00"}\n'
    rows, problems = read(tmp_path / "a.jsonl", data.encode())
    assert rows == [{"a": "x"}, {"a": None}, {"a": "😀"}]
    assert problems == [(2, problem)]


@pytest.mark.parametrize("bad", ["[" * 100_000, '{"a":' * 100_000])
def test_json_nested_too_deep_to_parse_is_a_problem_of_its_line(bad, tmp_path):
    rows, problems = read(tmp_path / "a.jsonl", f'{{"a": 1}}\n{bad}\n'.encode())
    assert rows == [{"a": 1}]
    assert [number for number, _ in problems] == [1]
    assert problems[0][1].startswith("not JSON (maximum recursion depth exceeded")


def test_only_the_wanted_columns_decide(tmp_path):
    data = b'{"a": "x", "b": 1}\n{"a": "y", "b": "?"}\n{"b": 2}\n'
    rows, problems = read(tmp_path / "a.jsonl", data, wanted=frozenset({"a"}))
    assert (rows, problems) == ([{"a": "x"}, {"a": "y"}, {"a": None}], [])


def test_a_column_under_a_name_of_the_kit_s_own_is_refused_where_it_is_wanted(tmp_path):
    data = b'{"_index": 7, "a": "x"}\n'
    assert read(tmp_path / "a.jsonl", data, wanted=frozenset({"a"})) == ([{"a": "x"}], [])
    with pytest.raises(SourceError) as refused:
        read(tmp_path / "a.jsonl", data)
    assert str(refused.value) == (
        f"{tmp_path}/a.jsonl: the column _index bears a name that the kit uses for its own; rename it"
    )


# --- CSV and TSV ------------------------------------------------------------------------------------------------------


def test_a_quoted_cell_may_hold_delimiters_quotes_and_lines(tmp_path):
    data = b'a,b\n1,"x, ""y""\nz\r\nw\rv"\n2,u\rt\n'
    assert read(tmp_path / "a.csv", data) == ([{"a": "1", "b": 'x, "y"\nz\r\nw\rv'}, {"a": "2", "b": "u\rt"}], [])


def test_every_cell_is_text_and_an_empty_one_is_empty(tmp_path):
    assert read(tmp_path / "a.tsv", b"a\tb\n001\t\nNA\tnull\n") == (
        [{"a": "001", "b": ""}, {"a": "NA", "b": "null"}],
        [],
    )


def test_ragged_rows_and_blank_lines_are_problems(tmp_path):
    rows, problems = read(tmp_path / "a.csv", b"a,b\n1,2\n3\n4,5,6\n\n7,8\n")
    assert rows == [{"a": "1", "b": "2"}, {"a": "7", "b": "8"}]
    assert problems == [(1, "1 cells for 2 columns"), (2, "3 cells for 2 columns"), (3, "blank line")]


def test_with_quoting_none_a_quote_is_a_character(tmp_path):
    data = b'a\tb\n"x\t5\' 10"\n'
    assert read(tmp_path / "a.tsv", data, quoting="none") == ([{"a": '"x', "b": "5' 10\""}], [])


def test_a_quote_that_is_never_closed_costs_its_own_line_not_the_rest(tmp_path):
    rows, problems = read(tmp_path / "a.csv", b'a,b\n1,x\n2,"y\n3,z\n4,"w"\n5,v\n')
    assert rows == [{"a": a, "b": b} for a, b in ("1x", "3z", "4w", "5v")]
    assert problems == [(1, f"quotes do not match (',' expected after '\"'); {PLAIN}")]


def test_a_stray_quote_at_the_end_of_the_file_costs_its_own_line(tmp_path):
    rows, problems = read(tmp_path / "a.csv", b'a,b\n1,"y\n2,z\n3,w')
    assert rows == [{"a": "2", "b": "z"}, {"a": "3", "b": "w"}]
    assert problems == [(0, f"quotes do not match (unexpected end of data); {PLAIN}")]


def test_a_file_full_of_stray_quotes_is_refused_and_not_read_again_and_again(tmp_path):
    with pytest.raises(SourceError) as refused:
        read(tmp_path / "a.csv", b"a,b\n" + b'x",",\n' * 50_000)
    assert str(refused.value) == (
        f"{tmp_path}/a.csv: more than {MAX_RUNAWAYS} quotes open a cell and never close it; {PLAIN}"
    )


def test_a_byte_of_another_encoding_costs_its_own_record(tmp_path):
    rows, problems = read(tmp_path / "a.csv", b"a,b\n1,\xe9\n2,e\n")
    assert (rows, problems) == ([{"a": "2", "b": "e"}], [(0, "not valid utf-8 (byte 0xE9)")])


def test_a_file_without_a_header_takes_its_names_from_the_task(tmp_path):
    assert read(tmp_path / "a.csv", b"1,2\n", header=False, columns=["x", "y"]) == ([{"x": "1", "y": "2"}], [])


@pytest.mark.parametrize("data", [b"", b"a,b\n"])
def test_a_file_without_records_has_no_rows(data, tmp_path):
    assert read(tmp_path / "a.csv", data) == ([], [])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a,b,a\n1,2,3\n", "the header names the column 'a' twice"),
        (b"\na,b\n", "the header cannot be read: blank line"),
        (b"a,\xe9\n", "the header cannot be read: not valid utf-8 (byte 0xE9)"),
        (b'a,"b\n1,2\n', f"the header cannot be read: quotes do not match (unexpected end of data); {PLAIN}"),
    ],
)
def test_a_header_that_names_no_columns_refuses_the_file(data, words, tmp_path):
    with pytest.raises(SourceError) as refused:
        read(tmp_path / "a.csv", data)
    assert str(refused.value) == (f"{tmp_path}/a.csv:1: {words}; mend the header, or give header=False and columns=[…]")
