"""Choices follow from hashes alone: the same everywhere, uniform, and disturbed by what is new no more than must be."""

import math

import numpy as np
import pytest
from binomial import binomial_bounds
from hypothesis import given
from hypothesis import strategies as st

from instruction_kit.choice import favourite, keys, preference, row_hashes, smallest, unit, weighted_pick

IDS = [f"train:{number}" for number in range(20_000)]
ROWS = row_hashes(IDS)
PHRASINGS = ["nli/ask", "nli/claim", "nli/quiz", "nli/verdict"]
some_ids = st.lists(st.text(max_size=20), unique=True, max_size=30)


def within(count: int, trials: int, chance: float) -> bool:
    low, high = binomial_bounds(trials, chance)
    return low <= count <= high


# --- the same everywhere ----------------------------------------------------------------------------------------------


def test_the_hash_of_a_row_id_is_this_number_on_every_machine():
    assert row_hashes(["train:0", "train:1", "", "ids with 😀 and é"]).tolist() == [
        12_432_971_178_054_450_268,
        1_400_540_142_020_106_914,
        13_020_603_013_274_838_756,
        2_988_003_605_946_625_607,
    ]


def test_a_key_is_this_number_for_this_seed_and_name():
    assert keys(row_hashes(["train:0", "train:1"]), 0, "use", "snli").tolist() == [
        13_787_416_844_621_758_539,
        1_570_495_121_382_026_568,
    ]
    assert keys(row_hashes(["train:0", "train:1"]), 1, "use", "snli").tolist() == [
        16_797_246_019_478_191_329,
        16_356_957_985_315_916_960,
    ]


def test_picks_are_these_for_this_seed_and_name():
    rows = ROWS[:16]
    assert weighted_pick(rows, PHRASINGS, np.array([1.0, 2, 3, 4]), 0, "setting").tolist() == [
        3,
        2,
        3,
        2,
        3,
        1,
        2,
        3,
        2,
        3,
        3,
        1,
        2,
        2,
        0,
        3,
    ]
    assert preference(rows[:3], PHRASINGS, 0, "phrasing").tolist() == [[3, 0, 2, 1], [3, 2, 1, 0], [3, 2, 1, 0]]
    assert smallest(keys(rows, 0, "use"), 5).tolist() == [1, 0, 9, 2, 10]
    assert favourite(rows[:8], [PHRASINGS] * 8, 0, "reference").tolist() == [0, 0, 3, 1, 1, 2, 1, 0]


@given(some_ids, st.integers(0, 29))
def test_a_key_does_not_depend_on_the_rows_beside_it(ids, cut):
    together = keys(row_hashes(ids), 7, "use", "snli")
    apart = [*keys(row_hashes(ids[:cut]), 7, "use", "snli"), *keys(row_hashes(ids[cut:]), 7, "use", "snli")]
    backwards = keys(row_hashes(ids[::-1]), 7, "use", "snli")[::-1]
    assert together.tolist() == apart == backwards.tolist()


@given(some_ids, st.integers(0, 29), st.lists(st.sampled_from([0.0, 0.5, 1, 3]), min_size=4, max_size=4))
def test_a_pick_does_not_depend_on_the_rows_beside_it(ids, cut, weights):
    rows, table = row_hashes(ids), np.array(weights)
    together = weighted_pick(rows, PHRASINGS, table, 3, "setting").tolist()
    parts = [weighted_pick(part, PHRASINGS, table, 3, "setting").tolist() for part in (rows[:cut], rows[cut:])]
    assert together == parts[0] + parts[1]
    assert preference(rows, PHRASINGS, 3).tolist() == [
        preference(rows[i : i + 1], PHRASINGS, 3)[0].tolist() for i in range(len(ids))
    ]


def test_names_that_read_alike_when_joined_are_different_choices():
    rows = ROWS[:4]
    assert keys(rows, "ab", "c").tolist() != keys(rows, "a", "bc").tolist()
    assert keys(rows, 1, "use", 2).tolist() != keys(rows, 1, "use", 3).tolist()
    assert keys(rows, "use", "snli").tolist() != keys(rows, "seen", "snli").tolist()


@given(st.lists(st.tuples(st.text(max_size=20), st.lists(st.text(max_size=5), min_size=1, max_size=6)), max_size=20))
def test_a_favourite_depends_on_the_rows_own_candidates_alone_and_not_on_their_order(rows):
    hashes, texts = row_hashes([row for row, _ in rows]), [own for _, own in rows]
    together = [own[place] for own, place in zip(texts, favourite(hashes, texts, 3, "reference"), strict=True)]
    for number, own in enumerate(texts):
        alone = hashes[number : number + 1]
        backwards = [*own[::-1], own[0]]
        assert own[favourite(alone, [own], 3, "reference")[0]] == together[number]
        assert backwards[favourite(alone, [backwards], 3, "reference")[0]] == together[number]


def test_no_rows_are_no_keys_and_no_picks():
    none = row_hashes([])
    assert keys(none, 0, "use").tolist() == []
    assert smallest(none, 3).tolist() == []
    assert weighted_pick(none, PHRASINGS, np.ones(4), 0).tolist() == []
    assert preference(none, PHRASINGS, 0).shape == (0, 4)
    assert favourite(none, [], 0).tolist() == []


# --- uniform ----------------------------------------------------------------------------------------------------------


def test_each_bit_of_a_key_is_set_for_half_of_the_rows():
    order = keys(ROWS, 0, "use", "snli")
    low, high = binomial_bounds(len(IDS), 0.5)
    counts = [int(((order >> np.uint64(bit)) & np.uint64(1)).sum()) for bit in range(64)]
    assert low <= min(counts)
    assert max(counts) <= high


