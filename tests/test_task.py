"""A `Task` declares how one dataset becomes one schema; what cannot be is refused in words, all of it at once."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from instruction_kit import Files, Frame, Task, labels, text
from instruction_kit.build.examples import Mapper
from instruction_kit.errors import TaskError
from instruction_kit.schema import Classification, MathWordProblem, NaturalLanguageInference
from instruction_kit.source import Sample
from instruction_kit.source.raw import Where

ROWS = pl.DataFrame({"note": ["Loved it."], "stars": [1], "id": ["n1"]})


def task(**changes: Any) -> Task:
    declared: dict[str, Any] = {
        "name": "notes",
        "cluster": "sentiment",
        "schema": Classification,
        "source": Frame(ROWS),
        "columns": {"text": "note", "label": labels("stars", ["negative", "positive"])},
    }
    return Task(**{**declared, **changes})


def refused(**changes: Any) -> str:
    with pytest.raises(TaskError) as error:
        task(**changes)
    return str(error.value)


# --- what a task says -------------------------------------------------------------------------------------------------


def test_the_answers_are_in_the_words_of_the_task_in_the_order_of_its_classes():
    assert task().words == ("negative", "positive")
    assert task(answers={"positive": "thumbs up"}).words == ("negative", "thumbs up")


def test_a_task_reads_only_the_columns_that_it_maps():
    assert task().reads == frozenset({"note", "stars"})
    assert task(key="id", skip=pl.col("year") > 0).reads == frozenset({"note", "stars", "id", "year"})
    assert task(rows=lambda frame: frame).reads is None


@pytest.mark.parametrize(
    ("splits", "measured"),
    [
        (["train", "validation", "test"], "test"),
        (["train", "validation"], "validation"),
        (["train"], "train"),
        (["test"], "test"),
    ],
)
def test_the_measured_split_is_test_else_validation_else_train(splits, measured):
    assert task(source=Frame(dict.fromkeys(splits, ROWS))).measured_split == measured


def test_the_measured_split_can_be_named():
    assert task(source=Frame({"train": ROWS, "test": ROWS}), evaluate="train").measured_split == "train"


def test_the_key_names_the_rows():
    (part,) = task().source.ranges("train", Where())
    for declared, name in ((task(), "f:0"), (task(key="id"), "n1")):
        (batch,) = declared.source.read(part, Where(), declared.reads)
        assert Mapper(declared, "train").examples(batch, file="f").accepted["row"].to_list() == [name]


def test_a_task_object_has_no_sample_and_reads_its_frame():
    assert isinstance(task().reading("sample"), Frame)
    with pytest.raises(TaskError, match="a Task object has no sample; build with data: source"):
        _ = task().sample_path


def test_a_task_file_reads_its_sample_beside_it_where_that_is_asked_for(tmp_path):
    (tmp_path / "notes.sample.jsonl").write_text('{"note": "x", "stars": 0, "_split": "train"}', encoding="utf-8")
    filed = task().named(name="notes", cluster="sentiment", path=tmp_path / "notes.py")
    assert isinstance(filed.reading("sample"), Sample)
    assert filed.reading("source") is filed.source
    assert filed.where(Path("data")) == Where(tmp_path, Path("data"))


def test_a_task_cannot_be_changed():
    with pytest.raises(Exception, match="cannot assign to field"):
        task().license = "mit"  # type: ignore[misc]


# --- what cannot be ---------------------------------------------------------------------------------------------------


def test_a_column_for_a_field_that_the_schema_lacks_is_told_with_the_nearest_one():
    assert refused(columns={"texts": "note", "label": labels("stars", ["a", "b"])}) == (
        "task notes: Classification has no field texts; did you mean text?; "
        "columns lacks text, which Classification requires"
    )


def test_every_required_field_is_mapped():
    assert refused(columns={}) == "task notes: columns lacks text, label, which Classification requires"


def test_the_classes_of_a_classification_are_said():
    assert refused(columns={"text": "note", "label": "stars"}) == (
        'task notes: the classes of label are not known: map it with labels("…", [classes])'
    )


def test_a_label_outside_the_schema_s_list_is_told_with_the_nearest_one():
    assert (
        refused(
            schema=NaturalLanguageInference,
            columns={"premise": "a", "hypothesis": "b", "label": labels("c", ["entailment", "contradicton"])},
        )
        == "task notes: contradicton is no label of NaturalLanguageInference; did you mean contradiction?"
    )


def test_answers_are_for_the_task_s_own_classes():
    assert refused(answers={"positve": "yes"}) == (
        "task notes: answers has positve, which is no class; did you mean positive?"
    )


def test_two_classes_have_two_answers():
    assert refused(answers={"positive": "negative"}) == (
        "task notes: two classes have the same answer words: negative, negative"
    )


def test_an_answer_has_words():
    assert refused(answers={"positive": " "}) == "task notes: the answer words of positive are blank"


def test_the_measured_split_is_one_of_the_source_s():
    assert refused(evaluate="test") == "task notes: evaluate='test' is none of its splits; there are: train"


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("rows", 'scope=\'rows\': use "row", "split" or "group:<column>"'),
        ("split", "scope='split' says what rows= needs to see, and there is no rows="),
        ("group:id", "scope='group:id' says what rows= needs to see, and there is no rows="),
    ],
)
def test_a_scope_is_one_of_three_and_belongs_to_rows(scope, words):
    assert refused(scope=scope) == f"task notes: {words}"


def test_names_hold_few_characters():
    with pytest.raises(TaskError) as error:
        task(name="My notes", cluster="Sentiment!")
    assert str(error.value) == (
        "task My notes: the task name 'My notes' may only hold a-z, 0-9 and _; "
        "the cluster name 'Sentiment!' may only hold a-z, 0-9 and _"
    )


def test_everything_wrong_with_a_task_is_told_at_once():
    told = refused(answers={"good": "yes", "negative": "positive"}, evaluate="validation", scope="all")
    assert told == (
        "task notes: answers has good, which is no class; there are: negative, positive; "
        "two classes have the same answer words: positive, positive; "
        "evaluate='validation' is none of its splits; there are: train; "
        'scope=\'all\': use "row", "split" or "group:<column>"'
    )


def test_a_wrong_type_or_key_hides_nothing_else():
    columns = {"texts": "note", "label": labels("stars", ["negative", "positive"]), "rationale": 3}
    odd = {"licence": "mit", "metrics": "accuracy", "evaluate": "test", "scope": 1}
    assert refused(columns=columns, answers={"good": "yes"}, **odd) == (
        "task notes: scope: Input should be a valid string; "
        "metrics: 'str' instances are not allowed as a Sequence value; licence: unknown key; did you mean license?; "
        "rationale: 3 is no column; give a column's name, a Polars expression or one of the kit's helpers; "
        "Classification has no field texts; did you mean text?; "
        "columns lacks text, which Classification requires; "
        "answers has good, which is no class; there are: negative, positive; "
        "evaluate='test' is none of its splits; there are: train"
    )


def test_a_key_that_is_none_of_a_task_s_is_refused():
    with pytest.raises(TaskError) as caught:
        task(licence="mit", metrics="accuracy", source=pl.DataFrame({"a": [1]}))
    assert str(caught.value).split("; ") == [
        "task notes: source: a DataFrame is none of Hub, Files and Frame",
        "wrap data in memory: Frame(…)",
        "metrics: 'str' instances are not allowed as a Sequence value",
        "licence: unknown key",
        "did you mean license?",
    ]


# --- what shows only with the source ----------------------------------------------------------------------------------


def read(declared: Task) -> Any:
    (part,) = declared.source.ranges("train", Where())
    (batch,) = declared.source.read(part, Where(), declared.reads)
    return Mapper(declared, "train").examples(batch, file="f")


def test_a_column_that_the_source_lacks_is_told_with_the_nearest_one():
    declared = task(source=Frame(ROWS.rename({"note": "notes"})))
    with pytest.raises(TaskError) as error:
        read(declared)
    assert str(error.value).startswith("task notes: split train has no column note;")
    assert "notes" in str(error.value)


def test_an_expression_that_does_not_fit_the_source_names_the_task():
    declared = task(columns={"text": pl.col("stars").str.to_uppercase(), "label": labels("stars", ["a", "b"])})
    with pytest.raises(TaskError, match=r"^task notes: split train: a column's expression does not fit the source: "):
        read(declared)


def test_rows_that_are_skipped_are_neither_used_nor_rejected():
    source = Frame(pl.DataFrame({"note": ["a", "b", None], "stars": [0, -1, -1]}))
    found = read(task(source=source, skip=pl.col("stars") == -1))
    assert (found.accepted.height, found.rejected.height, found.counts["skipped"]) == (1, 0, 2)


def test_rows_can_be_made_from_rows():
    source = Frame(pl.DataFrame({"question": ["a?", "b?"], "answers": [["1", "2"], ["3"]]}))
    declared = task(
        schema=MathWordProblem,
        source=source,
        columns={"question": "question", "answer": text("answers")},
        rows=lambda frame: frame.explode("answers"),
    )
    found = read(declared)
    assert found.accepted["answer"].to_list() == ["1", "2", "3"]
    assert found.accepted["row"].is_unique().all()
    assert (found.counts["source_rows"], found.counts["read"]) == (2, 3)


def test_files_are_found_beside_the_task_file(tmp_path):
    (tmp_path / "notes.tsv").write_text("note\tstars\nFine.\t1\n", encoding="utf-8")
    filed = task(source=Files({"train": "notes.tsv"})).named(name="notes", cluster="x", path=tmp_path / "notes.py")
    (part,) = filed.source.ranges("train", filed.where(None))
    (batch,) = filed.source.read(part, filed.where(None), filed.reads)
    assert Mapper(filed, "train").examples(batch, file=part.name).accepted["label"].to_list() == ["positive"]
