"""A report from rows: every figure worked out by hand on a few rows, and rows that give none."""

import math
from typing import Any

import polars as pl
import pytest

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.figures import Z, best_candidates, wilson
from instruction_kit.evaluation.report import Report
from instruction_kit.evaluation.rows import ROWS
from instruction_kit.evaluation.summary import summarise

Row = dict[str, Any]


def ranked(task: str, row: int, scores: list[float], gold: list[int], **values: Any) -> Row:
    """A measured pair of a task with candidates."""
    return {
        "model": "model",
        "measured_split": "held_out",
        "task": task,
        "cluster": "natural_language_inference",
        "template": "nli/one",
        "setting": "zero_shot.options",
        "split": "test",
        "row": f"r{row}",
        "round": 0,
        "measure": "accuracy",
        "prompt": f"{row}?\n",
        "candidates": [f"option {place}" for place in range(len(scores))],
        "gold": gold,
        "scores": scores,
        "num_tokens": [2] * len(scores),
        "prediction": best_candidates(scores),
        "dropped": None,
        **values,
    }


def likely(task: str, row: int, score: float, num_tokens: int, **values: Any) -> Row:
    """A measured pair of a task without options."""
    of_it = {"measure": "log_likelihood", "cluster": "math", "num_tokens": [num_tokens], **values}
    return ranked(task, row, [score], [0], **of_it)


def dropped(row: Row, reason: str = "longer than the model's 8 positions") -> Row:
    return {**row, "scores": None, "prediction": None, "dropped": reason}


def frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=ROWS)


def report_of(*rows: Row) -> Report:
    return summarise(frame(list(rows)))


def right(task: str, row: int, *, is_right: bool = True, **values: Any) -> Row:
    return ranked(task, row, [-1.0, -2.0] if is_right else [-2.0, -1.0], [0], **values)


def test_one_task_under_two_templates_by_hand():
    """Right under the first template on 3 of 4 rows, under the second on 1 of 4."""
    rows = [right("rte", row, is_right=row < 3) for row in range(4)]
    rows += [right("rte", row, is_right=row == 0, template="nli/two") for row in range(4)]
    [result] = report_of(*rows).split("held_out").tasks
    assert (result.task, result.measure, result.num_rows, result.chance, result.majority) == (
        "rte",
        "accuracy",
        4,
        0.5,
        1,
    )
    assert [(of.template, of.num_rows, of.figures["model"].mean) for of in result.templates] == [
        ("nli/one", 4, 0.75),
        ("nli/two", 4, 0.25),
    ]
    figure, spread = result.figures["model"], result.spread["model"]
    assert figure.mean == 0.5
    assert (figure.low, figure.high) == pytest.approx(wilson(0.5, num_rows=4))
    assert (spread.min, spread.max, spread.standard_deviation) == (0.25, 0.75, 0.25)
    assert result.templates[0].figures["model"].low == pytest.approx(wilson(0.75, num_rows=4).low)
    assert result.difference is None


def test_the_row_is_the_unit_however_many_templates_it_stands_under():
    few = [right("rte", row, is_right=row % 2 == 0) for row in range(10)]
    many = [{**row, "template": f"nli/{number}"} for row in few for number in range(7)]
    [one], [seven] = report_of(*few).split("held_out").tasks, report_of(*many).split("held_out").tasks
    assert seven.num_rows == one.num_rows == 10
    assert seven.figures["model"].low == pytest.approx(one.figures["model"].low)


def test_a_template_counts_as_much_as_another_with_more_rows():
    """One of 1 right and 1 of 3 right: the mean is 2/3, the worth of the rows 1 / (1/4 + 3/36) = 3."""
    rows = [right("rte", 0), *(right("rte", row, is_right=row == 1, template="nli/two") for row in range(1, 4))]
    figure = report_of(*rows).split("held_out").tasks[0].figures["model"]
    assert figure.mean == pytest.approx((1 + 1 / 3) / 2)
    assert (figure.low, figure.high) == pytest.approx(wilson(2 / 3, num_rows=3))


def test_the_same_template_in_two_settings_is_two_phrasings():
    rows = [right("rte", 0), right("rte", 0, is_right=False, setting="zero_shot.no_options")]
    [result] = report_of(*rows).split("held_out").tasks
    assert [of.setting for of in result.templates] == ["zero_shot.no_options", "zero_shot.options"]
    assert result.figures["model"].mean == 0.5


def test_ties_are_wrong_and_any_of_several_right_candidates_is_right():
    rows = [
        ranked("copa", 0, [-1.0, -1.0], [0]),
        ranked("copa", 1, [-3.0, -1.0, -2.0], [1, 2]),
        ranked("copa", 2, [-1.0, -1.0, -2.0], [0, 1]),
        ranked("copa", 3, [-1.0, -1.0, -2.0], [0, 2]),
    ]
    [result] = report_of(*rows).split("held_out").tasks
    assert result.figures["model"].mean == 0.5
    assert result.chance == pytest.approx((1 / 2 + 2 / 3 + 2 / 3 + 2 / 3) / 4)
    assert result.majority == 0.75


