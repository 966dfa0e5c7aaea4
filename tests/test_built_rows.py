"""`verify`, row by row: each thing that is wrong with a pair is named, with its file and row."""

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from verified import HELD, SEEN, TRAIN, VALIDATION, copy_of, dropped_overlap, first, problems, replace, rewrite, sound

from instruction_kit import Frame, Mixture, Task
from instruction_kit.built.verify import verify
from instruction_kit.schema import OpenInstruction


@pytest.fixture
def folder(tmp_path) -> Path:
    """A copy to tamper with."""
    return copy_of(sound(), tmp_path / "out")


@pytest.mark.parametrize(
    ("file", "where", "values", "what"),
    [
        (TRAIN, {}, {"prompt": "No end."}, r"the prompt does not end with the joiner '\n'"),
        (TRAIN, {}, {"prompt": None}, "prompt is null"),
        (TRAIN, {}, {"options": None}, "options is null"),
        (TRAIN, {}, {"row": None}, "row is null"),
        (TRAIN, {}, {"references": ["other"]}, "the completion is none of its references"),
        (TRAIN, {}, {"question_start": -1}, "question_start lies outside the prompt"),
        (TRAIN, {}, {"question_start": 10_000}, "question_start lies outside the prompt"),
        (TRAIN, {}, {"question_start": 3}, "question_start is not 0, and no exemplar or turn stands before it"),
        (TRAIN, {"inverted": False}, {"answer_start": None}, "answer_start and answer_end are not null together"),
        (TRAIN, {"inverted": False}, {"answer_start": None, "answer_end": None}, "its answer has no span"),
        (TRAIN, {"inverted": True}, {"answer_start": 0, "answer_end": 1}, "an inverted output has an answer span"),
        (TRAIN, {"inverted": False}, {"answer_end": 99}, "its answer span lies outside the completion"),
        (TRAIN, {"inverted": False}, {"answer_end": 0}, "its answer span lies outside the completion"),
        (TRAIN, {"template": "verdict/letter"}, {"answer_end": 9}, "its answer span does not hold the answer"),
        (TRAIN, {"template": "verdict/ask"}, {"options": ["x", "y"]}, "its answer is none of its options"),
        (TRAIN, {}, {"candidates": ["a"], "gold": [0]}, "it is not measured by rank, and has candidates"),
        (SEEN, {"task": "verdicts"}, {"candidates": ["a"]}, "its candidates are not one for each of its options"),
        (HELD, {}, {"candidates": []}, "its candidates are not one for each of its options"),
        (HELD, {}, {"gold": []}, "none of its candidates is gold"),
        (HELD, {}, {"gold": [3]}, "gold lies outside the candidates"),
        (HELD, {}, {"gold": [-1]}, "gold lies outside the candidates"),
        (HELD, {}, {"gold": [0, 1, 2, 2]}, "gold names a candidate twice"),
        (TRAIN, {"inverted": False}, {"round": 7}, "its round is one that there was not"),
        (HELD, {}, {"round": 1}, "its round is one that there was not"),
        (TRAIN, {"inverted": False}, {"inverted": True}, "inverted is not what its setting says"),
        (TRAIN, {}, {"setting": "few_shot.options"}, "its setting is none of the mixture's settings"),
        (HELD, {}, {"setting": "zero_shot.no_options"}, "its setting is none of the mixture's held_out_settings"),
        (TRAIN, {}, {"template": "verdict/other"}, "its template is not in manifest.json"),
        (TRAIN, {}, {"cluster": "elsewhere"}, "its cluster is not that of its task"),
        (TRAIN, {}, {"task": "other"}, "its task is none that the mixture trains"),
        (TRAIN, {}, {"task": "held"}, "its task is none that the mixture trains"),
        (HELD, {}, {"task": "verdicts"}, "its task is none that the mixture holds out"),
        (HELD, {}, {"split": "train"}, "it is of another task or split than its file"),
        (TRAIN, {}, {"split": "test"}, "its split is none of its task"),
    ],
)  # fmt: skip
def test_each_thing_that_is_wrong_with_a_row_is_named(file, where, values, what, folder):
    number = first(folder, file, **where)
    replace(folder, file, number, **values)
    told = [line for line in problems(folder) if line.startswith(f"{file} row {number} (")]
    assert what in {line.partition("): ")[2] for line in told}


