"""A report from rows: every figure worked out by hand on a few rows, and rows that give none."""

from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.figures import best_candidates
from instruction_kit.evaluation.report import Figure, Report, TaskResult
from instruction_kit.evaluation.rows import ROWS
from instruction_kit.evaluation.sample import Sample, average
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
        "group": "",
        "round": 0,
        "protocol": "rank",
        "metrics": ["accuracy"],
        "prompt": f"{row}?\n",
        "options": [f"option {place}" for place in range(len(scores))],
        "candidates": [f"option {place}" for place in range(len(scores))],
        "gold": gold,
        "scores": scores,
        "num_tokens": [2] * len(scores),
        "priors": None,
        "prediction": best_candidates(scores),
        "outputs": None,
        "answer": None,
        "references": None,
        "dropped": None,
        **values,
    }


def likely(task: str, row: int, score: float, num_tokens: int, **values: Any) -> Row:
    """A measured pair of a task without options."""
    of_it = {"protocol": "likelihood", "cluster": "math", "num_tokens": [num_tokens], **values}
    return ranked(task, row, [score], [0], **of_it)


def dropped(row: Row, reason: str = "longer than the model's 8 positions") -> Row:
    return {**row, "scores": None, "prediction": None, "dropped": reason}


def written(task: str, row: int, answer: str | None, references: list[str], **values: Any) -> Row:
    """A pair whose answer was generated."""
    of_it = {
        "protocol": "generate", "options": [], "candidates": [], "gold": [], "scores": None, "num_tokens": None,
        "prediction": None, "outputs": [answer or "?"], "answer": answer, "references": references,
        "metrics": ["exact_match", "f1"], **values,
    }  # fmt: skip
    return {**ranked(task, row, [0.0], [0]), **of_it}


def frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=ROWS)


def report_of(*rows: Row) -> Report:
    return summarise(frame(list(rows)))


def right(task: str, row: int, *, is_right: bool = True, **values: Any) -> Row:
    return ranked(task, row, [-1.0, -2.0] if is_right else [-2.0, -1.0], [0], **values)


def ranked_tasks(*rows: Row) -> list[TaskResult]:
    """The results of ranking by the sum of the log-probabilities."""
    return [task for task in report_of(*rows).split("held_out").tasks if task.measure == "accuracy"]


def covers(figure: Figure) -> bool:
    """A wide enough interval around its figure."""
    assert figure.low is not None
    assert figure.high is not None
    return figure.low < figure.mean < figure.high


def test_one_task_under_two_templates_by_hand():
    """Right under the first template on 3 of 4 rows, under the second on 1 of 4."""
    rows = [right("rte", row, is_right=row < 3) for row in range(4)]
    rows += [right("rte", row, is_right=row == 0, template="nli/two") for row in range(4)]
    result = ranked_tasks(*rows)[0]
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
    assert covers(figure)
    assert (spread.min, spread.max, spread.standard_deviation) == (0.25, 0.75, 0.25)
    assert (spread.lower_quartile, spread.median, spread.upper_quartile) == (0.375, 0.5, 0.625)
    assert covers(result.templates[0].figures["model"])
    assert (result.difference, result.unread) == (None, {})


def test_the_row_is_the_unit_however_many_templates_it_stands_under():
    few = [right("rte", row, is_right=row % 2 == 0) for row in range(10)]
    many = [{**row, "template": f"nli/{number}"} for row in few for number in range(7)]
    [one], [seven] = ranked_tasks(*few), ranked_tasks(*many)
    assert seven.num_rows == one.num_rows == 10
    assert seven.figures["model"].low == pytest.approx(one.figures["model"].low)


def test_rows_about_one_text_are_resampled_together():
    """Ten rows about two texts, right on one of them: as uncertain as two rows are."""
    apart = [right("rte", row, is_right=row < 5) for row in range(10)]
    together = [{**row, "group": f"text {number < 5}"} for number, row in enumerate(apart)]
    [one], [other] = ranked_tasks(*apart), ranked_tasks(*together)
    assert (one.num_groups, other.num_groups, other.num_rows) == (10, 2, 10)
    assert covers(one.figures["model"])
    assert other.figures["model"].low == 0
    [alone] = ranked_tasks(*({**row, "group": "the same"} for row in apart))
    assert (alone.num_groups, alone.figures["model"].low) == (1, None)


def test_a_template_counts_as_much_as_another_with_more_rows():
    """One of 1 right and 1 of 3 right: the mean is 2/3."""
    rows = [right("rte", 0), *(right("rte", row, is_right=row == 1, template="nli/two") for row in range(1, 4))]
    figure = ranked_tasks(*rows)[0].figures["model"]
    assert figure.mean == pytest.approx((1 + 1 / 3) / 2)
    assert covers(figure)


def test_the_same_template_in_two_settings_is_two_phrasings():
    rows = [right("rte", 0), right("rte", 0, is_right=False, setting="zero_shot.no_options")]
    result = ranked_tasks(*rows)[0]
    assert [of.setting for of in result.templates] == ["zero_shot.no_options", "zero_shot.options"]
    assert result.figures["model"].mean == 0.5


