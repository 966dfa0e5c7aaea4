"""Measurements side by side: the same pairs, paired differences, and what is refused."""

import json
import re
from typing import Any

import pytest
from command import command
from test_evaluation_files import RUN
from test_evaluation_page import well_formed
from test_evaluation_summary import dropped, frame, right, written

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.compare import Comparison, compare
from instruction_kit.evaluation.files import ROWS_PARQUET, RUN_KEY
from instruction_kit.evaluation.report import Run


def rows_of(good: int, *, rows: int = 8, **values: Any) -> list[dict[str, Any]]:
    """A run that is right on the first rows of two tasks."""
    return [
        right(task, row, is_right=row < good, template=template, cluster=cluster, **values)
        for task, cluster in (("rte", "natural_language_inference"), ("copa", "commonsense"))
        for template in ("one", "two")
        for row in range(rows)
    ]


def measured(folder: Any, rows: list[dict[str, Any]], run: Run | None = RUN) -> str:
    """Of the files of a measurement only the rows are read."""
    folder.mkdir(parents=True)
    frame(rows).write_parquet(folder / ROWS_PARQUET, metadata={RUN_KEY: run.model_dump_json()} if run else {})
    return str(folder)


@pytest.fixture
def runs(tmp_path):
    return [measured(tmp_path / name, rows_of(good)) for name, good in (("small", 2), ("large", 6), ("same", 2))]


def test_figures_stand_side_by_side_and_differences_are_over_the_same_rows(runs):
    found = compare(runs)
    [overall] = [line for line in found.splits[0].overall if line.measure == "accuracy"]
    means = {name: figure.mean for name, figure in overall.figures.items()}
    assert means == {"small": 0.25, "large": 0.75, "same": 0.25}
    assert list(overall.differences) == ["large", "same"]
    assert overall.differences["large"].mean == 0.5
    same = overall.differences["same"]
    assert (same.mean, same.low, same.high) == (0, 0, 0)  # row by row there is nothing between them
    large = overall.differences["large"]
    assert large.low is not None
    assert large.high is not None
    assert 0 < large.low < 0.5 < large.high < 1
    names = [(line.cluster, line.task) for line in found.splits[0].tasks if line.measure == "accuracy"]
    assert names == [("commonsense", "copa"), ("natural_language_inference", "rte")]
    assert [one.not_shared for one in found.runs] == [0, 0, 0]


def test_only_pairs_that_every_run_measured_count(tmp_path, runs):
    choosing = rows_of(6, split="validation", measured_split="choosing")  # they choose a template, and are no figure
    more = measured(tmp_path / "more", [*rows_of(6, rows=20), *choosing])
    lost = [dropped(row) if row["row"] == "r0" else row for row in rows_of(6)]
    less = measured(tmp_path / "less", lost)
    found = compare([runs[0], more, less])
    assert [(one.name, one.num_pairs, one.not_shared) for one in found.runs] == [
        ("small", 32, 4),
        ("more", 80, 52),
        ("less", 28, 0),
    ]
    [overall] = [line for line in found.splits[0].overall if line.measure == "accuracy"]
    assert overall.num_rows == 14
    assert overall.figures["small"].mean == pytest.approx(1 / 7)


def test_a_measure_for_each_protocol_that_all_runs_have(tmp_path):
    both = [*rows_of(2), *(written("sums", row, "4", ["4" if row else "5"]) for row in range(4))]
    one, other = measured(tmp_path / "a", both), measured(tmp_path / "b", rows_of(3))
    assert {line.protocol for line in compare([one, other]).splits[0].overall} == {"rank"}
    other = measured(tmp_path / "c", both)
    assert {line.protocol for line in compare([one, other]).splits[0].overall} == {"rank", "generate"}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            rows_of(2, prompt="another\n"),
            (
                "compare: other was not measured on the data of small: 32 of 32 pairs differ, the first in its prompt: "
                "copa test row r0 under one, zero_shot.options (small: mixture ffffffffffffffff, held_out rank; other: "
                "mixture eeeeeeeeeeeeeeee, held_out rank); measure both on one built folder"
            ),
        ),
        (
            rows_of(2, measured_split="seen"),
            (
                "compare: other measured no pair that those before it did (small: mixture ffffffffffffffff, "
                "held_out rank; other: mixture eeeeeeeeeeeeeeee, seen rank); compare runs over one built folder, with "
                "the same --split and --protocol"
            ),
        ),
    ],
)
def test_other_data_are_refused_with_what_differs(tmp_path, runs, rows, told):
    other = measured(tmp_path / "other", rows, RUN.model_copy(update={"dataset": "e" * 64}))
    with pytest.raises(EvaluationError) as error:
        compare([runs[0], other])
    assert str(error.value) == told
    code, out, err = command("compare", runs[0], other)
    assert (code, out) == (1, "")
    assert told in " ".join(err.split())


def test_the_same_rows_of_another_build_are_the_same_data(tmp_path, runs):
    """A fingerprint names the code as well; what counts is the pairs."""
    other = measured(tmp_path / "other", rows_of(6), RUN.model_copy(update={"dataset": "e" * 64}))
    assert compare([runs[0], other]).splits


def test_one_run_or_one_twice_or_none_there_is_told(tmp_path, runs):
    with pytest.raises(EvaluationError, match=r"^compare: name two measurements or more, each once"):
        compare(runs[:1])
    with pytest.raises(EvaluationError, match=r"^compare: name two measurements or more, each once"):
        compare([runs[0], runs[0]])
    with pytest.raises(EvaluationError, match=r"nowhere/rows\.parquet: no rows there"):
        compare([runs[0], tmp_path / "nowhere"])


def test_folders_of_one_name_are_told_by_their_paths(tmp_path):
    folders = [measured(tmp_path / name / "report", rows_of(2)) for name in ("a", "b")]
    assert [one.name for one in compare(folders).runs] == folders


def test_the_command_shows_tables_or_json_and_writes_a_page(tmp_path, runs):
    code, out, _ = command("compare", *runs[:2], "--html", tmp_path / "page" / "compare.html")
    assert code == 0
    assert re.search(r"^ *rte +8 +25\.0 +75\.0 +\+50\.0 +\+\d+\.\d to \+\d+\.\d +50\.0 *$", out, re.MULTILINE)
    text = (tmp_path / "page" / "compare.html").read_text(encoding="utf-8")
    page = well_formed(text)
    assert page.findtext(".//h1") == "small and large"
    assert len(list(page.iter("figure"))) == 2
    code, out, _ = command("compare", *runs, "--json")
    assert Comparison.model_validate(json.loads(out)) == compare(runs)


def test_the_schema_of_the_json_is_the_one_of_its_format_version():
    """A change here is a new format_version: programs count on it."""
    parts = Comparison.model_json_schema()["$defs"] | {"Comparison": Comparison.model_json_schema()}
    told = {name: " ".join(part["properties"]) for name, part in parts.items() if name not in ("Figure", "Run")}
    assert told == {
        "Comparison": "format_version runs splits",
        "ComparedRun": "name run num_pairs not_shared",
        "ComparedSplit": "split overall clusters tasks",
        "Compared": "cluster task protocol shots measure num_rows chance majority figures differences",
    }


def test_the_order_of_rows_has_no_say(tmp_path, runs):
    turned = measured(tmp_path / "turned", rows_of(6)[::-1], None)
    one, other = compare([runs[0], runs[1]]), compare([runs[0], turned])
    assert [line.differences["large"] for line in one.splits[0].tasks] == [
        line.differences["turned"] for line in other.splits[0].tasks
    ]
