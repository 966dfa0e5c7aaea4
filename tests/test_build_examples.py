"""A row becomes the same example alone as among others, and nothing of this machine stands in its name."""

import logging

import polars as pl
import pytest

from instruction_kit import Files, Frame, Mixture, Task, labels
from instruction_kit.build.examples import Mapper
from instruction_kit.errors import MixtureError, TaskError
from instruction_kit.schema import Classification, ClosedBookQA
from instruction_kit.source.raw import INDEX, Batch

NOTES = pl.DataFrame({"body": [f"note {number}" for number in range(30)], "kind": ["x", "y"] * 15})
KIND = labels("kind", ["x", "y"])


def task(**options) -> Task:
    given = {"source": Frame(NOTES), "columns": {"text": "body", "label": KIND}, **options}
    return Task(name="notes", cluster="notes", schema=Classification, **given)


@pytest.mark.parametrize(
    "text", [pl.col("body").shift(1), pl.col("body").reverse(), pl.col("body").first(), pl.col("body").sort()]
)
def test_a_column_that_looks_at_other_rows_is_refused(text):
    with pytest.raises(TaskError) as caught:
        Mixture(tasks=[task(columns={"text": text, "label": KIND})]).dataset()
    assert str(caught.value) == (
        "task notes: text is not row-wise: alone, a row gives another value than among others; "
        "use rows= with scope= for what looks at several rows"
    )


def test_a_skip_that_looks_at_other_rows_or_is_no_condition_is_refused():
    with pytest.raises(TaskError, match="skip is not row-wise"):
        Mixture(tasks=[task(skip=pl.col("body") == pl.col("body").first())]).dataset()
    with pytest.raises(TaskError, match=r"task notes: skip= is String; give an expression that is true or false"):
        Mixture(tasks=[task(skip=pl.col("kind"))]).dataset()


def test_where_a_list_of_texts_is_wanted_a_text_is_a_list_of_one():
    quiz = pl.DataFrame({"q": ["Tall?", "Deep?", "Wide?", "Long?"], "a": ["Ada", "Ben", None, " "]})
    for texts in (quiz, quiz.with_columns(pl.col("a").cast(pl.Categorical))):
        asked = Task(
            name="quiz",
            cluster="quiz",
            schema=ClosedBookQA,
            source=Frame(texts),
            columns={"question": "q", "answers": "a"},
        )
        found = Mapper(asked, "train").examples(Batch(texts.with_row_index(INDEX)), file="f")
        assert found.accepted["answers"].to_list() == [["Ada"], ["Ben"]]
        assert found.rejected["reason"].to_list() == ["missing", "an item is blank"]


def test_a_column_can_mean_another_thing_in_each_split():
    of_train = pl.col("_split") == "train"
    column = pl.when(of_train).then(pl.col("body")).otherwise(pl.col("body").str.to_uppercase())
    mapped = task(columns={"text": column, "label": KIND})
    batch = Batch(NOTES.head(1).with_row_index(INDEX))
    found = {
        split: Mapper(mapped, split).examples(batch, file="f").accepted["text"].item() for split in ("train", "test")
    }
    assert found == {"train": "note 0", "test": "NOTE 0"}


def test_a_column_of_that_name_in_the_source_stands():
    own = NOTES.head(1).with_columns(pl.lit("dev").alias("_split")).with_row_index(INDEX)
    found = Mapper(task(columns={"text": "_split", "label": KIND}), "train").examples(Batch(own), file="f")
    assert found.accepted["text"].to_list() == ["dev"]


def test_an_absolute_path_stays_on_its_machine(tmp_path):
    fingerprints = []
    for place in ("here", "there"):
        (tmp_path / place / "more").mkdir(parents=True)
        NOTES.write_csv(tmp_path / place / "a.csv")
        NOTES.write_csv(tmp_path / place / "more" / "a.csv")
        paths = [str(tmp_path / place / "a.csv"), str(tmp_path / place / "more" / "a.csv")]
        manifest = Mixture(tasks=[task(source=Files({"train": paths}))]).build(tmp_path / place / "out")
        fingerprints.append(manifest.tasks["notes"].splits["train"])
        rows = pl.read_parquet(tmp_path / place / "out" / "train" / "train-*.parquet")["row"]
        assert {row.partition(":")[0] for row in rows} == {"a.csv", "more/a.csv"}
    assert fingerprints[0] == fingerprints[1]


def test_many_lost_rows_are_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        Mixture(tasks=[task(columns={"text": "body", "label": labels("kind", ["x", "z"])})]).dataset()
    (told,) = caplog.messages
    assert told.startswith("notes train lost 15 of 30 rows, most for: label: not one of the labels (15); each row with")


def test_a_task_object_over_files_is_never_read_where_samples_are_asked_for():
    with pytest.raises(MixtureError, match="notes is a Task object over files or a hub, and has no sample"):
        Mixture(tasks=[task(source=Files({"train": "a.csv"}))], data="sample").dataset()