def test_ties_are_wrong_and_any_of_several_right_candidates_is_right():
    rows = [
        ranked("copa", 0, [-1.0, -1.0], [0]),
        ranked("copa", 1, [-3.0, -1.0, -2.0], [1, 2]),
        ranked("copa", 2, [-1.0, -1.0, -2.0], [0, 1]),
        ranked("copa", 3, [-1.0, -1.0, -2.0], [0, 2]),
    ]
    result = ranked_tasks(*rows)[0]
    assert result.figures["model"].mean == 0.5
    assert result.chance == pytest.approx((1 / 2 + 2 / 3 + 2 / 3 + 2 / 3) / 4)
    assert result.majority == 0.75


def test_the_best_constant_answer_is_an_option_s_words_whatever_mark_a_row_lists_it_with():
    """Eight of nine are "no", four times as (A) and four times as (B)."""
    orders = [["no", "yes"], ["yes", "no"]] * 4
    marked = {"candidates": ["(A)", "(B)"], "metrics": ["accuracy"]}
    rows = [ranked("rte", row, [-1.0, -2.0], [of.index("no")], options=of, **marked) for row, of in enumerate(orders)]
    rows.append(ranked("rte", 8, [-1.0, -2.0], [0], options=["yes", "no"], **marked))
    result = ranked_tasks(*rows)[0]
    assert (result.chance, result.majority) == (0.5, 8 / 9)


def test_answers_behind_reasons_have_their_baselines_beside_them_where_there_are_options():
    listed = {"protocol": "chain_of_thought", "metrics": ["accuracy"], "options": ["tea", "milk", "rain", "ink"]}
    rows = [written("ecqa", row, "ink", ["tea" if row else "ink"], **listed) for row in range(4)]
    task = report_of(*rows).split("held_out").tasks[0]
    assert (task.figures["model"].mean, task.chance, task.majority) == (0.25, 0.25, 0.75)
    free = [written("sums", row, "4", ["4"], **{**listed, "options": []}) for row in range(4)]
    assert report_of(*free).split("held_out").tasks[0].chance is None


def test_clusters_and_overall_are_plain_means_over_tasks():
    rows = [right("rte", row) for row in range(8)]
    rows += [right("snli", row, is_right=row == 0) for row in range(4)]
    rows += [right("copa", row, is_right=False, cluster="commonsense") for row in range(2)]
    result = report_of(*rows).split("held_out")
    clusters = [of for of in result.clusters if of.measure == "accuracy"]
    assert [(of.cluster, of.num_tasks, of.num_rows, of.figures["model"].mean) for of in clusters] == [
        ("commonsense", 1, 2, 0.0),
        ("natural_language_inference", 2, 12, 0.625),
    ]
    overall = result.overall[0]
    assert overall.figures["model"].mean == pytest.approx((1 + 0.25 + 0) / 3)
    snli = next(task for task in result.tasks if task.task == "snli").figures["model"]  # the one that varies
    assert snli.low is not None
    assert overall.figures["model"].low == pytest.approx((1 + snli.low) / 3)


def test_a_task_without_options_is_a_mean_per_token_and_is_averaged_with_its_like_alone():
    rows = [likely("sums", 0, -6.0, 3), likely("sums", 1, -4.0, 1), right("rte", 0)]
    report = report_of(*rows)
    sums = next(task for task in report.split("held_out").tasks if task.task == "sums")
    assert (sums.chance, sums.majority) == (None, None)
    figure = sums.figures["model"]
    assert (figure.mean, figure.low, figure.high) == (-3, -4, -2)
    assert report.overall("held_out") == 1
    assert report.overall("held_out", measure="log_likelihood") == -3
    assert report_of(rows[0]).split("held_out").tasks[0].figures["model"].low is None
    assert report_of(rows[0]).overall("held_out") is None


def test_a_model_stands_beside_its_baseline():
    before = [right("rte", row, is_right=row == 0, model="baseline") for row in range(4)]
    after = [right("rte", row, is_right=row != 0) for row in range(4)]
    report = report_of(*before, *after)
    assert report.models == ("model", "baseline")
    task = report.split("held_out").tasks[0]
    assert (task.figures["baseline"].mean, task.figures["model"].mean) == (0.25, 0.75)
    assert task.difference is not None
    assert task.difference.mean == 0.5
    assert report.split("held_out").overall[0].difference == task.difference
    assert report.overall("held_out", model="baseline") == 0.25


def test_a_difference_is_of_the_same_rows():
    """Where both are right on the same rows the difference is sure, however uncertain each figure is."""
    before = [right("rte", row, is_right=row % 2 == 0, model="baseline") for row in range(20)]
    [task] = ranked_tasks(*before, *({**row, "model": "model"} for row in before))
    assert covers(task.figures["model"])
    assert task.difference == Figure(mean=0, low=0, high=0)


