"""Rows of dicts become a typed frame: a row that fits is in it unchanged, any other is a problem with its reason."""

import math
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instruction_kit.source.raw import INDEX
from instruction_kit.source.tabulate import Tabulator

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
KEYS = st.sampled_from(["a", "b", "a.b", "[]", ""])
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
ALIKE = st.sampled_from([st.integers(0, 9), st.text(max_size=3), st.booleans(), st.floats(0, 1)]).flatmap(
    lambda values: st.lists(st.none() | values | st.lists(values, max_size=2), max_size=6)
)
ROWS = st.lists(st.dictionaries(KEYS, JSON, max_size=3), max_size=6) | ALIKE.map(lambda vs: [{"a": v} for v in vs])


def without_null(value: Any) -> Any:
    """A key of an object that a row lacks is null in its frame; the rest stays as it is."""
    if isinstance(value, dict):
        return {key: without_null(held) for key, held in value.items() if held is not None}
    return [without_null(item) for item in value] if isinstance(value, list) else value


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(batches=st.lists(ROWS, max_size=3))
def test_every_row_is_in_the_frame_as_it_came_or_a_problem(batches):
    tabulator = Tabulator()
    for rows in batches:
        batch = tabulator.batch(list(enumerate(rows)))
        kept = {row.pop(INDEX): row for row in batch.frame.to_dicts()}
        assert sorted([*kept, *(problem.number for problem in batch.problems)]) == list(range(len(rows)))
        for number, row in kept.items():
            assert without_null(row) == without_null(rows[number])


@given(rows=st.lists(st.dictionaries(KEYS, st.none() | st.integers(-5, 5) | st.lists(st.text(max_size=2)), max_size=3)))
def test_no_number_is_turned_into_text_and_no_text_into_a_number(rows):
    batch = Tabulator().batch(list(enumerate(rows)))
    for row in batch.frame.to_dicts():
        for key, value in row.items():
            if key != INDEX:
                assert value is None or type(value) is type(rows[row[INDEX]][key])


def tabulated(*values: Any) -> tuple[list[Any], list[tuple[int, str]]]:
    batch = Tabulator().batch([(number, {"a": value}) for number, value in enumerate(values)])
    return batch.frame["a"].to_list(), [(problem.number, problem.reason) for problem in batch.problems]


def test_one_fraction_does_not_turn_whole_labels_into_fractions():
    assert tabulated(0, 1, 1.0, 2) == ([0, 1, 2], [(2, "a is a fraction here and a whole number in other rows")])


def test_whole_numbers_among_fractions_are_fractions():
    kept, problems = tabulated(0.5, 1, 2.5)
    assert (kept, problems) == ([0.5, 1.0, 2.5], [])
    assert all(type(value) is float for value in kept)


def test_a_whole_number_that_no_fraction_can_hold_costs_its_row():
    why = "a is a whole number beyond 2^53 here and a fraction in other rows"
    assert tabulated(0.5, 1.5, 2**53, 2**53 + 1, -(2**60), 2.5) == (
        [0.5, 1.5, 2.0**53, 2.5],
        [(3, why), (4, why)],
    )
    assert tabulated([0.5, 2**53 + 1], [1.5]) == ([[1.5]], [(0, f"a[]{why[1:]}")])


def test_whole_numbers_beyond_2_53_are_whole_numbers_among_others():
    assert tabulated(2**60, 1, "x", 2**60 + 1) == (
        [2**60, 1, 2**60 + 1],
        [(2, "a is text here and a whole number in other rows")],
    )
    assert tabulated("x", "y", 2**60) == (["x", "y"], [(2, "a is a whole number here and text in other rows")])
    tabulator = Tabulator()
    tabulator.settle([[{"a": 2**60}, {"a": 3}]])
    assert not tabulator.mixed


def test_an_item_of_another_type_costs_its_row():
    assert tabulated(["x", "y"], ["z", None], [1], ["w", 2]) == (
        [["x", "y"], ["z", None]],
        [(number, "a[] is a whole number here and text in other rows") for number in (2, 3)],
    )


def test_a_key_of_another_type_costs_its_row():
    assert tabulated({"b": [{"c": "x"}]}, {"b": [{"c": 1}]}, {"b": []}, {"d": True}) == (
        [{"b": [{"c": "x"}], "d": None}, {"b": [], "d": None}, {"b": None, "d": True}],
        [(1, "a.b[].c is a whole number here and text in other rows")],
    )


def test_numbers_beyond_64_bits_are_too_large_to_hold():
    assert tabulated(2**63 - 1, -(2**63), 2**63, -(2**63) - 1, math.inf, math.nan) == (
        [2**63 - 1, -(2**63)],
        [(number, "a is a number too large to hold") for number in (2, 3, 4, 5)],
    )


def test_what_is_nested_too_deep_costs_its_row():
    deep: Any = "x"
    for _ in range(17):
        deep = [deep]
    assert tabulated(deep[0], deep) == ([deep[0]], [(1, f"a{'[]' * 16} is nested more than 16 deep")])


def test_the_types_of_the_first_batch_hold_for_the_next():
    tabulator = Tabulator()
    assert tabulator.batch([(0, {"a": 1, "b": None})]).problems == ()
    why = "a is text here and a whole number in other rows"
    batch = tabulator.batch([(1, {"a": "x", "b": "y"}), (2, {"a": "z", "b": None}), (3, {"a": 2, "b": "w"})])
    assert batch.frame.to_dicts() == [{INDEX: 3, "a": 2, "b": "w"}]
    assert list(batch.problems) == [(number, why, value, "") for number, value in ((1, '"x"'), (2, '"z"'))]


def test_columns_that_are_not_wanted_decide_nothing():
    batch = Tabulator(frozenset({"a"})).batch([(0, {"a": "x", "b": 1}), (1, {"a": "y", "b": "?"})])
    assert (batch.frame.columns, batch.problems) == ([INDEX, "a"], ())