@pytest.mark.parametrize("seed", [0, 1, 12_345])
def test_keys_fall_into_equal_ranges_equally_often(seed):
    buckets = np.bincount((keys(ROWS, seed, "use") >> np.uint64(60)).astype(np.int64), minlength=16)
    assert all(within(int(count), len(IDS), 1 / 16) for count in buckets)


def test_two_choices_of_one_row_know_nothing_of_each_other():
    names: list[tuple[int, str, str]] = [(0, "use", "snli"), (0, "seen", "snli"), (0, "use", "rte"), (1, "use", "snli")]
    quarters = [(keys(ROWS, *name) >> np.uint64(62)).astype(np.int64) for name in names]
    for position, first in enumerate(quarters):
        for second in quarters[position + 1 :]:
            joint = np.bincount(first * 4 + second, minlength=16)
            assert all(within(int(count), len(IDS), 1 / 16) for count in joint)


def test_a_key_as_a_fraction_is_never_0_and_never_1():
    ends = unit(np.array([0, 1, 2**63, 2**64 - 1], dtype=np.uint64))
    assert 0 < ends[0] <= ends[1] < ends[2] < ends[3] < 1
    assert math.isfinite(-math.log(ends[0]))


# --- membership -------------------------------------------------------------------------------------------------------


def test_the_count_of_members_is_exact_and_never_more_than_there_are():
    order = keys(ROWS[:10], 0, "use")
    assert [len(smallest(order, count)) for count in (0, 3, 10, 99)] == [0, 3, 10, 10]


@given(some_ids.filter(bool), st.integers(0, 12), st.text(max_size=20))
def test_one_more_row_displaces_at_most_one(ids, count, new):
    before = {ids[i] for i in smallest(keys(row_hashes(ids), 5, "use"), count)}
    grown = list(dict.fromkeys([*ids, new]))
    after = {grown[i] for i in smallest(keys(row_hashes(grown), 5, "use"), count)}
    assert len(before - after) <= 1
    assert after - before <= {new}


@given(some_ids, st.integers(0, 30), st.integers(0, 30))
def test_fewer_members_are_a_part_of_more(ids, one, other):
    order = keys(row_hashes(ids), 5, "use")
    few, many = sorted((one, other))
    assert smallest(order, many)[: min(few, len(ids))].tolist() == smallest(order, few).tolist()


# --- picks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [[1, 1, 1, 1], [1, 2, 3, 4], [0.001, 10, 5, 85], [1e-9, 1e-9, 1e-9, 2e-9]])
def test_each_candidate_wins_the_share_of_its_weight(weights):
    picked = weighted_pick(ROWS, PHRASINGS, np.array(weights, dtype=float), 0, "setting", "snli")
    counts = np.bincount(picked, minlength=4)
    assert all(within(int(c), len(IDS), w / sum(weights)) for c, w in zip(counts, weights, strict=True))


def test_each_phrasing_comes_first_for_an_equal_share_of_rows():
    first = preference(ROWS, PHRASINGS, 0, "phrasing", "snli", "train")[:, 0]
    assert all(within(int(count), len(IDS), 1 / 4) for count in np.bincount(first, minlength=4))


def test_each_candidate_is_the_favourite_of_an_equal_share_and_a_new_one_takes_only_its_own():
    before = favourite(ROWS, [PHRASINGS[:3]] * len(IDS), 0, "reference")
    assert all(within(int(count), len(IDS), 1 / 3) for count in np.bincount(before, minlength=3))
    after = favourite(ROWS, [PHRASINGS] * len(IDS), 0, "reference")
    assert set(after[after != before].tolist()) == {3}
    assert within(int((after == 3).sum()), len(IDS), 1 / 4)
    itself = favourite(ROWS, [[row, "another"] for row in IDS], 0, "reference")  # a candidate may be the row's name
    assert within(int(itself.sum()), len(IDS), 1 / 2)


def test_a_new_candidate_takes_only_its_own_share():
    weights = {"nli/ask": 1.0, "nli/claim": 2.0, "nli/quiz": 3.0}
    before = weighted_pick(ROWS, list(weights), np.array(list(weights.values())), 0, "setting")
    grown = {"nli/a_new_one": 1.5, **weights}  # whatever its place in the list
    after = weighted_pick(ROWS, list(grown), np.array(list(grown.values())), 0, "setting")
    moved = [(list(weights)[old], list(grown)[new]) for old, new in zip(before, after, strict=True)]
    changed = [new for old, new in moved if old != new]
    assert set(changed) == {"nli/a_new_one"}
    assert within(len(changed), len(IDS), 1.5 / 7.5)


def test_a_new_phrasing_leaves_the_order_of_the_others():
    before = preference(ROWS[:500], PHRASINGS, 0, "phrasing")
    grown = ["nli/a_new_one", *PHRASINGS]
    after = preference(ROWS[:500], grown, 0, "phrasing")
    for old, new in zip(before, after, strict=True):
        assert [PHRASINGS[i] for i in old] == [grown[i] for i in new if grown[i] != "nli/a_new_one"]


def test_each_row_has_each_phrasing_once():
    assert (np.sort(preference(ROWS[:500], PHRASINGS, 0), axis=1) == np.arange(4)).all()


def test_a_weight_of_0_is_never_picked_and_a_row_with_no_weight_picks_nothing():
    rows = ROWS[:300]
    assert set(weighted_pick(rows, PHRASINGS, np.array([0, 1.0, 0, 1]), 0).tolist()) == {1, 3}
    table = np.ones((300, 4))
    table[::2] = 0
    table[1::2, :2] = 0
    picked = weighted_pick(rows, PHRASINGS, table, 0)
    assert set(picked[::2].tolist()) == {-1}
    assert set(picked[1::2].tolist()) == {2, 3}