def test_a_difference_of_nothing_is_0_however_means_round():
    """A bound of 1e-18 would be an interval that leaves 0 out."""
    draws = np.full(10, 0.1)
    found = average([Sample(0.1, draws)] * 3).less(Sample(0.1 + 2e-17, np.where(np.arange(10) % 2, 0.1, 0.1 - 2e-17)))
    assert found.figure == Figure(mean=0, low=0, high=0)


def test_scores_are_also_compared_by_token_and_against_an_empty_prompt():
    row = ranked("rte", 0, [-4.0, -3.0, -6.0], [2], num_tokens=[4, 1, 2], priors=[-5.0, -1.0, -9.0])
    other = ranked("rte", 1, [-4.0, -3.0, -6.0], [0], num_tokens=[4, 1, 2], priors=[-5.0, -1.0, -9.0])
    tasks = report_of(row, other).split("held_out").tasks
    assert {task.measure: task.figures["model"].mean for task in tasks} == {
        "accuracy": 0,
        "accuracy_per_token": 0.5,
        "accuracy_calibrated": 0.5,
    }


def test_ranked_candidates_are_correlated_by_the_words_of_their_options():
    options = ["0 of 5", "3 of 5", "5 of 5"]
    rows = [
        ranked("stsb", row, scores, [row], options=options, metrics=["pearson"])
        for row, scores in enumerate([[-1.0, -2.0, -3.0], [-2.0, -1.0, -3.0], [-3.0, -2.0, -1.0]])
    ]
    tasks = {task.measure: task.figures["model"].mean for task in report_of(*rows).split("held_out").tasks}
    assert tasks == {"accuracy": 1, "accuracy_per_token": 1, "pearson": pytest.approx(1)}


def test_generated_answers_are_measured_by_the_metrics_that_the_task_names():
    rows = [
        written("squad", 0, "The red house", ["red house", "house"]),
        written("squad", 1, "a house", ["red house"]),
        written("squad", 2, None, ["blue"]),
    ]
    report = report_of(*rows)
    tasks = report.split("held_out").tasks
    means = {task.measure: task.figures["model"].mean for task in tasks}
    assert means == {"exact_match": pytest.approx(1 / 3), "f1": pytest.approx((1 + 2 / 3) / 3)}
    assert (tasks[0].protocol, tasks[0].unread, tasks[0].chance) == ("generate", {"model": 1}, None)
    assert report.split("held_out").kinds[0].title == "Exact match of generated answers, %"


def test_zero_shot_and_few_shot_are_never_averaged():
    rows = [right("rte", 0), right("rte", 0, is_right=False, setting="few_shot.options")]
    assert [(task.shots, task.figures["model"].mean) for task in ranked_tasks(*rows)] == [
        ("zero_shot", 1),
        ("few_shot", 0),
    ]


def test_the_best_template_is_chosen_on_other_rows():
    """nli/two is better on the validation rows, and nli/one on those that are measured."""
    measured = [right("rte", row, is_right=row < 3, template="nli/one") for row in range(4)]
    measured += [right("rte", row, is_right=row < 2, template="nli/two") for row in range(4)]
    chosen_on = [
        right(
            "rte", row, is_right=template == "nli/two", template=template, split="validation", measured_split="choosing"
        )
        for row in range(4)
        for template in ("nli/one", "nli/two")
    ]
    best = ranked_tasks(*measured, *chosen_on)[0].best["model"]
    assert (best.chosen_on, best.templates, best.figure.mean) == ("validation", ("nli/two, zero_shot.options",), 0.5)


def test_the_best_template_is_the_one_with_the_lowest_distance():
    answers = {"nli/one": "abcd", "nli/two": "xbcd"}
    distance = {"metrics": ["edit_distance"]}
    measured = [written("sums", row, "abcd", ["abcd"], template=name, **distance) for row in (0, 1) for name in answers]
    chosen_on = [
        written("sums", 2, answer, ["abcd"], template=name, measured_split="choosing", **distance)
        for name, answer in answers.items()
    ]
    best = report_of(*measured, *chosen_on).split("held_out").tasks[0].best["model"]
    assert best.templates == ("nli/one, zero_shot.options",)


def test_what_is_chosen_on_a_half_is_not_measured_on_it():
    """Each row is right under one of two templates. Where the halves disagree, neither choice holds on the other."""
    reached = set()
    for under_one in product((True, False), repeat=4):
        rows = [
            right("rte", row, is_right=one == (template == "nli/one"), template=template)
            for row, one in enumerate(under_one)
            for template in ("nli/one", "nli/two")
        ]
        reached.add(ranked_tasks(*rows)[0].best["model"].figure.mean)
    assert (min(reached), max(reached)) == (0, 1)


def test_without_other_rows_each_half_is_measured_under_the_best_template_of_the_other():
    """One template is always right: the best of both halves."""
    rows = [
        right("rte", row, is_right=template == "nli/two", template=template)
        for row in range(6)
        for template in ("nli/one", "nli/two")
    ]
    best = ranked_tasks(*rows)[0].best["model"]
    assert (best.chosen_on, best.templates, best.figure.mean) == ("halves", ("nli/two, zero_shot.options",) * 2, 1)
    assert ranked_tasks(*rows[::2])[0].best == {}


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
