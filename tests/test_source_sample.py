"""The sample beside a task file: its rows by split, in the source's own columns."""

import pytest

from instruction_kit.errors import SourceError
from instruction_kit.source import Sample
from instruction_kit.source.raw import INDEX, Where

LINES = [
    '{"text": "a", "label": 0, "_split": "train"}',
    '{"text": "b", "label": 1, "_split": "test", "_fate": "skipped"}',
    '{"text": null, "label": 1, "_split": "train"}',
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "notes.sample.jsonl"


def refused(path) -> str:
    with pytest.raises(SourceError) as error:
        list(Sample(path).split_names)
    return str(error.value)


def test_the_rows_of_a_split_stand_in_the_source_s_own_columns(path):
    path.write_text("\n".join(LINES), encoding="utf-8")
    sample = Sample(path)
    assert sample.split_names == ("train", "test")
    (part,) = sample.ranges("train", Where())
    (batch,) = sample.read(part, Where(), None)
    assert batch.frame.to_dicts() == [{INDEX: 0, "text": "a", "label": 0}, {INDEX: 2, "text": None, "label": 1}]


def test_a_task_without_a_sample_is_told_to_write_one(path):
    assert refused(path) == f"{path}: the task has no sample; write one, or build with data: source"


def test_an_empty_sample_is_no_sample(path):
    path.touch()
    assert refused(path) == f"{path}: the sample is empty; write rows, or build with data: source"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"text": "a"', "not JSON (expecting ',' delimiter)"),
        ('{"text": 7, "_split": "train"}', "text is a whole number here and text in other rows"),
        ('{"text": "a"}', "`_split` must be one of train, validation, test, exemplars"),
        ('{"text": "a", "_split": "dev"}', "`_split` must be one of train, validation, test, exemplars"),
    ],
)
def test_a_bad_line_of_a_sample_is_an_error_with_its_number(line, words, path):
    path.write_text("\n".join([*LINES, line]), encoding="utf-8")
    assert refused(path) == f"{path}:4: {words}"


@pytest.mark.parametrize("line", ['{"text": "a"}', '{"text": "a", "_split": 7}'])
def test_a_sample_without_any_split_is_an_error_in_its_first_line(line, path):
    path.write_text(line, encoding="utf-8")
    assert refused(path) == f"{path}:1: `_split` must be one of train, validation, test, exemplars"
