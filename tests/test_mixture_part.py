"""Mixtures that are made of mixtures: weights, what parts take over, and what has no meaning in them."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_task import claims, counts, pairs, phrasings, recitals, used, verdicts

from instruction_kit import FixedWeights, Mixture, Task
from instruction_kit.build.quota import quotas
from instruction_kit.built.verify import verify
from instruction_kit.errors import MixtureError


def judge(name: str, rows: int = 40, cluster: str = "judging") -> Task:
    return verdicts(claims(rows), name=name, cluster=cluster)


def message(**values: Any) -> str:
    with pytest.raises(MixtureError) as error:
        Mixture(**values).check()
    return str(error.value)


# --- shares -----------------------------------------------------------------------------------------------------------


def test_pairs_are_divided_by_the_weights_of_the_parts_and_within_them_by_their_rates(tmp_path):
    paths = phrasings(tmp_path)
    parts = {
        "judges": {
            "weight": 3,
            "parts": {
                "many": {"weight": 1, "tasks": [judge("large"), judge("small", 10)]},
                "one": {"weight": 1, "tasks": [judge("alone")]},
            },
        },
        "lines": {"weight": 1, "tasks": [recitals(30)]},
    }
    mixture = Mixture(parts=parts, num_pairs=80, paths=[paths], num_validation=0)
    manifest = mixture.build(tmp_path / "out")
    assert counts(tmp_path / "out") == {"alone": 30, "large": 24, "recitals": 20, "small": 6}
    assert {(share.name, share.expected_pairs, share.pairs) for share in manifest.shares if share.by == "part"} == {
        ("judges", 60, 60),
        ("judges.many", 30, 30),
        ("judges.one", 30, 30),
        ("lines", 20, 20),
    }
    assert {name: task.part for name, task in manifest.tasks.items()}["small"] == "judges.many"
    assert verify(tmp_path / "out").problems == ()


def test_a_part_says_what_is_its_own_and_takes_the_rest_from_around_it(tmp_path):
    paths = phrasings(tmp_path)
    parts = {
        "plain": {"weight": 1, "tasks": [judge("one")]},
        "own": {"weight": 1, "tasks": [judge("two")], "settings": {"zero_shot.no_options": 1}, "option_styles": "all"},
    }
    mixture = Mixture(parts=parts, num_pairs=60, paths=[paths], num_validation=5, option_styles=["letter"])
    manifest = mixture.build(tmp_path / "out")
    assert set(manifest.tasks["one"].settings) == {"zero_shot.options"}
    assert set(manifest.tasks["two"].settings) == {"zero_shot.no_options"}
    assert {text[:2] for text in pairs(tmp_path / "out").filter(pl.col("task") == "one")["completion"]} == {
        "(A",
        "(B",
        "(C",
    }
    assert mixture.model_copy(update={"settings": {"zero_shot.no_options": 1}}).plan().training["one"].settings == {
        "zero_shot.no_options": 1
    }
    assert verify(tmp_path / "out").problems == ()


def test_a_part_draws_the_rows_and_pairs_that_its_tasks_draw_anywhere(tmp_path):
    """No choice knows in which part a task stands."""
    paths = phrasings(tmp_path)
    Mixture(tasks=[judge("one")], num_pairs=25, paths=[paths], num_validation=3).build(tmp_path / "alone")
    parts = {"a": {"weight": 1, "tasks": [judge("one")]}, "b": {"weight": 1, "tasks": [judge("two")]}}
    Mixture(parts=parts, num_pairs=50, paths=[paths], num_validation=3).build(tmp_path / "nested")
    nested = pairs(tmp_path / "nested").filter(pl.col("task") == "one")
    assert nested.sort("row", "round").equals(pairs(tmp_path / "alone").sort("row", "round"))


@given(st.lists(st.integers(1, 300), min_size=2, max_size=4), st.integers(1, 400), st.integers(1, 300))
def test_a_new_task_takes_from_its_own_part_alone_and_a_new_part_gives_to_none(rows, total, new):
    def divide(**more: list[Task]) -> dict[str, int]:
        parts = {f"p{n}": {"weight": n + 1, "tasks": [judge(f"t{n}", 1)]} for n in range(len(rows))}
        for name, tasks in more.items():
            parts[name] = {"weight": 1, **parts.get(name, {})}
            parts[name]["tasks"] = [*parts[name].get("tasks", []), *tasks]  # type: ignore[misc]
        mixture = Mixture(parts=parts, num_pairs=total, max_repeats=10**9, wording="fields")
        stocks = {f"t{n}": count for n, count in enumerate(rows)} | {
            task.name: new for of in more.values() for task in of
        }
        return {name: quota.pairs for name, quota in quotas(mixture, stocks, {}).items()}

    before, inside, beside = divide(), divide(p0=[judge("new", 1)]), divide(q=[judge("new", 1)])
    assert sum(before.values()) == total
    assert {name: n for name, n in inside.items() if name not in ("t0", "new")} == {
        name: n for name, n in before.items() if name != "t0"
    }
    assert inside["t0"] <= before["t0"]
    assert all(beside[name] <= count for name, count in before.items())


def test_what_is_held_out_leaves_every_part_and_is_measured_as_its_part_says(tmp_path):
    paths = phrasings(tmp_path)
    parts = {
        "a": {"weight": 1, "tasks": [judge("one"), judge("held", cluster="other")]},
        "b": {"weight": 1, "tasks": [judge("two"), judge("held_too", cluster="other")], "option_styles": ["letter"]},
    }
    mixture = Mixture(parts=parts, num_pairs=20, hold_out=["other"], paths=[paths], option_styles=["dash"])
    mixture.build(tmp_path / "out")
    assert {task for task, _, _ in used(tmp_path / "out")} == {"one", "two"}
    first = {
        name: pairs(tmp_path / "out", f"{name}__train", "held_out")["candidates"][0][0] for name in ("held", "held_too")
    }
    assert first["held"] in ("true", "false", "open")
    assert first["held_too"] == "(A)"


# --- what has no meaning ----------------------------------------------------------------------------------------------


def test_a_task_in_two_parts_is_refused_with_both():
    parts = {
        "a": {"weight": 1, "tasks": ["sst2", "copa"]},
        "b": {"weight": 1, "parts": {"c": {"weight": 1, "tasks": ["copa"]}}},
    }
    assert message(parts=parts, num_pairs=9) == "parts: copa stands in a and in b.c; take it out of all but one"


def test_weights_need_a_total():
    parts = {"a": {"weight": 1, "tasks": ["sst2"]}}
    assert message(parts=parts) == "parts: their weights are no counts of rows: give num_pairs or num_tokens"
    assert message(tasks=["sst2"], num_pairs=3, num_tokens=4) == (
        "num_tokens: num_pairs says how much already; give one of the two"
    )


def test_keys_in_the_wrong_place_are_refused():
    parts: dict[str, Any] = {"a": {"weight": 1, "tasks": ["sst2"]}}
    why = "means nothing beside `parts`; say it in them"
    assert message(parts=parts, num_pairs=9, tasks=["copa"], num_clusters=1) == f"tasks: {why}\nnum_clusters: {why}"
    parts["a"] |= {"seed": 3, "sead": 3, "weight": 0, "phrasings": "2"}
    assert message(parts=parts, num_pairs=9) == (
        "parts.a.phrasings: input should be a valid integer\n"
        "parts.a.weight: 0.0 is no weight; give a positive number, or leave the name out\n"
        "parts.a.seed: holds for the whole mixture; say it beside `parts`\n"
        "parts.a.sead: unknown key; did you mean seed?"
    )
    assert message(parts={"a": {"wieght": 1, "tasks": ["sst2"]}}, num_pairs=9) == (
        "parts.a.weight: field required\nparts.a.wieght: unknown key; did you mean weight?"
    )
    assert message(parts={}, num_pairs=9) == "parts: name at least one, or leave the key out"


def test_what_is_wrong_in_a_part_says_so():
    parts: dict[str, Any] = {
        "a": {"weight": 1, "tasks": ["sst2"], "settings": {"zero_shot.options.cot": 1}},
        "b": {"weight": 1, "tasks": ["copa"], "rates": FixedWeights(weights={"cop": 1})},
    }
    told = message(parts=parts, num_pairs=9)
    assert "parts.b.rates.weights.cop: neither a task nor a cluster of this mixture; did you mean copa?" in told
    parts["b"].pop("rates")
    assert message(parts=parts, num_pairs=9).startswith("parts.a.settings: no task of this mixture has rows ")
    parts["a"].pop("settings")
    assert message(parts=parts, num_pairs=9, hold_out=["sentiment"]) == (
        "parts.a: none of its tasks trains; take it out, or hold out less"
    )


def test_a_mixture_of_mixtures_survives_its_own_card(tmp_path):
    parts = {"a": {"weight": 1, "tasks": ["sst2"]}, "b": {"weight": 2, "tasks": ["copa"], "phrasings": 2}}
    mixture = Mixture(parts=parts, num_pairs=12, data="sample")
    manifest = mixture.build(tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    (tmp_path / "again.yaml").write_text(card.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    again = Mixture.from_yaml(tmp_path / "again.yaml")
    assert again.plan() == mixture.plan()
    assert again.build(tmp_path / "again").shares == manifest.shares
    assert pairs(tmp_path / "again").equals(pairs(tmp_path / "out"))
