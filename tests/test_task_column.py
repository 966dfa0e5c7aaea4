"""The column helpers: each value becomes what the schema wants, or its row is rejected with the reason."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_kit import Frame, Task, index, labels, options, position, text
from instruction_kit.build.examples import Mapper
from instruction_kit.errors import TaskError
from instruction_kit.schema import Classification, MathWordProblem, MultipleChoice
from instruction_kit.source.raw import Where

SENTIMENT = ["negative", "positive"]


def fates(task: Task) -> list[Any]:
    """What became of each row: the mapped values of the schema's target, or `field: reason (value)`."""
    mapper, (part,) = Mapper(task, "train"), task.source.ranges("train", Where())
    (batch,) = task.source.read(part, Where(), task.reads)
    found = mapper.examples(batch, file="f")
    wanted = sorted(task.schema.target_fields())
    kept = {row["row"]: [row[name] for name in wanted] for row in found.accepted.to_dicts()}
    lost = {row["row"]: f"{row['field']}: {row['reason']} ({row['value']})" for row in found.rejected.to_dicts()}
    names = [f"f:{number}" for number in range(batch.frame.height)]
    return [kept[name][0] if len(wanted) == 1 else kept[name] for name in names if name in kept] + [
        lost[name] for name in names if name in lost
    ]


def labelled(values: Any, mapping: Any) -> list[Any]:
    return fates(
        Task(
            name="notes",
            cluster="sentiment",
            schema=Classification,
            source=Frame(pl.DataFrame({"stars": values})),
            columns={"text": pl.lit("x"), "label": mapping},
        )
    )


def chosen(mapping: Any, **columns: Any) -> list[Any]:
    return fates(
        Task(
            name="quiz",
            cluster="commonsense",
            schema=MultipleChoice,
            source=Frame(pl.DataFrame(columns)),
            columns={"question": pl.lit("?"), "options": pl.lit(["p", "q"]), "answer": mapping},
        )
    )


# --- labels -----------------------------------------------------------------------------------------------------------


def test_whole_numbers_are_positions_among_the_classes():
    assert labelled([0, 1, 2, -1, None], labels("stars", SENTIMENT)) == [
        "negative",
        "positive",
        "label: not one of the labels (2)",
        "label: not one of the labels (-1)",
        "label: missing (None)",
    ]


def test_texts_are_names_or_positions_written_out():
    assert labelled(["positive", " negative ", "1", "good", "01", ""], labels("stars", SENTIMENT)) == [
        "positive",
        "negative",
        "positive",
        "label: not one of the labels (good)",
        "label: not one of the labels (01)",
        "label: not one of the labels ()",
    ]


def test_texts_are_the_source_s_own_names_where_they_differ():
    mapping = labels("stars", SENTIMENT, names=["neg", "pos"])
    assert labelled(["pos", "neg", "positive"], mapping) == [
        "positive",
        "negative",
        "label: not one of the labels (positive)",
    ]


def test_where_a_name_is_a_number_texts_are_names_alone():
    mapping = labels("stars", SENTIMENT, names=["1", "2"])
    assert labelled(["1", "2", "0"], mapping) == ["negative", "positive", "label: not one of the labels (0)"]
    assert labelled([0, 1, 2], mapping) == ["negative", "positive", "label: not one of the labels (2)"]


@pytest.mark.parametrize(("values", "shown"), [([True], "true"), ([0.5], "0.5"), ([1e300], "1e+300")])
def test_what_is_like_a_position_and_none_is_rejected(values, shown):
    assert labelled(values, labels("stars", SENTIMENT)) == [f"label: not one of the labels ({shown})"]


def test_a_whole_fraction_is_the_number_that_pandas_made_it_of():
    assert labelled([0.0, 1.0, None], labels("stars", SENTIMENT)) == ["negative", "positive", "label: missing (None)"]
    assert labelled([5.0, float("nan")], labels("stars", {5: "positive"})) == ["positive", "label: missing (None)"]


def test_a_column_that_is_null_throughout_is_missing_in_every_row():
    assert labelled([None, None], labels("stars", SENTIMENT)) == ["label: missing (None)"] * 2


def test_a_dict_says_the_class_of_each_value():
    letters = {"A": "negative", "B": "positive"}
    assert labelled(["A", "B", "C", "0"], labels("stars", letters)) == [
        "negative",
        "positive",
        "label: not one of the labels (C)",
        "label: not one of the labels (0)",
    ]
    assert labelled([1, 5, 3], labels("stars", {1: "negative", 5: "positive"})) == [
        "negative",
        "positive",
        "label: not one of the labels (3)",
    ]
    assert labelled([True, False], labels("stars", {False: "negative", True: "positive"})) == ["positive", "negative"]


def test_several_values_may_be_one_class():
    mapping = labels("stars", {"1": "negative", "2": "negative", "5": "positive"})
    assert mapping.classes == ("negative", "positive")
    assert labelled(["1", "2", "5"], mapping) == ["negative", "negative", "positive"]


def test_an_expression_can_be_mapped_like_a_column():
    mapping = labels(pl.col("stars").str.slice(0, 1), {"n": "negative", "p": "positive"})
    assert labelled(["never", "perhaps", "x"], mapping) == [
        "negative",
        "positive",
        "label: not one of the labels (x)",
    ]


