"""What leaves the training side when names are held out, and what is said where that cannot be."""

from collections.abc import Sequence

import polars as pl
import pytest
from small_task import recitals, verdicts

from instruction_kit import Mixture, Task
from instruction_kit.errors import MixtureError
from instruction_kit.holdout import HoldOut, resolve

NO_ROWS = pl.DataFrame({"id": ["a"], "claim": ["b"], "label": [0]})
INSTEAD = "take it out, or hold out something else"


def task(name: str, cluster: str, families: Sequence[str] = ()) -> Task:
    return verdicts(NO_ROWS, name=name, cluster=cluster, families=families)


TASKS = {
    made.name: made
    for made in [
        task("arc_easy", "closed_book_qa", ["arc"]),
        task("boolq", "reading_comprehension", ["boolq"]),
        task("copa", "commonsense", ["copa"]),
        task("cosmos_qa", "reading_comprehension_with_commonsense", ["cosmos_qa"]),
        task("mrpc", "paraphrase", ["mrpc"]),
        task("newsqa", "reading_comprehension", ["newsqa"]),
        task("qnli", "natural_language_inference", ["qnli", "squad"]),
        task("rte", "natural_language_inference", ["rte"]),
        task("squad", "reading_comprehension", ["squad"]),
        task("squad_news", "summarization", ["newsqa", "squad"]),
        task("sst2", "sentiment", ["sst"]),
        task("wnli", "natural_language_inference", ["wsc"]),
        task("wsc", "coreference", ["wsc"]),
    ]
}


def held(*hold_out: str, listed: Sequence[str] = ()) -> HoldOut:
    return resolve(TASKS, hold_out, listed=listed)


# --- how a name is looked up ------------------------------------------------------------------------------------------


def test_without_a_name_everything_trains():
    found = held()
    assert found.training == tuple(TASKS)
    assert found.measured == ()
    assert found.leaving == {}


def test_a_cluster_is_measured_whole():
    assert held("sentiment").measured == ("sst2",)
    assert held("natural_language_inference").measured == ("qnli", "rte", "wnli")


def test_a_task_is_measured_alone_and_its_cluster_trains_on():
    found = held("rte")
    assert found.measured == ("rte",)
    assert found.leaving == {}
    assert {"qnli", "wnli", "mrpc"} <= set(found.training)


def test_a_family_is_measured_wherever_it_stands():
    assert held("wsc").measured == ("wsc",)  # a task of that name comes before the family
    assert held("newsqa").measured == ("newsqa",)
    assert held("sst").measured == ("sst2",)
    assert held("arc").measured == ("arc_easy",)


def test_a_name_is_a_cluster_before_a_task_and_a_task_before_a_family():
    named_alike = {
        made.name: made
        for made in [
            task("one", "summary", ["other"]),
            task("summary", "reading", ["third"]),
            task("third", "writing", ["x"]),
            task("fourth", "writing", ["summary"]),
        ]
    }
    assert resolve(named_alike, ["summary"]).measured == ("one",)
    assert resolve(named_alike, ["third"]).measured == ("third",)
    assert resolve(named_alike, ["other"]).measured == ("one",)


def test_several_names_are_measured_together_in_any_order():
    assert held("rte", "sentiment") == held("sentiment", "rte")
    assert held("rte", "sentiment").measured == ("rte", "sst2")
    assert held("rte", "rte", "natural_language_inference").measured == ("qnli", "rte", "wnli")


# --- what leaves with it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cluster", "leaving"),
    [
        ("natural_language_inference", {"paraphrase"}),
        ("paraphrase", {"natural_language_inference"}),
        ("reading_comprehension", {"reading_comprehension_with_commonsense"}),
        ("commonsense", {"reading_comprehension_with_commonsense"}),
        ("reading_comprehension_with_commonsense", {"reading_comprehension", "commonsense"}),
        ("sentiment", set()),
        ("summarization", set()),
        ("closed_book_qa", set()),
        ("coreference", set()),
    ],
)
def test_clusters_leave_together_as_in_flan(cluster, leaving):
    alone = {name: task(name, made.cluster) for name, made in TASKS.items()}  # without families
    found = resolve(alone, [cluster])
    assert {alone[name].cluster for name in found.measured} == {cluster}
    assert {alone[name].cluster for name in found.leaving} == leaving
    assert {alone[name].cluster for name in found.training} == {t.cluster for t in alone.values()} - {cluster} - leaving
    assert set(found.training) | set(found.measured) | set(found.leaving) == set(alone)


def test_what_leaves_by_a_rule_says_so():
    assert held("paraphrase").leaving == {
        "qnli": "cluster natural_language_inference -> cluster paraphrase",
        "rte": "cluster natural_language_inference -> cluster paraphrase",
        "wnli": "cluster natural_language_inference -> cluster paraphrase",
    }


