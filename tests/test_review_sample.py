"""The rules for samples: what is said of one that breaks each of them, and of one that keeps them all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from instruction_kit.review.review import review

TASK = """\
import polars as pl

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    source=Files({"train": "notes.jsonl", "test": "more.jsonl"}),
    columns={"text": text("note"), "label": labels("stars", ["negative", "positive"])},
    skip=pl.col("stars") == -1,
)
"""
DIRT: list[dict[str, Any]] = [
    {"note": "", "stars": 1, "_split": "train", "_fate": "rejected: text: blank"},
    {"note": None, "stars": 1, "_split": "test", "_fate": "rejected: text: missing"},
    {"note": "Mute.", "stars": -1, "_split": "test", "_fate": "skipped"},
]
Lines = list[dict[str, Any]]


def lines(count: int = 24) -> Lines:
    """A sample that keeps every rule."""
    rows = [
        {
            "note": f"word{n} thing{n} other{n} last{n}",
            "stars": n % 2,
            "_split": "test" if n % 5 == 0 else "train",
        }
        for n in range(count - len(DIRT))
    ]
    return [*rows, *DIRT]


def said(folder: Path, sample: Lines, *, task: str = TASK, as_it_is: bool = False) -> list[tuple[int | None, str, str]]:
    """Line, rule and words of what is said of a sample."""
    path = folder / "tasks/moods/notes.py"
    path.parent.mkdir(parents=True)
    path.write_text(task)
    text = "".join(json.dumps(line, ensure_ascii=not as_it_is) + "\n" for line in sample)
    path.with_suffix(".sample.jsonl").write_text(text, encoding="utf-8")
    found = review([folder], library=True).findings
    return [(one.line, one.rule, one.what) for one in found if one.file.endswith(".jsonl")]


def with_line(number: int, **values: Any) -> Lines:
    """The sample with other values on one line, counted from 1."""
    found = lines()
    found[number - 1] = {**found[number - 1], **values}
    return found


def test_of_a_sample_that_keeps_every_rule_nothing_is_said(tmp_path):
    assert said(tmp_path, lines()) == []


UNKNOWN = "rejected: label: not one of the labels"
BROKEN: Mapping[str, tuple[Lines, list[tuple[int | None, str, str]]]] = {
    "few": (lines(23), [(None, "sample_size", "23 rows; write 24 or more")]),
    "split": (
        with_line(2, _split="validation"),
        [(2, "sample_splits", "`_split` is validation, which the source has not")],
    ),
    "column": (
        [{key: value for key, value in line.items() if line["note"] or key != "note"} for line in lines()[:-2]]
        + lines()[-2:],
        [
            (
                22,
                "sample_columns",
                "lacks note; every row of the source has the same columns: write null for none",
            ),
            (22, "sample_fate", "`_fate` says rejected: text: blank, and it is rejected: text: missing"),
        ],
    ),
    "unstated": (
        with_line(3, stars=7),
        [
            (
                3,
                "sample_fate",
                f'it is {UNKNOWN}; write "_fate": "{UNKNOWN}", or mend it',
            )
        ],
    ),
    "other fate": (
        with_line(4, _fate="skipped"),
        [(4, "sample_fate", "`_fate` says skipped, and it is used")],
    ),
    "classes": (
        [{**line, "stars": 1} if number < 9 else line for number, line in enumerate(lines())],
        [(None, "sample_classes", "classes are not within 2:1 of each other: negative 6, positive 15")],
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_breaks_a_rule_is_told_with_its_line(kind, tmp_path):
    sample, expected = BROKEN[kind]
    assert said(tmp_path, sample) == expected


@pytest.mark.parametrize(
    ("note", "told"),
    [
        ("word1 thing1 other1 last1", ["shares 100% of its runs of three words with line 2; at most 50%"]),
        ("word1 thing1 other1 last1 more", ["shares 67% of its runs of three words with line 2; at most 50%"]),
        ("word1 thing1 other1 last1 and more", []),
    ],
)
def test_rows_may_share_half_of_their_runs_and_not_more(note, told, tmp_path):
    assert [what for _, _, what in said(tmp_path, with_line(4, note=note))] == told


def test_fewer_than_three_kinds_of_dirt_are_told_by_name(tmp_path):
    sample = with_line(23, note="", _fate="rejected: text: blank")
    told = "2 kinds of dirt (rejected: text: blank; skipped): different values of `_fate`"
    assert said(tmp_path, sample) == [(None, "sample_dirt", f"{told}; show 3 or more that the source has")]


def test_a_split_without_a_row_is_told(tmp_path):
    sample = [{**line, "_split": "train"} for line in lines()]
    assert said(tmp_path, sample) == [(None, "sample_splits", "no row of test, which the source has")]


def test_a_key_that_stood_before_removes_a_row_and_a_row_without_one_is_rejected(tmp_path):
    sample: Lines = [{**line, "id": f"n{number}"} for number, line in enumerate(lines(), start=1)]
    sample[4] |= {"id": "n2", "_fate": "removed: another row before it has the same key"}
    sample[6] |= {"id": None, "_fate": "rejected: key: missing"}
    assert said(tmp_path, sample, task=TASK.replace("task = Task(", 'task = Task(\n    key="id",')) == []


def test_lines_of_one_group_are_one_row_and_may_repeat_each_other(tmp_path):
    rows = """
def whole(lines):
    return lines.group_by("about", maintain_order=True).agg(pl.col("note").first(), pl.col("stars").first())

"""
    task = TASK.replace("\ntask = Task(", rows + 'task = Task(\n    rows=whole,\n    scope="group:about",')
    sample: Lines = [{**line, "about": f"a{number}"} for number, line in enumerate(lines(), start=1)]
    sample += [sample[0]]
    assert said(tmp_path, sample, task=task) == []


def test_a_sample_that_cannot_be_read_is_a_problem_with_its_line(tmp_path):
    assert said(tmp_path, with_line(2, _split="dev")) == [
        (2, "file", "`_split` must be one of train, validation, test, exemplars")
    ]


def test_a_line_that_is_no_json_is_a_problem_with_its_line(tmp_path):
    said(tmp_path, lines())
    path = tmp_path / "tasks/moods/notes.sample.jsonl"
    path.write_text(path.read_text().replace('{"note": "word1', '{"note" "word1'))
    (found,) = review([tmp_path]).findings
    assert str(found).startswith(f"{path}:2: not JSON")


def test_a_text_may_hold_whatever_ends_a_line_elsewhere(tmp_path):
    assert said(tmp_path, with_line(2, note="one\u2028two\x85three four"), as_it_is=True) == []


def test_a_task_without_a_sample_is_asked_for_one_by_the_rules_of_the_library_alone(tmp_path):
    path = tmp_path / "tasks/moods/notes.py"
    path.parent.mkdir(parents=True)
    path.write_text(TASK)
    told = f"{path}: has no sample; write notes.sample.jsonl beside it"
    assert told in [str(one) for one in review([tmp_path], library=True).findings]
    assert "sample" not in " ".join(one.what for one in review([tmp_path]).findings)