def test_there_is_one_name_for_each_class():
    with pytest.raises(TaskError) as refused:
        labels("stars", SENTIMENT, names=["neg"])
    assert str(refused.value) == "labels('stars'): 2 classes, 1 names; give one name for each class"
    with pytest.raises(TaskError) as refused:
        labels("stars", [])
    assert str(refused.value) == "labels('stars'): 0 classes, 0 names; give one name for each class"


# --- index and position -----------------------------------------------------------------------------------------------


def test_an_index_is_a_whole_number_or_a_text_of_digits():
    assert chosen(index("n"), n=["0", " 1 ", "one", "1.0", "1e0", "", "99999999999999999999"]) == [
        [0, ["p", "q"]],
        [1, ["p", "q"]],
        *(f"answer: not an integer ({v})" for v in ("one", "1.0", "1e0", "", "99999999999999999999")),
    ]
    assert chosen(index("n"), n=[0, 2, -1, None]) == [
        [0, ["p", "q"]],
        "answer: not an index into the options (2)",
        "answer: not an index into the options (-1)",
        "answer: missing (None)",
    ]


@pytest.mark.parametrize(("values", "shown"), [([True], "true"), ([1.0], "1.0")])
def test_what_is_like_an_integer_and_none_is_no_index(values, shown):
    assert chosen(index("n"), n=values) == [f"answer: not an integer ({shown})"]


def test_an_index_may_count_from_one():
    assert chosen(index("n", start=1), n=["1", "2", "0"]) == [
        [0, ["p", "q"]],
        [1, ["p", "q"]],
        "answer: not an index into the options (0)",
    ]


def test_a_position_is_where_a_value_stands_in_the_list_of_its_row():
    assert chosen(
        position("key", within="marks"), key=["B", "C", None, "A"], marks=[["A", "B"]] * 3 + [["A", "A"]]
    ) == [
        [1, ["p", "q"]],
        [0, ["p", "q"]],
        "answer: not in the list of options (C)",
        "answer: missing (None)",
    ]


def test_a_position_is_found_whatever_the_types_of_key_and_marks():
    assert chosen(position("key", within="marks"), key=[2, 3], marks=[[1, 2], [1, 2]]) == [
        [1, ["p", "q"]],
        "answer: not in the list of options (3)",
    ]


def test_a_key_without_a_list_is_in_none():
    assert chosen(position("key", within="marks"), key=["A"], marks=pl.Series([None], dtype=pl.List(pl.String))) == [
        "answer: not in the list of options (A)"
    ]


@given(marks=st.lists(st.text(max_size=2), min_size=1, max_size=5, unique_by=str.strip), data=st.data())
def test_a_position_points_at_its_value(marks, data):
    marks = [mark.strip() for mark in marks]
    key = data.draw(st.sampled_from(marks))
    frame = pl.DataFrame({"key": [key], "marks": [marks]})
    found = frame.select(position("key", within="marks").resolve(frame.schema).value).item()
    assert marks[found] == key


# --- text and options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "mapped"),
    [
        (" a ", "a"),
        ("\u3000a\u2003\x85\n", "a"),
        ("a\r\nb\rc\u2028d", "a\nb\rc\u2028d"),
        ("a  b\t\n\n c", "a  b\t\n\n c"),
        ("|||{{ x }}{% if %}", "|||{{ x }}{% if %}"),
        ("\u202eabc\u200b", "\u202eabc\u200b"),
        ("\x00", "\x00"),
        (7, "7"),
    ],
)
def test_text_loses_the_blanks_at_its_edges_and_nothing_inside(given, mapped):
    assert pl.DataFrame({"a": [given]}).select(text("a")).item() == mapped


@given(value=st.text())
def test_text_that_was_stripped_stays_as_it_is(value):
    frame = pl.DataFrame({"a": [value]}).with_columns(text("a"))
    assert frame.select(text("a")).item() == frame.item()


@pytest.mark.parametrize("value", ["", " \u3000\n"])
def test_a_blank_text_is_blank_and_null_is_missing(value):
    task = Task(
        name="sums",
        cluster="math",
        schema=MathWordProblem,
        source=Frame(pl.DataFrame({"a": [value, None]})),
        columns={"question": pl.lit("?"), "answer": text("a")},
    )
    assert fates(task) == ["answer: blank ()", "answer: missing (None)"]


def test_options_come_from_several_columns_and_a_missing_one_is_told():
    task = Task(
        name="quiz",
        cluster="commonsense",
        schema=MultipleChoice,
        source=Frame(pl.DataFrame({"a": [" x", None, " "], "b": ["y\r\n", "z", "w"]})),
        columns={"question": pl.lit("?"), "options": options("a", "b"), "answer": pl.lit(1)},
    )
    assert fates(task) == [
        [1, ["x", "y"]],
        "options: an item is missing ([None, 'z'])",
        "options: an item is blank (['', 'w'])",
    ]


def test_a_value_that_is_no_column_is_refused():
    with pytest.raises(TaskError) as refused:
        options("a", 7)  # type: ignore[arg-type]
    assert str(refused.value) == "7 is no column; give a column's name, a Polars expression or one of the kit's helpers"
