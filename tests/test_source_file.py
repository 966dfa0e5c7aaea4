"""Files by their names: patterns, packings, whole files as rows, blocks of lines."""

import bz2
import gzip
import lzma
from collections.abc import Callable

import pyarrow as pa
import pytest
from reading import refused, rows_of

from instruction_kit import Files
from instruction_kit.source import text
from instruction_kit.source.raw import Where

PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize(
    ("name", "data", "row"),
    [
        ("a.txt", b"caf\xc3\xa9\n", {"line": "café"}),
        ("a.csv", b'x,y\n1,"a\nb"\n', {"x": "1", "y": "a\nb"}),
        ("a.jsonl", b'{"x": 1}\n', {"x": 1}),
        ("a.json", b'[{"x": 1}]', {"x": 1}),
        ("a.conll", b"a\nb\n", {"lines": ["a", "b"]}),
    ],
)
def test_a_packed_file_reads_like_what_is_in_it(packing, name, data, row, tmp_path):
    (tmp_path / f"{name}{packing}").write_bytes(PACKED[packing](data))
    assert rows_of(Files({"train": f"{name}{packing}"}), tmp_path) == ([row], [])


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("kind", ["cut short", "not packed"])
def test_a_packed_file_that_is_not_whole_is_refused_by_name(kind, packing, tmp_path):
    lines = "".join(f"line {number}\n" for number in range(100_000)).encode()
    (tmp_path / f"a.txt{packing}").write_bytes(PACKED[packing](lines)[:-40] if kind == "cut short" else lines)
    said = refused(Files({"train": f"a.txt{packing}"}), tmp_path)
    assert said.startswith(f"{tmp_path}/a.txt{packing}: not a whole {packing} file (")
    assert said.endswith("); fetch it again")


def test_a_pattern_is_all_files_in_the_order_of_their_names(tmp_path):
    for name in ("b/2.txt", "a/10.txt", "a/9.txt", "a/.hidden.txt", "a/no.dat"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    for pattern in ("*/*.txt", f"{tmp_path}/*/*.txt"):
        source = Files({"train": pattern})
        assert [part.name for part in source.ranges("train", Where(tmp_path))] == ["a/10.txt", "a/9.txt", "b/2.txt"]
        assert [row["line"] for row in rows_of(source, tmp_path)[0]] == ["a/10.txt", "a/9.txt", "b/2.txt"]
    assert len(Files({"train": "**/*.txt"}).ranges("train", Where(tmp_path))) == 3


def test_a_pattern_that_matches_nothing_is_refused(tmp_path):
    assert refused(Files({"train": "x/*.txt"}), tmp_path) == (
        f"{tmp_path}/x/*.txt: no file matches (paths are relative to the folder of the task file; set data_dir "
        "(--data-dir) if the data lie elsewhere)"
    )


def test_a_folder_of_texts_is_a_row_for_each_file(tmp_path):
    for name, data in (("pos/1.txt", b"Fine.\r\nVery."), ("neg/2.txt", b"Bad.\n"), ("neg/3.txt", b"caf\xe9")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    source = Files({"train": "*/*.txt"}, format="text")
    assert rows_of(source, tmp_path) == (
        [
            {"path": "neg/2.txt", "folder": "neg", "name": "2.txt", "text": "Bad.\n"},
            {"path": "pos/1.txt", "folder": "pos", "name": "1.txt", "text": "Fine.\r\nVery."},
        ],
        [(1, "not valid utf-8 (byte 0xE9)")],
    )
    (part,) = source.ranges("train", Where(tmp_path))
    assert part.name == "*/*.txt"
    (tmp_path / "pos/1.txt").rename(tmp_path / "pos/4.txt")
    assert source.ranges("train", Where(tmp_path))[0].content != part.content


def test_a_whole_file_beyond_all_measure_is_a_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "MAX_RECORD_CHARS", 10)
    (tmp_path / "a.txt").write_text("x" * 11, encoding="utf-8")
    assert rows_of(Files({"train": "a.txt"}, format="text"), tmp_path) == ([], [(0, "more than 10 characters")])


@pytest.mark.parametrize(
    ("data", "blocks"),
    [
        (b"", []),
        (b"\n\n \t\n", []),
        (b"a\tO\nb\tO\n\t\nc\tO", [["a\tO", "b\tO"], ["c\tO"]]),
        (b"\n\na\r\n\r\n\r\nb\r\n\n", [["a"], ["b"]]),
    ],
)
def test_lines_between_blank_ones_are_a_row(data, blocks, tmp_path):
    (tmp_path / "a.conll").write_bytes(data)
    assert rows_of(Files({"train": "a.conll"}), tmp_path) == ([{"lines": block} for block in blocks], [])


def test_a_block_with_a_bad_byte_or_beyond_all_measure_is_a_problem_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "MAX_RECORD_CHARS", 10)
    (tmp_path / "a.txt").write_bytes(b"a\n\ncaf\xe9\nb\n\n123456\n789012\n3\n\nc\n")
    assert rows_of(Files({"train": "a.txt"}, format="blocks"), tmp_path) == (
        [{"lines": ["a"]}, {"lines": ["c"]}],
        [(1, "not valid utf-8 (byte 0xE9)"), (2, "more than 10 characters")],
    )
