"""Files: which there are, how they are cut into ranges, and what is refused before a row is read."""

from pathlib import Path
from typing import get_args

import polars as pl
import pytest

from instruction_kit import Files, Task, labels
from instruction_kit.build.first import first_examples
from instruction_kit.errors import SourceError
from instruction_kit.schema import Classification
from instruction_kit.source.format import Format
from instruction_kit.source.raw import INDEX, Where


@pytest.fixture
def parquet(tmp_path):
    """Five rows in three row groups."""
    path = tmp_path / "a.parquet"
    pl.DataFrame({"text": list("abcde"), "label": [0, 1, 2, 3, 4]}).write_parquet(path, row_group_size=2)
    return path


# --- ranges -----------------------------------------------------------------------------------------------------------


def test_a_parquet_file_is_one_range_for_each_row_group(parquet):
    source = Files({"train": parquet.name})
    parts = source.ranges("train", Where(parquet.parent))
    assert [(part.split, part.name, part.number) for part in parts] == [("train", "a.parquet", n) for n in range(3)]
    frames = [batch.frame for part in parts for batch in source.read(part, Where(parquet.parent), None)]
    assert [frame[INDEX].to_list() for frame in frames] == [[0, 1], [2, 3], [4]]
    assert pl.concat(frames)["text"].to_list() == list("abcde")


@pytest.mark.parametrize("columns", [frozenset({"label"}), frozenset({"absent"}), frozenset()])
def test_of_a_parquet_file_only_the_wanted_columns_are_read(columns, parquet):
    source = Files({"train": parquet.name})
    (part, *_) = source.ranges("train", Where(parquet.parent))
    (batch,) = source.read(part, Where(parquet.parent), columns)
    assert batch.frame.columns == [*sorted(columns & {"label"}), INDEX]
    assert batch.frame.height == 2


def test_a_parquet_file_without_rows_gives_none(tmp_path):
    pl.DataFrame({"text": pl.Series([], dtype=pl.String)}).write_parquet(tmp_path / "a.parquet")
    source = Files({"train": "a.parquet"})
    parts = source.ranges("train", Where(tmp_path))
    assert [b.frame.height for part in parts for b in source.read(part, Where(tmp_path), None)] in ([], [0])


def test_several_files_of_a_split_are_ranges_in_the_order_named(tmp_path):
    for name in ("b.jsonl", "a.jsonl"):
        (tmp_path / name).write_text(f'{{"text": "{name}"}}\n', encoding="utf-8")
    source = Files({"train": ["b.jsonl", "a.jsonl"]})
    parts = source.ranges("train", Where(tmp_path))
    assert [part.name for part in parts] == ["b.jsonl", "a.jsonl"]
    assert [b.frame["text"].item() for part in parts for b in source.read(part, Where(tmp_path), None)] == [
        "b.jsonl",
        "a.jsonl",
    ]


def test_the_content_of_a_range_is_that_of_its_bytes_not_of_its_place(tmp_path):
    contents = []
    for folder, text in (("x", "same"), ("y", "same"), ("z", "other")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(text, encoding="utf-8")
        contents += [part.content for part in Files({"train": "a.txt"}).ranges("train", Where(tmp_path / folder))]
    assert contents[0] == contents[1] != contents[2]


def test_paths_are_relative_to_the_data_dir_before_the_folder_of_the_task(tmp_path):
    for folder in ("task", "data"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(folder, encoding="utf-8")
    source = Files({"train": "a.txt"})
    for where, text in ((Where(tmp_path / "task"), "task"), (Where(tmp_path / "task", tmp_path / "data"), "data")):
        (part,) = source.ranges("train", where)
        (batch,) = source.read(part, where, None)
        assert batch.frame["line"].to_list() == [text]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("a.csv", {"a": "1", "b\tc": "2\t3"}),
        ("a.CSV", {"a": "1", "b\tc": "2\t3"}),
        ("a.tsv", {"a,b": "1,2", "c": "3"}),
        ("a.txt", {"line": "a,b\tc"}),
    ],
)
def test_the_suffix_says_the_format(name, row, tmp_path):
    (tmp_path / name).write_text("a,b\tc\n1,2\t3\n", encoding="utf-8")
    source = Files({"train": name})
    (part,) = source.ranges("train", Where(tmp_path))
    (batch,) = source.read(part, Where(tmp_path), None)
    assert batch.frame.to_dicts()[0] == {INDEX: 0, **row}


def test_the_format_can_be_stated_against_the_suffix(tmp_path):
    (tmp_path / "a.txt").write_text("x;y\n1;2\n", encoding="utf-8")
    source = Files({"train": "a.txt"}, format="csv", delimiter=";")
    (part,) = source.ranges("train", Where(tmp_path))
    (batch,) = source.read(part, Where(tmp_path), None)
    assert batch.frame.to_dicts() == [{INDEX: 0, "x": "1", "y": "2"}]


# --- files that are not there, or not whole ---------------------------------------------------------------------------


def refused(source: Files, where: Where) -> str:
    with pytest.raises(SourceError) as error:
        [list(source.read(part, where, None)) for part in source.ranges("train", where)]
    return str(error.value)


