"""The four kinds of rates: what they give, the same from YAML as from Python, in plans and in built folders."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_task import built, claims, counts, phrasings, recitals, verdicts

from instruction_kit import Equal, ExamplesProportional, FixedWeights, Mixture, Task, Temperature
from instruction_kit.errors import MixtureError
from instruction_kit.mixture.rate import Rate, Rates, Stock

KINDS: list[Rates] = [
    ExamplesProportional(maximum=20),
    Equal(),
    Temperature(temperature=2),
    FixedWeights(weights={"judging": 3, "reciting": 1}),
]
some_rows = st.lists(st.integers(1, 10**7), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> Path:
    return phrasings(tmp_path_factory.mktemp("phrasings"))


def stocks(*rows: int, cluster: str = "c") -> dict[str, Stock]:
    return {f"t{number}": Stock(count, cluster) for number, count in enumerate(rows)}


def shares(rates: dict[str, Rate]) -> dict[str, float]:
    whole = sum(Fraction(rate) for rate in rates.values())
    return {name: float(Fraction(rate) / whole) for name, rate in rates.items()}


def tasks() -> list[Task]:
    return [
        verdicts(claims(36), name="large"),
        verdicts(claims(4), name="small"),
        recitals(16, name="other"),
    ]


# --- temperature ------------------------------------------------------------------------------------------------------


def test_a_temperature_takes_the_root_of_the_rows():
    assert Temperature(temperature=2).of(stocks(4, 36, 0)) == {"t0": 2, "t1": 6, "t2": 0}
    assert Temperature(temperature=2, maximum=16).of(stocks(4, 36, 0)) == {"t0": 2, "t1": 4, "t2": 0}
    assert Temperature(temperature=4).of(stocks(81)) == {"t0": 3}


@given(some_rows, st.integers(1, 10**7))
def test_at_1_a_temperature_is_in_proportion_to_the_rows(rows, maximum):
    found = Temperature(temperature=1, maximum=maximum).of(stocks(*rows))
    assert found == ExamplesProportional(maximum=maximum).of(stocks(*rows))


@given(some_rows, st.floats(1, 1e6), st.floats(1, 1e6))
def test_the_higher_a_temperature_the_nearer_to_equal(rows, one, other):
    low, high = (shares(Temperature(temperature=degree).of(stocks(*rows))) for degree in sorted((one, other)))
    assert max(high.values()) <= max(low.values()) + 1e-12
    assert min(high.values()) >= min(low.values()) - 1e-12
    almost = shares(Temperature(temperature=1e12).of(stocks(*rows)))
    assert list(almost.values()) == pytest.approx([1 / len(rows)] * len(rows))


@given(some_rows, st.floats(1, 100))
def test_of_two_tasks_the_one_with_more_rows_never_has_the_lower_rate(rows, degree):
    found = Temperature(temperature=degree).of(stocks(*sorted(rows)))
    assert list(found.values()) == sorted(found.values())


# --- fixed weights ----------------------------------------------------------------------------------------------------


def test_a_weight_is_that_of_the_task_or_a_part_of_its_clusters():
    judges = {**stocks(90, 5, 7, cluster="judging"), "r": Stock(3, "reciting")}
    assert FixedWeights(weights={"judging": 3, "r": 1}).of(judges) == {"t0": 1, "t1": 1, "t2": 1, "r": 1}
    assert FixedWeights(weights={"judging": 3, "t1": 5, "reciting": 0.5}).of(judges) == {
        "t0": 1.5,
        "t1": 5,
        "t2": 1.5,
        "r": 0.5,
    }


def test_the_others_of_a_cluster_stand_in_for_a_task_without_rows():
    assert FixedWeights(weights={"c": 3}).of(stocks(90, 0, 7)) == {"t0": 1.5, "t1": 0, "t2": 1.5}
    assert FixedWeights(weights={"t0": 1, "c": 1}).of(stocks(0, 0)) == {"t0": 0, "t1": 0}


@given(some_rows, st.floats(0.001, 1e6), st.floats(0.001, 1e6))
def test_a_cluster_has_its_weight_however_many_tasks_it_has(rows, weight, other):
    found = FixedWeights(weights={"c": weight, "r": other}).of({**stocks(*rows), "r": Stock(1, "reciting")})
    assert sum(Fraction(found[name]) for name in stocks(*rows)) == Fraction(weight)


def weights_message(paths: Path, weights: dict[str, float], **options: Any) -> str:
    values = {"tasks": tasks(), "paths": [paths], "num_pairs": 10, "rates": FixedWeights(weights=weights), **options}
    with pytest.raises(MixtureError) as error:
        Mixture(**values).plan()
    return str(error.value)


def test_weights_of_nothing_and_tasks_without_one_are_told_at_once(paths):
    assert weights_message(paths, {"judgin": 1, "othr": 2, "small": 1}) == (
        "rates.weights.judgin: neither a task nor a cluster of this mixture; did you mean judging?\n"
        "rates.weights.othr: neither a task nor a cluster of this mixture; did you mean other?\n"
        "rates.weights: no weight for large (cluster judging), other (cluster reciting); "
        "give each task or its cluster one, or take it out of `tasks`"
    )


def test_a_cluster_that_has_no_task_left_for_its_weight_is_refused(paths):
    assert weights_message(paths, {"judging": 1, "large": 2, "small": 1, "other": 1}) == (
        "rates.weights.judging: every task of this cluster has a weight of its own; take this one out"
    )


def test_a_wrong_weight_in_a_file_is_told_with_its_line(tmp_path):
    path = tmp_path / "mixture.yaml"
    text = "data: sample\ntasks: [sst2, rte]\nnum_pairs: 9\nrates:\n  kind: fixed_weights\n  weights:\n"
    path.write_text(text + "    sst2: 1\n    rtee: 2\n", encoding="utf-8")
    with pytest.raises(MixtureError) as error:
        Mixture.from_yaml(path)
    assert str(error.value).replace(str(path), "mixture.yaml") == (
        "mixture.yaml:8: rates.weights.rtee: neither a task nor a cluster of this mixture; did you mean rte?\n"
        "mixture.yaml:6: rates.weights: no weight for rte (cluster natural_language_inference); "
        "give each task or its cluster one, or take it out of `tasks`"
    )


def test_what_is_held_out_may_have_a_weight_so_that_hold_outs_can_be_tried_one_by_one(paths):
    weights = FixedWeights(weights={"judging": 3, "other": 1})
    plain = Mixture(tasks=tasks(), paths=[paths], num_pairs=8, rates=weights)
    assert {name: task.pairs for name, task in plain.plan().training.items()} == {"large": 3, "small": 3, "other": 2}
    held = plain.model_copy(update={"hold_out": ("small",)})
    assert {name: task.pairs for name, task in held.plan().training.items()} == {"large": 6, "other": 2}
    assert set(plain.model_copy(update={"hold_out": ("judging",)}).plan().training) == {"other"}


# --- all four ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("{kind: examples_proportional, maximum: 500}", ExamplesProportional(maximum=500)),
        ("{kind: equal}", Equal()),
        ("{kind: temperature, temperature: 2}", Temperature(temperature=2, maximum=2**21)),
        ("{kind: temperature, temperature: 1.5, maximum: 9}", Temperature(temperature=1.5, maximum=9)),
        (
            "{kind: fixed_weights, weights: {sst2: 2, commonsense: 0.5}}",
            FixedWeights(weights={"commonsense": 0.5, "sst2": 2}),
        ),
    ],
)
def test_rates_in_yaml_are_those_of_python(tmp_path, text, rates):
    path = tmp_path / "mixture.yaml"
    path.write_text(f"data: sample\ntasks: [sst2, commonsense]\nnum_pairs: 9\nrates: {text}\n", encoding="utf-8")
    read = Mixture.from_yaml(path)
    written = Mixture(data="sample", tasks=["sst2", "commonsense"], num_pairs=9, rates=rates)
    assert read == written
    assert read.portable() == written.portable()


def test_the_order_of_weights_is_no_difference():
    one, other = (FixedWeights(weights=weights) for weights in ({"a": 1, "b": 2}, {"b": 2, "a": 1}))
    assert one.model_dump_json() == other.model_dump_json()


@pytest.mark.parametrize("rates", KINDS, ids=lambda rates: rates.kind)
def test_a_plan_shows_the_shares_that_a_build_realises(tmp_path, paths, rates):
    mixture = Mixture(tasks=tasks(), paths=[paths], num_validation=0, num_pairs=40, max_repeats=9, rates=rates)
    planned = mixture.plan().training
    record = mixture.build(tmp_path / "out")
    assert counts(tmp_path / "out") == {name: task.pairs for name, task in sorted(planned.items())}
    assert sum(counts(tmp_path / "out").values()) == 40
    for name, task in planned.items():
        assert task.share == record.tasks[name].expected_share == record.tasks[name].realised_share
        assert task.rounds == record.tasks[name].rounds
    expected = {
        "examples_proportional": {"large": 20, "small": 4, "other": 16},
        "equal": {"large": 14, "small": 13, "other": 13},
        "temperature": {"large": 20, "small": 7, "other": 13},
        "fixed_weights": {"large": 15, "small": 15, "other": 10},
    }
    assert {name: task.pairs for name, task in planned.items()} == expected[rates.kind]


@pytest.mark.parametrize("rates", KINDS, ids=lambda rates: rates.kind)
def test_more_repeats_than_allowed_are_an_error_under_every_kind(tmp_path, paths, rates):
    with pytest.raises(
        MixtureError, match=r"^num_pairs 400 would use the rows of these tasks more than max_repeats 2 ti"
    ):
        built(tmp_path / "out", paths, *tasks(), rates=rates, num_pairs=400, max_repeats=2)


@pytest.mark.parametrize("rates", KINDS, ids=lambda rates: rates.kind)
def test_one_pass_needs_rates_that_are_numbers_of_rows(paths, rates):
    if rates.counts:
        plan = Mixture(tasks=tasks(), paths=[paths], num_validation=0, rates=rates).plan()
        assert {name: task.pairs for name, task in plan.training.items()} == {"large": 20, "other": 16, "small": 4}
        return
    with pytest.raises(MixtureError, match=f"rates: those of kind {rates.kind} are no counts of rows"):
        Mixture(tasks=tasks(), rates=rates)