def test_clusters_and_overall_are_plain_means_over_tasks():
    rows = [right("rte", row) for row in range(8)]
    rows += [right("snli", row, is_right=row == 0) for row in range(4)]
    rows += [right("copa", row, is_right=False, cluster="commonsense") for row in range(2)]
    result = report_of(*rows).split("held_out")
    assert [(of.cluster, of.num_tasks, of.num_rows, of.figures["model"].mean) for of in result.clusters] == [
        ("commonsense", 1, 2, 0.0),
        ("natural_language_inference", 2, 12, 0.625),
    ]
    [overall] = result.overall
    assert overall.figures["model"].mean == pytest.approx((1 + 0.25 + 0) / 3)
    by_task = [wilson(1, num_rows=8), wilson(0.25, num_rows=4), wilson(0, num_rows=2)]
    low = math.hypot(*(mean - interval.low for mean, interval in zip([1, 0.25, 0], by_task, strict=True))) / 3
    assert overall.figures["model"].low == pytest.approx(overall.figures["model"].mean - low)


def test_a_task_without_options_is_a_mean_per_token_and_is_averaged_with_its_like_alone():
    rows = [likely("sums", 0, -6.0, 3), likely("sums", 1, -4.0, 1), right("rte", 0)]
    report = report_of(*rows)
    sums = next(task for task in report.split("held_out").tasks if task.task == "sums")
    assert (sums.chance, sums.majority) == (None, None)
    figure = sums.figures["model"]
    assert figure.mean == -3
    assert (figure.low, figure.high) == pytest.approx((-3 - Z, -3 + Z))  # deviation sqrt(2), over sqrt(2) rows
    assert report.overall("held_out") == 1
    assert report.overall("held_out", measure="log_likelihood") == -3
    assert report_of(rows[0]).split("held_out").tasks[0].figures["model"].low is None
    assert report_of(rows[0]).overall("held_out") is None


def test_a_model_stands_beside_its_baseline():
    before = [right("rte", row, is_right=row == 0, model="baseline") for row in range(4)]
    after = [right("rte", row, is_right=row != 0) for row in range(4)]
    report = report_of(*before, *after)
    assert report.models == ("model", "baseline")
    [task] = report.split("held_out").tasks
    assert (task.figures["baseline"].mean, task.figures["model"].mean, task.difference) == (0.25, 0.75, 0.5)
    assert report.split("held_out").overall[0].difference == 0.5
    assert report.overall("held_out", model="baseline") == 0.25


def test_what_one_model_cannot_take_is_left_out_for_both_and_named():
    before = [right("rte", row, is_right=False, model="baseline") for row in range(3)]
    after = [right("rte", 0), dropped(right("rte", 1)), right("rte", 2)]
    result = report_of(*before, *after).split("held_out")
    assert result.tasks[0].num_rows == 2
    [out] = result.left_out
    assert (out.task, out.template, out.model, out.reason, out.rows) == (
        "rte",
        "nli/one",
        "model",
        "longer than the model's 8 positions",
        ("r1",),
    )


def test_splits_come_in_one_order_and_an_absent_one_is_named():
    rows = [right("rte", 0, measured_split=name) for name in ("held_out", "validation", "seen")]
    report = report_of(*rows)
    assert [result.split for result in report.splits] == ["seen", "validation", "held_out"]
    with pytest.raises(EvaluationError, match=r"split validation is not in this report; there are: held_out, seen"):
        report_of(rows[0], rows[2]).split("validation")


def test_the_order_of_the_rows_changes_nothing():
    rows = [
        ranked("snli", row, [-1.0 - (row * place) % 3, -2.0, -1.5], [row % 3], template=f"nli/{place}")
        for row in range(9)
        for place in range(3)
    ]
    rows += [dropped(right("rte", row)) for row in range(3)] + [likely("sums", row, -row / 7, 3) for row in range(5)]
    assert report_of(*rows) == report_of(*reversed(rows)) == summarise(frame(rows).sort("row", "template"))


def test_a_split_of_which_nothing_could_be_measured_says_why():
    with pytest.raises(
        EvaluationError, match="split held_out: none of its 2 pairs could be measured: longer than the mo"
    ):
        report_of(*(dropped(right("rte", row)) for row in range(2)))


def test_rows_that_cannot_be_a_measurement_are_refused():
    rows = [right("rte", 0), right("rte", 1)]
    with pytest.raises(EvaluationError, match="missing or of another type: gold, scores; measure again"):
        summarise(frame(rows).drop("scores").with_columns(gold=pl.lit("a")))
    with pytest.raises(EvaluationError, match="measured twice by one model: rte test row r1 under nli/one"):
        report_of(*rows, rows[1])
    with pytest.raises(EvaluationError, match=r"not measured by every model: rte test row r1 under nli/one \(1 such\)"):
        report_of(*rows, {**rows[0], "model": "baseline"})
