"""The first clusters, tasks and templates, of which a larger number keeps all of a smaller; and rotated hold-outs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_task import claims, pairs, phrasings, verdicts

from instruction_kit import Mixture, Task
from instruction_kit.errors import MixtureError
from instruction_kit.holdout import rotated
from instruction_kit.mixture.part import Part
from instruction_kit.mixture.subset import leaving

CLUSTERS = {
    f"{cluster}{number}": cluster for cluster, count in (("a", 3), ("b", 1), ("c", 2)) for number in range(count)
}


def kept(seed: int = 0, **numbers: Any) -> set[str]:
    return set(CLUSTERS) - set(leaving(Part(**numbers), CLUSTERS, seed=seed))


def message(**numbers: Any) -> str:
    with pytest.raises(MixtureError) as error:
        leaving(Part(**numbers), CLUSTERS, seed=0)
    return str(error.value)


# --- the first of them ------------------------------------------------------------------------------------------------


def test_clusters_and_tasks_come_in_the_order_that_is_named():
    assert kept(num_clusters=1, order=["b"]) == {"b0"}
    assert kept(num_clusters=2, order=["b", "a"]) == {"a0", "a1", "a2", "b0"}
    assert kept(num_tasks_per_cluster=1, order=["a2", "c1"]) == {"a2", "b0", "c1"}
    assert kept(num_tasks=2, order=["c1", "a2"]) == {"a2", "c1"}
    assert kept(num_tasks=4, order=["c", "a", "b", "a1", "c0", "a0", "c1"]) == {"c0", "a1", "b0", "c1"}
    assert kept(num_clusters=2, num_tasks=3, order=["a", "c", "c1", "a0", "a2"]) == {"a0", "a2", "c1"}


@given(st.integers(0, 99), st.sampled_from(["num_clusters", "num_tasks_per_cluster", "num_tasks"]), st.integers(1, 2))
def test_a_larger_number_keeps_all_that_a_smaller_one_keeps(seed, key, number):
    smaller, larger = (kept(seed, **{key: n}) for n in (number, number + 1))
    assert smaller <= larger
    assert smaller


def test_the_order_of_those_that_are_not_named_follows_from_the_seed():
    assert len({frozenset(kept(seed, num_tasks=2)) for seed in range(20)}) > 3
    assert kept(3, num_tasks=2) == kept(3, num_tasks=2)


def test_why_a_task_leaves_is_said():
    gone = leaving(Part(num_clusters=2, num_tasks_per_cluster=1, num_tasks=1, order=("b", "a", "a0")), CLUSTERS, seed=0)
    assert gone == {
        "a0": "not among the first 1 (num_tasks)",
        "a1": "not among the first 1 of its cluster (num_tasks_per_cluster)",
        "a2": "not among the first 1 of its cluster (num_tasks_per_cluster)",
        "c0": "cluster c is not among the first 2 (num_clusters)",
        "c1": "cluster c is not among the first 2 (num_clusters)",
    }


def test_what_there_is_not_is_refused():
    assert message(num_clusters=4) == "num_clusters: 4, and there are only 3 that could train"
    assert message(num_tasks=7) == "num_tasks: 7, and there are only 6 that could train"
    assert (
        message(num_tasks=5, num_clusters=2, order=["b", "c"]) == "num_tasks: 5, and there are only 3 that could train"
    )
    told = "order: says which come first, and all are taken; give num_clusters, num_tasks or num_tasks_per_cluster"
    assert message(order=["a"]) == told
    with pytest.raises(MixtureError, match=r"^order: sst is neither a task nor a cluster .* did you mean sst2\?$"):
        Mixture(tasks=["sst2", "copa"], num_tasks=1, order=["sst"]).check()


def test_what_is_held_out_does_not_count_and_what_is_left_out_is_planned_so():
    tasks = ["sst2", "imdb_reviews", "copa", "snli"]
    mixture = Mixture(tasks=tasks, hold_out=["snli"], num_tasks_per_cluster=1, order=["sst2"], data="sample")
    assert set(mixture.plan().training) == {"copa", "sst2"}
    assert mixture.plan().leaving["imdb_reviews"] == "not among the first 1 of its cluster (num_tasks_per_cluster)"
    assert mixture.plan().measured == ("snli",)


# --- rotation ---------------------------------------------------------------------------------------------------------


def family(name: str, cluster: str, *families: str) -> Task:
    return verdicts(claims(1), name=name, cluster=cluster, families=families)


TASKS = {
    task.name: task
    for task in (
        family("anli1", "nli", "anli"),
        family("anli2", "nli", "anli"),
        family("qnli", "nli", "qnli", "squad"),
        family("rte", "nli", "rte"),
        family("trec", "questions", "trec"),
        family("squad1", "reading", "squad"),
        family("squad2", "reading", "squad"),
        family("drop", "reading", "drop"),
    )
}


def test_one_task_of_every_cluster_of_two_or_more_is_held_out_with_its_siblings():
    assert rotated(TASKS, None) == set()
    assert rotated(TASKS, 0) == {"anli1", "anli2", "drop"}
    assert rotated(TASKS, 1) == {"qnli", "squad1", "squad2"}
    assert rotated(TASKS, 2) == {"rte", "drop"}
    assert rotated(TASKS, 3) == {"anli1", "anli2", "squad1", "squad2"}


def test_a_whole_rotation_measures_every_task_that_has_others_once():
    turns = [rotated({n: t for n, t in TASKS.items() if t.cluster == "nli"}, turn) for turn in range(3)]
    assert sorted(name for turn in turns for name in turn) == ["anli1", "anli2", "qnli", "rte"]


def test_families_still_leave_with_what_the_rotation_holds_out():
    mixture = Mixture(tasks=list(TASKS.values()), rotation=4, may_leave=True)
    assert mixture.held_out.measured == ("drop", "qnli")
    assert mixture.held_out.leaving == {
        "squad1": "squad1 -> qnli (family squad)",
        "squad2": "squad2 -> qnli (family squad)",
    }
    with pytest.raises(MixtureError, match=r"^tasks: squad1 is listed and must leave: squad1 -> qnli \(family squad\)"):
        _ = Mixture(tasks=list(TASKS.values()), rotation=4).held_out


# --- templates --------------------------------------------------------------------------------------------------------


def test_only_the_first_templates_of_each_setting_word_what_trains(tmp_path):
    paths = phrasings(tmp_path)
    trained, held = verdicts(claims(60), name="trained"), verdicts(claims(9), name="held", cluster="other")
    used = []
    for number in (1, 2, 3):
        mixture = Mixture(
            tasks=[trained, held], hold_out=["held"], paths=[paths], num_templates=number, num_validation=3
        )
        mixture.build(tmp_path / str(number))
        used.append(set(pairs(tmp_path / str(number))["template"]))
        measured = pairs(tmp_path / str(number), "held__train", "held_out")
        assert set(measured["template"]) == {"verdict/ask", "verdict/claim"}  # all that list options
        assert set(pairs(tmp_path / str(number), "seen")["template"]) == used[-1]
    assert [len(templates) for templates in used] == [1, 2, 2]
    assert used[0] < used[1]


def test_without_a_template_the_fields_stand_alone_or_behind_the_datasets_name(tmp_path):
    paths = phrasings(tmp_path)
    tasks = [verdicts(claims(9), name="trained"), verdicts(claims(9), name="held", cluster="other")]
    options: dict[str, Any] = {"tasks": tasks, "hold_out": ["held"], "paths": [paths], "option_styles": ["dash"]}
    options |= {"option_order": "source", "num_validation": 1}
    Mixture(**options, wording="fields").build(tmp_path / "fields")
    Mixture(**options, wording="name", held_out_wording="name").build(tmp_path / "name")
    shown = pairs(tmp_path / "fields")
    listed = "OPTIONS:\n- true\n- false\n- open\n"
    assert set(shown["template"]) == {"trained/fields"}
    assert {prompt.split("\n\n")[0] for prompt in shown["prompt"]} <= {f"Number {n} is even." for n in range(9)}
    assert {prompt.split("\n\n")[1].partition("\n")[2] for prompt in shown["prompt"]} == {listed.partition("\n")[2]}
    assert set(shown["completion"]) <= {"true", "false", "open"}
    assert set(pairs(tmp_path / "fields", "held__train", "held_out")["template"]) == {"verdict/ask", "verdict/claim"}
    named = pairs(tmp_path / "name")
    assert {prompt.split("\n\n")[0] for prompt in named["prompt"]} == {"[judging: trained]"}
    measured = pairs(tmp_path / "name", "held__train", "held_out")
    assert {prompt.split("\n\n")[0] for prompt in measured["prompt"]} == {"[other: held]"}