def test_a_missing_file_is_told_with_the_nearest_one_beside_it(tmp_path):
    (tmp_path / "train.jsonl").touch()
    assert refused(Files({"train": "trian.jsonl"}), Where(tmp_path)) == (
        f"{tmp_path}/trian.jsonl: no such file; did you mean train.jsonl? (paths are relative to the folder of the "
        "task file; set data_dir (--data-dir) if the data lie elsewhere)"
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gone/a.txt", "the folder does not exist either"),
        ("empty/a.txt", "there are none"),
        ("a.txt", "it is a folder; for the files in it write a pattern such as a.txt/*"),
    ],
)
def test_a_missing_file_is_told_with_what_is_there_instead(name, hint, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").mkdir()
    assert refused(Files({"train": name}), Where(None, tmp_path)) == (
        f"{tmp_path}/{name}: no such file; {hint} (paths are relative to data_dir)"
    )


def damaged(data: bytes) -> dict[str, bytes]:
    return {
        "nothing": b"",
        "not parquet": b"text\n" * 100,
        "cut short": data[:-20],
        "cut in the middle": data[: len(data) // 2],
        "a page overwritten": data[:10] + b"\xff" * 20 + data[30:],
    }


@pytest.mark.parametrize("kind", damaged(b""))
def test_a_damaged_parquet_file_is_refused_by_name(kind, parquet):
    parquet.write_bytes(damaged(parquet.read_bytes())[kind])
    told = refused(Files({"train": parquet.name}), Where(parquet.parent))
    assert told.startswith(f"{parquet}: not a whole Parquet file (")
    assert told.endswith("); fetch it again")


def test_a_parquet_column_under_a_name_of_the_kit_s_own_is_refused(tmp_path):
    pl.DataFrame({"_file": ["x"]}).write_parquet(tmp_path / "a.parquet")
    assert refused(Files({"train": "a.parquet"}), Where(tmp_path)) == (
        f"{tmp_path}/a.parquet: the column _file bears a name that the kit uses for its own; rename it"
    )


# --- declarations that cannot be --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("splits", "options", "words"),
    [
        ({}, {}, "name at least one file for each split"),
        ({"train": []}, {}, "name at least one file for each split"),
        ({"dev": "a.txt"}, {}, "splits.dev: Input should be 'train', 'validation', 'test' or 'exemplars'"),
        ({"train": 7}, {}, "splits.train: Input should be a valid tuple"),
        (
            {"train": "a.dat"},
            {},
            f"the suffix of a.dat says no format; give format=, one of {', '.join(get_args(Format))}",
        ),
        ({"train": "a.csv"}, {"quotng": "none"}, "no key quotng; did you mean quoting?"),
        ({"train": "a.csv"}, {"quoting": "some"}, "quoting: Input should be 'minimal' or 'none'"),
        (
            {"train": "a.csv"},
            {"encoding": "utf-9"},
            "no encoding 'utf-9'; Python's names are utf-8, utf-16, cp1252, latin-1, …",
        ),
        ({"train": "a.csv"}, {"header": False}, "without a header the columns need names: columns=[…]"),
        (
            {"train": "a.csv"},
            {"columns": ["x"]},
            "columns=[…] names the columns of a file without a header; add header=False",
        ),
        (
            {"train": "a.csv"},
            {"columns": ["x", "x"], "header": False},
            "columns=[…] needs distinct names, not ['x', 'x']",
        ),
        ({"train": "a.csv"}, {"delimiter": "::"}, "delimiter is one character, and neither a quote nor a line end"),
        ({"train": "a.csv"}, {"delimiter": '"'}, "delimiter is one character, and neither a quote nor a line end"),
        ({"train": "a.jsonl"}, {"quoting": "none"}, "quoting only mean something for csv and tsv"),
        ({"train": "a.parquet"}, {"encoding": "cp1252"}, "encoding means nothing for parquet, which states its own"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_in_words(splits, options, words):
    with pytest.raises(SourceError) as error:
        Files(splits, **options)
    assert str(error.value) == f"Files: {words}"


def test_everything_wrong_with_a_declaration_is_told_at_once():
    with pytest.raises(SourceError) as error:
        Files({"train": "a.csv"}, formt="csv", quoting="some")
    assert str(error.value) == (
        "Files: quoting: Input should be 'minimal' or 'none'; no key formt; did you mean format?"
    )


def test_a_path_object_is_no_text():
    """Paths in task files are texts, so that no machine's own way to write them gets in."""
    with pytest.raises(SourceError, match=r"splits\.train: Input should be a valid tuple"):
        Files({"train": Path("a.csv")})  # type: ignore[dict-item]


def test_a_column_tells_which_file_a_row_comes_from(tmp_path):
    for name, line in (("pos.txt", "Fine."), ("neg.txt", "Bad.")):
        (tmp_path / name).write_text(f"{line}\n", encoding="utf-8")
    columns = {"text": "line", "label": labels("_file", {"pos.txt": "positive", "neg.txt": "negative"})}
    source = Files({"train": f"{tmp_path}/*.txt"})
    task = Task(name="t", cluster="c", schema=Classification, source=source, columns=columns)
    found, _ = first_examples(task, "train", data="source", data_dir=None)
    assert found.select("row", "text", "label").rows() == [
        ("neg.txt:0", "Bad.", "negative"),
        ("pos.txt:0", "Fine.", "positive"),
    ]