def test_a_completion_that_is_not_the_gold_candidate_is_named(folder):
    number = first(folder, HELD, template="verdict/ask")
    row = pl.read_parquet(folder / HELD).row(number, named=True)
    other = next(text for text in row["candidates"] if text != row["completion"])
    changed = {"completion": other, "references": [other], "answer_end": len(other)}
    assert problems_after(folder, HELD, number, **changed) == ["its completion is none of the gold candidates"]


def problems_after(folder: Path, file: str, row: int, **values: Any) -> list[str]:
    """What is told of one row that was changed."""
    named = replace(folder, file, row, **values)
    return [line.removeprefix(f"{named}: ") for line in problems(folder) if line.startswith(f"{named}: ")]


def test_one_row_may_have_many_problems(folder):
    number = first(folder, TRAIN, template="verdict/letter")
    assert problems_after(folder, TRAIN, number, prompt="", completion=" ", references=[]) == [
        "the prompt does not end with the joiner '\\n'",
        "the completion is blank",
        "the completion is none of its references",
        "question_start lies outside the prompt",
        "its answer span lies outside the completion",
        "its answer span does not hold the answer",
    ]


def test_many_rows_with_one_problem_are_counted(folder):
    frame = pl.read_parquet(folder / TRAIN)
    rewrite(folder, TRAIN, frame.with_columns(prompt=pl.lit("x")))
    told = problems(folder)
    assert told[3] == f"{TRAIN} {frame.height - 3} more rows: the prompt does not end with the joiner '\\n'"
    shares = told[4:]  # what was written is less, in each sum
    assert all(" tokens, its files have " in line for line in shares)
    assert verify(folder).num_problems == frame.height + len(shares)


def test_a_trained_row_that_is_measured_too_is_named(folder):
    frame = pl.read_parquet(folder / TRAIN)
    both = pl.read_parquet(folder / VALIDATION).filter(task="recitals")[0]
    rewrite(folder, TRAIN, pl.concat([frame, both]))
    row = both.row(0, named=True)
    named = f"{TRAIN} row {frame.height} (recitals train {row['row']})"
    told = problems(folder)
    assert f"{named}: it is trained on, and measured as if it were not" in told
    assert not [line for line in told if line.startswith(VALIDATION)]


def test_a_seen_row_that_is_not_trained_on_is_named(folder):
    named = replace(folder, SEEN, 0, row="elsewhere:1")
    named = re.sub(r"\(.*\)", lambda said: f"{said[0].rpartition(' ')[0]} elsewhere:1)", named)
    assert f"{named}: it is called seen, and is not trained on" in problems(folder)


def test_what_stands_before_the_question_of_a_conversation_is_its_turns(tmp_path):
    said = [[{"role": "user", "content": f"Hello {n}."}, {"role": "assistant", "content": "Hi."}] for n in range(6)]
    rows = {"instruction": [f"Say {n}." for n in range(6)], "output": [str(n) for n in range(6)], "turns": said}
    columns = {name: name for name in rows}
    task = Task(name="talk", cluster="talk", schema=OpenInstruction, source=Frame(pl.DataFrame(rows)), columns=columns)
    Mixture(tasks=[task], num_validation=0).build(tmp_path / "out")
    assert problems(tmp_path / "out") == []
    frame = pl.read_parquet(tmp_path / "out" / TRAIN)
    other = [*frame["turns"][2][:1].to_list(), {"role": "assistant", "content": "Good day."}]
    named = replace(tmp_path / "out", TRAIN, 2, turns=other)
    assert problems(tmp_path / "out") == [f"{named}: what stands before its question is not its turns"]


def test_a_row_that_was_to_be_dropped_and_is_trained_on_is_named(tmp_path):
    cleaned = dropped_overlap(tmp_path)
    named = replace(cleaned, TRAIN, 3, row="t2")
    named = named.rpartition(" ")[0] + " t2)"
    assert f"{named}: it shares text with a held-out row, and was to be dropped" in problems(cleaned)
