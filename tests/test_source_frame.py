"""Data in memory: a `datasets.Dataset`, a Polars or pandas frame and an Arrow table all read as the same rows."""

import datasets
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from instruction_kit import Frame
from instruction_kit.errors import SourceError
from instruction_kit.source.raw import INDEX, Where

ROWS = {"text": ["fine", None, "x\ny"], "label": [0, 1, 1], "tags": [["a"], [], ["b", "c"]]}
FEATURES = datasets.Features(
    {
        "text": datasets.Value("string"),
        "label": datasets.ClassLabel(names=["bad", "good"]),
        "tags": datasets.List(datasets.Value("string")),
    }
)
DATASET = datasets.Dataset.from_dict(ROWS, features=FEATURES)


def rows(source: Frame, split: str = "train", columns: frozenset[str] | None = None) -> list[dict[str, object]]:
    (part,) = source.ranges(split, Where())
    return [row for batch in source.read(part, Where(), columns) for row in batch.frame.to_dicts()]


EXPECTED = [
    {"text": t, "label": n, "tags": g, INDEX: i} for i, (t, n, g) in enumerate(zip(*ROWS.values(), strict=True))
]


@pytest.mark.parametrize(
    "data",
    [
        pl.DataFrame(ROWS),
        pl.LazyFrame(ROWS),
        pa.table(ROWS),
        pd.DataFrame(ROWS),
        DATASET,
        DATASET.with_format("numpy"),
        DATASET.to_iterable_dataset(),
    ],
    ids=["polars", "lazy", "arrow", "pandas", "dataset", "formatted dataset", "iterable dataset"],
)
def test_every_kind_of_table_reads_as_the_same_rows(data):
    assert rows(Frame(data)) == EXPECTED


def test_rows_that_were_selected_and_shuffled_stay_so():
    assert [row["text"] for row in rows(Frame(DATASET.select([2, 0])))] == ["x\ny", "fine"]


def test_the_names_of_a_class_label_come_along():
    source = Frame(DATASET)
    (part,) = source.ranges("train", Where())
    (batch,) = source.read(part, Where(), None)
    assert batch.class_names == {"label": ("bad", "good")}


def test_a_dict_of_frames_is_read_by_split():
    source = Frame({"train": pl.DataFrame(ROWS), "test": pd.DataFrame(ROWS)})
    assert source.split_names == ("train", "test")
    assert (source.rows("test"), source.rows("validation")) == (3, 0)
    assert rows(source, "test") == EXPECTED
    assert Frame(datasets.DatasetDict(validation=DATASET)).split_names == ("validation",)


def test_only_the_wanted_columns_are_given():
    assert rows(Frame(pl.DataFrame(ROWS)), columns=frozenset({"text", "absent"})) == [
        {"text": row["text"], INDEX: row[INDEX]} for row in EXPECTED
    ]


@pytest.mark.parametrize("data", [pl.DataFrame(ROWS).clear(), DATASET.select([]), pd.DataFrame(ROWS).iloc[:0]])
def test_a_table_without_rows_gives_none(data):
    assert rows(Frame(data)) == []


def test_what_pandas_calls_missing_is_missing():
    frame = pd.DataFrame({"a": ["x", None], "b": [1.5, float("nan")], "c": pd.Categorical(["p", None])})
    assert rows(Frame(frame)) == [
        {"a": "x", "b": 1.5, "c": "p", INDEX: 0},
        {"a": None, "b": None, "c": None, INDEX: 1},
    ]


def test_the_content_is_that_of_the_rows():
    def content(frame: pl.DataFrame) -> str:
        (part,) = Frame(frame).ranges("train", Where())
        return part.content

    assert content(pl.DataFrame(ROWS)) == content(pl.concat([pl.DataFrame(ROWS)[:1], pl.DataFrame(ROWS)[1:]]))
    assert content(pl.DataFrame(ROWS)) != content(pl.DataFrame(ROWS).reverse())
    assert content(pl.DataFrame(ROWS)) != content(pl.DataFrame(ROWS).rename({"text": "texts"}))


# --- what cannot be read ----------------------------------------------------------------------------------------------

GIVE = "give a datasets.Dataset, a Polars or pandas frame, or an Arrow table, or a dict of them by split"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([{"text": "fine"}], f"Frame: cannot read a builtins.list; {GIVE}"),
        (pd.Series(["fine"]), f"Frame: cannot read a pandas.Series; {GIVE}"),
        ({"text": ["fine"]}, "Frame: no split 'text'; did you mean test?"),
        ({"dev": pl.DataFrame(ROWS)}, "Frame: no split 'dev'; there are: exemplars, test, train, validation"),
        ({}, "Frame: no split; give a frame, or a dict of frames by split"),
        (
            pl.DataFrame({INDEX: [7]}),
            "Frame[train]: the column _index bears a name that the kit uses for its own; rename it",
        ),
        (
            pl.DataFrame({"a": pl.Series([object()], dtype=pl.Object)}),
            "Frame[train]: the column a holds Python objects; give it one type of its own",
        ),
    ],
)
def test_what_is_no_table_is_refused(data, words):
    with pytest.raises(SourceError) as refused:
        Frame(data)
    assert str(refused.value) == words


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"a": ["x", 1]}),
        pd.DataFrame({"a": [["x"], [1]]}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
    ],
    ids=["mixed", "mixed lists", "one name twice"],
)
def test_a_table_of_mixed_types_is_refused(data):
    with pytest.raises(SourceError) as refused:
        Frame({"test": data})
    assert str(refused.value).startswith("Frame[test]: cannot be read as a table: ")
    assert str(refused.value).endswith("; give each column one name and one type")