def test_families_that_meet_leave_and_say_over_which():
    found = held("natural_language_inference")
    assert found.leaving == {
        "mrpc": "cluster paraphrase -> cluster natural_language_inference",
        "squad": "squad -> qnli (family squad)",
        "squad_news": "squad_news -> qnli (family squad)",
        "wsc": "wsc -> wnli (family wsc)",
    }


def test_what_leaves_takes_nobody_further():
    """QNLI takes what is made from SQuAD; that this is also made from NewsQA does not take NewsQA."""
    found = held("qnli")
    assert set(found.leaving) == {"squad", "squad_news"}
    assert {"newsqa", "boolq", "rte", "mrpc"} <= set(found.training)


def test_a_task_that_leaves_by_a_rule_takes_neither_its_cluster_rules_nor_its_family():
    found = held("paraphrase")  # NLI leaves; SQuAD and WSC, which meet it, and no further cluster
    assert {"squad", "wsc", "squad_news", "cosmos_qa"} <= set(found.training)


def test_a_task_held_out_by_name_brings_no_cluster_rule():
    assert held("mrpc").leaving == {}


def test_what_is_named_is_measured_even_where_it_would_leave_anyway():
    found = held("natural_language_inference", "paraphrase")
    assert {"mrpc", "rte"} <= set(found.measured)
    assert not set(found.measured) & set(found.leaving)


# --- what cannot be ---------------------------------------------------------------------------------------------------


def test_a_name_that_is_nothing_comes_with_the_nearest():
    with pytest.raises(MixtureError) as error:
        held("natural_langauge_inference")
    assert str(error.value) == (
        "hold_out: natural_langauge_inference is neither a cluster, a task nor a family of this mixture; "
        "did you mean natural_language_inference?"
    )
    with pytest.raises(MixtureError, match=r"hold_out: rtee is neither .*; did you mean rte\?"):
        held("rtee")


def test_holding_out_all_that_there_is_leaves_nothing():
    few = {name: TASKS[name] for name in ("rte", "wnli", "mrpc")}
    with pytest.raises(MixtureError) as error:
        resolve(few, ["natural_language_inference"])
    assert str(error.value) == (
        "hold_out: ['natural_language_inference'] leaves nothing to train on: 2 named, 1 more with them; "
        "hold out less or add tasks"
    )


def test_a_listed_task_that_must_leave_is_refused_with_its_path():
    with pytest.raises(MixtureError) as error:
        held("natural_language_inference", listed=["sst2", "mrpc"])
    path = "cluster paraphrase -> cluster natural_language_inference"
    assert str(error.value) == f"tasks: mrpc is listed and must leave: {path}; {INSTEAD}"
    with pytest.raises(MixtureError) as error:
        held("qnli", listed=["squad"])
    assert str(error.value) == f"tasks: squad is listed and must leave: squad -> qnli (family squad); {INSTEAD}"


def test_a_listed_task_that_is_held_out_is_measured():
    assert held("rte", listed=["rte", "sst2"]).measured == ("rte",)


# --- a mixture's own view ---------------------------------------------------------------------------------------------


def only_test(name: str = "quiz", cluster: str = "quizzing") -> Task:
    return verdicts({"test": NO_ROWS}, name=name, cluster=cluster)


def test_a_listed_task_without_train_can_only_be_held_out():
    with pytest.raises(MixtureError) as error:
        _ = Mixture(tasks=[recitals(3), only_test()]).held_out
    assert str(error.value) == (
        "tasks: quiz has no train split, so it can only be held out; add it to hold_out, or take it out"
    )
    assert Mixture(tasks=[recitals(3), only_test()], hold_out=["quiz"]).held_out.measured == ("quiz",)


def test_a_task_without_train_that_all_brought_is_listed_as_leaving(tmp_path):
    folder = tmp_path / "tasks" / "quizzing"
    folder.mkdir(parents=True)
    (folder / "quiz.py").write_text(
        "from instruction_kit import Files, Task, labels\n"
        "from instruction_kit.schema import Classification\n"
        "task = Task(schema=Classification, source=Files({'test': 'quiz.jsonl'}),\n"
        "            columns={'text': 'text', 'label': labels('label', ['a', 'b'])})\n",
        encoding="utf-8",
    )
    held_out = Mixture(paths=[tmp_path]).held_out
    assert held_out.leaving["quiz"] == "quiz has no train split, so it can only be held out"
    assert held_out.leaving["bbh"] == "bbh has no train split, so it can only be held out"
    assert "quiz" not in (*held_out.training, *held_out.measured)
    with pytest.raises(
        MixtureError, match=r"^tasks: nothing is left to train on: quiz has no train split, .*; add tasks$"
    ):
        _ = Mixture(paths=[tmp_path], tasks=["quizzing"]).held_out
