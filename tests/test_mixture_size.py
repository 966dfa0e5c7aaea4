"""How much of each task a mixture gives: rates, sizes, phrasings, repeats, settings."""

import polars as pl
import pytest
from small_task import built, claims, counts, pairs, phrasings, recitals, verdicts

from instruction_kit import Equal, ExamplesProportional, Mixture
from instruction_kit.errors import MixtureError


def test_one_pass_gives_each_task_its_rows_up_to_the_maximum(tmp_path):
    paths = phrasings(tmp_path / "paths")
    tasks = [verdicts(claims(n), name=f"v{n}", cluster="judging") for n in (5, 12, 40)]
    built(tmp_path / "out", paths, *tasks, rates=ExamplesProportional(maximum=20))
    assert counts(tmp_path / "out") == {"v12": 12, "v40": 20, "v5": 5}
    built(tmp_path / "fewer", paths, *tasks, num_examples_per_task=8)
    assert counts(tmp_path / "fewer") == {"v12": 8, "v40": 8, "v5": 5}
    assert pairs(tmp_path / "out").select("task", "row").is_duplicated().any() is False


def test_a_number_of_pairs_is_divided_in_proportion_and_exactly(tmp_path):
    paths = phrasings(tmp_path / "paths")
    tasks = [verdicts(claims(n), name=f"v{n}", cluster="judging") for n in (5, 12, 40)]
    built(tmp_path / "out", paths, *tasks, num_pairs=50)
    assert counts(tmp_path / "out") == {"v12": 11, "v40": 35, "v5": 4}  # of 4.39, 10.53, 35.09
    built(tmp_path / "even", paths, *tasks, num_pairs=16, rates=Equal())
    assert counts(tmp_path / "even") == {"v12": 6, "v40": 5, "v5": 5}


def test_a_task_with_fewer_rows_repeats_them_each_round_in_another_phrasing(tmp_path):
    paths = phrasings(tmp_path / "paths")
    record = built(tmp_path / "out", paths, verdicts(claims(7)), num_pairs=19, settings={"zero_shot.no_options": 1})
    made = pairs(tmp_path / "out")
    assert made.height == 19
    assert sorted(made["round"].to_list()) == [0] * 7 + [1] * 7 + [2] * 5
    assert record.tasks["verdicts"].rounds == 3
    for _, row in made.group_by("row"):
        assert row["template"].n_unique() == row.height  # three phrasings, three rounds
        assert sorted(row["round"]) == list(range(row.height))


def test_when_phrasings_run_out_they_come_again_in_the_same_order(tmp_path):
    paths = phrasings(tmp_path / "paths")
    options = {"settings": {"zero_shot.no_options": 1}, "max_repeats": 8}
    built(tmp_path / "out", paths, verdicts(claims(5)), num_pairs=35, **options)
    for _, row in pairs(tmp_path / "out").group_by("row"):
        order = row.sort("round")["template"].to_list()
        assert order == (order[:3] * 3)[:7]


def test_more_repeats_than_allowed_are_an_error_that_names_the_tasks(tmp_path):
    paths = phrasings(tmp_path / "paths")
    tasks = [verdicts(claims(2), name="two"), verdicts(claims(3), name="three"), verdicts(claims(90), name="many")]
    with pytest.raises(MixtureError) as error:
        built(tmp_path / "out", paths, *tasks, num_pairs=60, rates=Equal(), max_repeats=4)
    assert str(error.value) == (
        "num_pairs 60 would use the rows of these tasks more than max_repeats 4 times: three 7 times, two 10 times; "
        "lower num_pairs, raise max_repeats or phrasings, or take them out"
    )
    assert not (tmp_path / "out").exists()  # nothing was begun that could be in the way of the mended mixture
    assert (
        built(tmp_path / "out", paths, *tasks, num_pairs=60, rates=Equal(), max_repeats=10).splits["train"]["train"]
        == 60
    )


def test_each_row_takes_several_phrasings_each_once(tmp_path):
    paths = phrasings(tmp_path / "paths")
    options = {"settings": {"zero_shot.no_options": 1}, "num_pairs": None}
    record = built(tmp_path / "out", paths, verdicts(claims(10)), phrasings=2, **options)
    made = pairs(tmp_path / "out")
    assert made.height == 20
    assert set(made["round"]) == {0}
    assert made.select("row", "template").is_duplicated().any() is False
    built(tmp_path / "one", paths, verdicts(claims(10)), **options)
    first = set(pairs(tmp_path / "one").select("row", "template").iter_rows())
    assert first <= set(made.select("row", "template").iter_rows())
    assert record.tasks["verdicts"].rounds == 1


