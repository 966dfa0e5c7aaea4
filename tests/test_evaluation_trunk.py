"""What prompts begin with together: runs cover every prompt once, and no trunk is longer than what they share."""

from hypothesis import given
from hypothesis import strategies as st

from instruction_kit.evaluation.trunk import MIN_TRUNK, Tokens, runs

ENDS = st.lists(st.integers(0, 2), min_size=1, max_size=6).map(tuple)
STARTS = st.sampled_from([(), (7,) * 31, (7,) * 32, (7,) * 45, (7,) * 40 + (8,) * 10])
PROMPTS = st.lists(st.tuples(STARTS, ENDS).map(lambda parts: (*parts[0], *parts[1])), max_size=25)


@given(PROMPTS)
def test_every_prompt_stands_in_one_run_and_goes_on_behind_its_trunk(prompts: list[Tokens]):
    found = runs(prompts)
    assert sorted(prompt for run in found for prompt in run.prompts) == sorted(set(prompts))
    for run in found:
        assert len({prompt[: run.trunk] for prompt in run.prompts}) == 1
        assert all(len(prompt) > run.trunk for prompt in run.prompts)
        assert run.trunk == 0 or (run.trunk >= MIN_TRUNK and len(run.prompts) > 1)


@given(PROMPTS, st.randoms(use_true_random=False))
def test_runs_do_not_depend_on_the_order_of_the_prompts(prompts: list[Tokens], random):
    shuffled = prompts[:]
    random.shuffle(shuffled)
    assert runs(shuffled) == runs(prompts)


def test_a_prompt_that_shares_little_does_not_shorten_the_trunk_of_many():
    trunk = tuple(range(100))
    many = [(*trunk, number, 0) for number in range(8)]
    assert [(run.trunk, len(run.prompts)) for run in runs([*many, (*trunk[:40], 999)])] == [(100, 8), (0, 1)]
