"""How a number of pairs is divided: exactly, near to the rates, and so that what is new only takes."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from instruction_kit.build.quota import Quota, divided, divided_by_group
from instruction_kit.mixture.rate import Rate

some_rates = st.lists(
    st.one_of(st.integers(1, 60), st.floats(0.001, 1e6), st.integers(1, 10**6)), min_size=1, max_size=8
).map(lambda rates: {f"t{number}": rate for number, rate in enumerate(rates)})
totals = st.integers(0, 500)


def exact(total: int, rates: dict[str, Rate]) -> dict[str, Fraction]:
    whole = sum(Fraction(rate) for rate in rates.values())
    return {name: total * Fraction(rate) / whole for name, rate in rates.items()}


def test_the_division_is_exact_where_floats_are_not():
    assert divided(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert divided(0, {"a": 1, "b": 5}) == {"a": 0, "b": 0}
    assert divided(7, {"a": 0, "b": 5}) == {"a": 0, "b": 7}
    thirds = dict.fromkeys("cba", 0.1)  # floats that do not add up to 0.3
    assert divided(10**15 + 1, thirds) == {"a": 333333333333334, "b": 333333333333334, "c": 333333333333333}
    large = {"a": 2**53 + 1, "b": 2**53 - 1}
    assert divided(2**54, large) == {"a": 2**53 + 1, "b": 2**53 - 1}


def test_where_rounding_gives_too_many_the_last_ones_are_taken_back():
    assert divided(4, dict.fromkeys("abcdefgh", 1)) == {**dict.fromkeys("abcd", 1), **dict.fromkeys("efgh", 0)}
    assert divided(11, {"a": 9, "b": 0.5, "c": 0.5, "d": 0.5, "e": 0.5}) == {"a": 9, "b": 1, "c": 1, "d": 0, "e": 0}


@given(totals, some_rates)
def test_pair_after_pair_goes_to_the_task_that_is_furthest_behind(total, rates):
    """The rule itself, one pair at a time: the quick way must give the same."""
    given_so_far = dict.fromkeys(sorted(rates), 0)
    for _ in range(total):
        name = max(given_so_far, key=lambda task: Fraction(rates[task]) / (2 * given_so_far[task] + 1))
        given_so_far[name] += 1
    assert divided(total, rates) == given_so_far


@given(totals, some_rates, st.one_of(st.integers(1, 60), st.floats(0.001, 1e6)))
def test_a_new_task_never_gives_another_a_pair_more(total, rates, new):
    before = divided(total, rates)
    for name in ("a", "z"):  # before all others and after them
        after = divided(total, {name: new, **rates})
        assert sum(after.values()) == total
        assert all(after[task] <= count for task, count in before.items())


@given(totals, some_rates)
def test_a_larger_number_never_takes_a_pair_from_a_task(total, rates):
    fewer, more = divided(total, rates), divided(total + 1, rates)
    assert sum(more[task] - count for task, count in fewer.items()) == 1
    assert all(more[task] >= count for task, count in fewer.items())


@given(totals, some_rates)
def test_each_task_is_as_near_to_its_share_as_is_promised(total, rates):
    whole = sum(Fraction(rate) for rate in rates.values())
    for task, share in exact(total, rates).items():
        part = Fraction(rates[task]) / whole
        off = abs(divided(total, rates)[task] - share)
        assert off <= Fraction(1, 2) + part * (len(rates) - 2) / 2
        assert off < 1 or part * (len(rates) - 2) >= 1


@given(totals, some_rates)
def test_only_the_proportion_of_the_rates_counts_and_not_their_order(total, rates):
    assert divided(total, dict(reversed(rates.items()))) == divided(total, rates)
    assert divided(total, {task: 7 * Fraction(rate) for task, rate in rates.items()}) == divided(total, rates)


@given(totals, some_rates, st.lists(st.integers(1, 5), min_size=1, max_size=5), st.integers(1, 5))
def test_a_new_task_of_a_group_takes_from_its_group_alone(total, others, members, new):
    """With a number that the group has whoever is in it, as a cluster's weight is."""
    groups = {task: task for task in others}
    weight = Fraction(7, 2)

    def with_group(parts: list[int]) -> dict[str, int]:
        own = {f"g{place}": weight * part / sum(parts) for place, part in enumerate(parts)}
        return divided_by_group(total, {**others, **own}, groups | dict.fromkeys(own, "group"))

    before, after = with_group(members), with_group([*members, new])
    assert sum(after.values()) == total
    assert all(after[task] == before[task] for task in others)
    assert all(after[task] <= count for task, count in before.items())


def test_a_group_without_rates_gets_nothing():
    assert divided_by_group(9, {"a": 0, "b": 0, "c": 1}, {"a": "x", "b": "x", "c": "y"}) == {"a": 0, "b": 0, "c": 9}


def test_a_quota_counts_a_phrasing_that_comes_again_as_a_round():
    assert [Quota(pool=10, pairs=pairs, each=1, phrasings=1).rounds for pairs in (0, 9, 10, 11)] == [0, 1, 1, 2]
    once = Quota(pool=10, pairs=50, each=5, phrasings=2)
    assert (once.uses, once.rows, once.rounds) == (10, 10, 3)
    assert Quota(pool=0, pairs=0, each=5, phrasings=2).rounds == 0