def test_a_task_with_fewer_templates_keeps_its_share(tmp_path):
    """Under one pass too: its phrasings come again, as they do where rows are repeated."""
    paths = phrasings(tmp_path / "paths")
    options = {"settings": {"zero_shot.no_options": 1}, "phrasings": 3}
    record = built(tmp_path / "out", paths, verdicts(claims(10)), recitals(10), **options)
    made = pairs(tmp_path / "out")
    assert counts(tmp_path / "out") == {"recitals": 30, "verdicts": 30}
    assert record.tasks["verdicts"].templates == dict.fromkeys(["verdict/ask", "verdict/claim", "verdict/judge"], 10)
    assert (record.tasks["verdicts"].rounds, record.tasks["recitals"].rounds) == (1, 2)
    for _, row in made.filter(pl.col("task") == "recitals").group_by("row"):  # two templates, three phrasings
        told = row.sort("round")
        assert told["round"].to_list() == [0, 0, 1]
        assert told["template"][:2].n_unique() == 2
    plan = Mixture(tasks=[verdicts(claims(10)), recitals(10)], paths=[paths], num_validation=0, **options).plan()
    assert {name: task.share for name, task in plan.training.items()} == {"recitals": 0.5, "verdicts": 0.5}


def test_phrasings_that_would_come_again_too_often_are_an_error_that_names_the_tasks(tmp_path):
    paths = phrasings(tmp_path / "paths")
    with pytest.raises(MixtureError) as error:
        built(tmp_path / "out", paths, verdicts(claims(10)), recitals(10), phrasings=10, max_repeats=4)
    assert str(error.value) == (
        "phrasings 10 would use the rows of these tasks more than max_repeats 4 times: recitals 5 times, verdicts 5 "
        "times; lower phrasings, write more templates for them, raise max_repeats, or take them out"
    )


def test_a_row_that_cannot_stand_in_a_phrasing_never_takes_another_twice_in_one_round(tmp_path):
    texts = {
        "verdict/one": "{{ claim }}\n|||\n{{ answer }}",
        "verdict/two": "{{ claim }}\n\nSo?\n|||\nIt is {{ answer }}",
        "verdict/three": f"{{{{ claim }}}} And so on{' and so on' * 9}\n|||\n{{{{ answer }}}}",
    }
    paths = phrasings(tmp_path / "paths", texts)
    options = {"settings": {"zero_shot.no_options": 1}, "budget": {"characters": 100}, "phrasings": 3}
    record = built(tmp_path / "out", paths, verdicts(claims(6)), **options)
    made = pairs(tmp_path / "out")
    assert made.select("row", "template", "setting").is_duplicated().any() is False
    assert record.tasks["verdicts"].templates == {"verdict/one": 6, "verdict/two": 6}


def test_settings_are_drawn_by_weight_and_moved_where_a_task_cannot_serve_them(tmp_path):
    texts = {
        "verdict/listed": "---\nneeds: options\n---\nOne of these?\n{{ options }}\n{{ claim }}\n|||\n{{ answer }}",
        "verdict/turned": "A claim that is {{ answer }}\n|||\n{{ claim }}",
        "recital/go_on": "{{ cue }}\n|||\n{{ answer }}",
    }
    paths = phrasings(tmp_path / "paths", texts)
    settings = {"zero_shot.options": 3, "zero_shot.no_options": 2, "zero_shot.no_options.inverted": 1}
    record = built(tmp_path / "out", paths, verdicts(claims(400)), recitals(50), settings=settings)
    assert set(record.tasks["verdicts"].settings) == {"zero_shot.options", "zero_shot.no_options.inverted"}
    assert 250 < record.tasks["verdicts"].settings["zero_shot.options"] < 350  # of three to one
    assert set(record.tasks["recitals"].settings) == {"zero_shot.options", "zero_shot.no_options"}
    plan = Mixture(tasks=[verdicts(claims(400)), recitals(50)], paths=[paths], settings=settings).plan()
    assert plan.training["verdicts"].settings == {"zero_shot.no_options.inverted": 0.25, "zero_shot.options": 0.75}
