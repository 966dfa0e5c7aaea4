"""Which tasks a mixture holds: names, clusters and Task objects."""

from typing import Any

import datasets
import polars as pl
import pytest
from small_task import built, claims, pairs, phrasings, recitals, verdicts

from instruction_kit import Mixture
from instruction_kit.errors import MixtureError, TaskError


def test_a_cluster_stands_for_its_tasks_and_one_of_them_beside_it_is_once():
    mixture = Mixture(tasks=["natural_language_inference", "rte", "sst2"])
    assert {"cb", "rte", "snli", "sst2"} <= set(mixture.chosen)
    assert {task.cluster for task in mixture.chosen.values()} == {"natural_language_inference", "sentiment"}


@pytest.mark.parametrize(
    ("tasks", "problem"),
    [
        (
            [verdicts(claims(9), name="")],
            "tasks: a Task object needs name= and cluster=: the task name '' may only hold",
        ),
        (
            [verdicts(claims(9), cluster="")],
            "tasks: a Task object needs name= and cluster=: the cluster name '' may only",
        ),
        ([verdicts(claims(9)), verdicts(claims(8))], "tasks: two Task objects are called verdicts; rename one"),
        (
            [verdicts(claims(9), name="rte"), "rte"],
            "tasks: rte stands there twice, as a name and as a Task object; rename the object",
        ),
        ([], "tasks: the list is empty; name tasks or clusters, or leave it out for all"),
        (["rte", "natural"], "tasks: natural is neither a task nor a cluster; "),
    ],
)
def test_tasks_that_cannot_be_are_refused(tasks, problem):
    with pytest.raises((MixtureError, TaskError)) as error:
        _ = Mixture(tasks=tasks).chosen
    assert str(error.value).startswith(problem)


@pytest.mark.parametrize("kind", ["polars", "lazy", "pandas", "arrow", "datasets"])
def test_frames_of_every_kind_make_the_same_rows(tmp_path, kind):
    frame = claims(12)
    data: Any = {
        "polars": lambda: frame,
        "lazy": frame.lazy,
        "pandas": frame.to_pandas,
        "arrow": frame.to_arrow,
        "datasets": lambda: datasets.Dataset(frame.to_arrow()),
    }[kind]()
    paths = phrasings(tmp_path / "paths")
    built(tmp_path / "out", paths, verdicts(data))
    built(tmp_path / "plain", paths, verdicts(frame))
    assert pairs(tmp_path / "out").equals(pairs(tmp_path / "plain"))


def test_a_task_object_is_its_rows_and_its_mapping_not_its_address(tmp_path):
    """Twice the same is the same mixture; another row, label order, answer word or note is another."""
    paths = phrasings(tmp_path / "paths")

    def fingerprint(name: str, data: pl.DataFrame, **options: Any) -> str:
        return built(tmp_path / name, paths, verdicts(data, **options)).fingerprint

    made = {
        "first": fingerprint("a", claims(12)),
        "other rows": fingerprint("b", claims(12, start=1)),
        "other words": fingerprint("c", claims(12), answers={"true": "yes"}),
        "other licence": fingerprint("d", claims(12), license="mit"),
        "other cluster": fingerprint("e", claims(12), cluster="weighing"),
        "skips": fingerprint("f", claims(12), skip=pl.col("id") == "c3"),
        "other key": fingerprint("g", claims(12), key=None),
        "rows": fingerprint("h", claims(12), rows=lambda frame: frame.filter(pl.col("id") != "c3")),
    }
    assert len(set(made.values())) == len(made)
    assert fingerprint("i", claims(12)) == made["first"]


def test_a_setting_that_no_task_serves_is_refused_and_a_task_that_serves_none(tmp_path):
    paths = phrasings(tmp_path / "paths")
    mixture = Mixture(tasks=[verdicts(claims(9))], paths=[paths], settings={"zero_shot.no_options.cot": 1})
    with pytest.raises(MixtureError) as error:
        _ = mixture.templates
    assert str(error.value) == (
        "settings: no task of this mixture has a template for zero_shot.no_options.cot; "
        "write one or take the setting out"
    )
    turned = phrasings(
        tmp_path / "turned",
        {"verdict/turned": "{{ answer }}?\n|||\n{{ claim }}", "recital/r": "{{ cue }}\n|||\n{{ answer }}"},
    )
    mixture = Mixture(tasks=[verdicts(claims(9)), recitals(9)], paths=[turned])
    with pytest.raises(MixtureError) as error:
        _ = mixture.templates
    assert str(error.value) == (
        "settings: task verdicts has no template for zero_shot.options; write one in templates/verdict/ or "
        "templates/verdicts/, or take the task out"
    )
