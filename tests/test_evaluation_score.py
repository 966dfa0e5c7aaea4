"""Log-likelihoods: equal to the plain definition, for several architectures, and to themselves in every batch."""

import inspect
import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_model import from_config
from transformers import BloomConfig, GPT2Config, GPTNeoXConfig, LlamaConfig, MistralConfig, OPTConfig

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.batch import Scored
from instruction_kit.evaluation.room import max_positions
from instruction_kit.evaluation.score import log_likelihoods
from instruction_kit.evaluation.shared import shares

pytestmark = pytest.mark.usefixtures("one_thread")

VOCABULARY = 50
SIZES: dict[str, Any] = {"vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
CONFIGS = {
    "llama": LlamaConfig(**SIZES, intermediate_size=64, max_position_embeddings=64),
    "gpt2": GPT2Config(
        vocab_size=VOCABULARY, bos_token_id=0, eos_token_id=0, n_embd=32, n_layer=1, n_head=2, n_positions=64
    ),
    "gpt_neox": GPTNeoXConfig(**SIZES, intermediate_size=64, max_position_embeddings=64),
    "opt": OPTConfig(**SIZES, ffn_dim=64, word_embed_proj_dim=32, max_position_embeddings=64),
    "bloom": BloomConfig(vocab_size=VOCABULARY, hidden_size=32, n_layer=1, n_head=2),
    "mistral": MistralConfig(
        **SIZES, intermediate_size=64, num_key_value_heads=1, sliding_window=6, max_position_embeddings=64
    ),
}
FROM_CACHE = {"llama", "gpt2", "gpt_neox", "opt", "bloom"}
"""Those of them that can go on from a cache; a sliding window forgets."""
TOKENS = st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=12).map(tuple)
SEQUENCES = st.lists(st.builds(Scored, TOKENS, TOKENS), min_size=1, max_size=20)


def make(name: str) -> Any:
    return from_config(CONFIGS[name])


@pytest.fixture(scope="module", params=list(CONFIGS))
def model(request):
    return make(request.param)


@pytest.fixture(scope="module")
def llama():
    return make("llama")


def by_definition(model, sequence: Scored) -> float:
    """Score one sequence alone: no padding, no mask, no positions, all logits."""
    model.train(mode=False)
    with torch.inference_mode():
        logits = model(torch.tensor([[*sequence.prompt, *sequence.completion]])).logits[0].float()
    table = logits.log_softmax(-1)
    start = len(sequence.prompt) - 1
    return sum(float(table[start + place, token]) for place, token in enumerate(sequence.completion))


def sequences(num: int) -> list[Scored]:
    """Sequences of many lengths in no order of length."""
    return [
        Scored(
            tuple((7 * number + place) % VOCABULARY for place in range(1 + (5 * number) % 17)),
            tuple((3 * number + 2 * place) % VOCABULARY for place in range(1 + (number * number) % 5)),
        )
        for number in range(num)
    ]


@pytest.mark.parametrize("batch_size", [1, 16])
def test_a_score_is_the_sum_over_the_completion_alone_in_every_batch(model, batch_size):
    wanted = [by_definition(model, sequence) for sequence in sequences(23)]
    assert log_likelihoods(model, sequences(23), batch_size=batch_size) == pytest.approx(wanted, abs=1e-5)


def branching(num: int) -> list[Scored]:
    """Sequences of which several share a prompt, and several prompts a trunk of 33 or 40 tokens."""
    trunks = [tuple((11 * number + 1) % VOCABULARY for number in range(length)) for length in (40, 33, 0)]
    prompts = [(*trunks[number % 3], 1 + number, *range(number % 4)) for number in range(num)]
    texts = [(3,), (3, 1), (4, 5, 6, 2), (7, 2)]
    return [Scored(prompt, text) for prompt in prompts for text in texts[: 1 + len(prompt) % 4]]


@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_what_is_run_once_for_several_scores_each_as_if_it_were_alone(model, batch_size):
    wanted = [by_definition(model, sequence) for sequence in branching(14)]
    assert log_likelihoods(model, branching(14), batch_size=batch_size) == pytest.approx(wanted, abs=1e-5)


def test_a_model_goes_on_from_a_cache_if_that_gives_what_whole_sequences_give(model, request):
    with torch.inference_mode():
        assert shares(model.train(mode=False)) == (request.node.callspec.params["model"] in FROM_CACHE)


def test_a_model_that_attends_to_padding_is_run_on_whole_sequences():
    model = make("llama")
    forward = model.forward

    def unmasked(*, past_key_values=None, attention_mask=None, position_ids=None, **rest):
        masked = past_key_values is None or not past_key_values.get_seq_length()
        return forward(
            past_key_values=past_key_values,
            attention_mask=attention_mask if masked else torch.ones_like(attention_mask),
            position_ids=position_ids,
            **rest,
        )

    wanted = log_likelihoods(model, branching(6), batch_size=8)
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(20)  # so that attention is far from even
        model.forward = unmasked
    with torch.inference_mode():
        assert not shares(model)
    assert wanted != log_likelihoods(model, branching(6), batch_size=8)


def test_a_shared_prompt_goes_through_the_model_once():
    model, widths = make("llama"), []
    forward = model.forward

    def counting(input_ids, **rest):
        widths.append(tuple(input_ids.shape))
        return forward(input_ids, **rest)

    counting.__signature__ = inspect.signature(forward)  # type: ignore[attr-defined]
    model.forward = counting
    prompt = tuple(range(20))
    log_likelihoods(model, [Scored(prompt, (number, number + 1, 2)) for number in range(4)], batch_size=4)
    probe = 3  # whole, prompt, completions
    assert widths[probe:] == [(1, 20), (4, 2)]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequences=SEQUENCES, batch_size=st.integers(1, 20), data=st.data())
def test_a_score_depends_neither_on_the_batch_nor_on_the_order(llama, sequences, batch_size, data):
    alone = {sequence: log_likelihoods(llama, [sequence], batch_size=1)[0] for sequence in sequences}
    shuffled = data.draw(st.permutations(sequences))
    found = log_likelihoods(llama, shuffled, batch_size=batch_size)
    assert found == pytest.approx([alone[sequence] for sequence in shuffled], abs=1e-5)


def test_equal_sequences_get_the_very_same_score(llama):
    same = Scored((1, 2, 3), (4, 5))
    found = log_likelihoods(llama, [same, Scored((1,) * 9, (2,) * 8), same, *sequences(5), same], batch_size=2)
    assert found[0] == found[2] == found[-1]


def test_dropout_is_off_even_if_the_model_was_being_trained():
    model = make("gpt2").train()
    first = log_likelihoods(model, sequences(4), batch_size=4)
    assert log_likelihoods(model.train(), sequences(4), batch_size=4) == first


def test_progress_adds_up_to_the_number_of_sequences(llama):
    told: list[int] = []
    log_likelihoods(llama, sequences(7) * 2, batch_size=3, advance=told.append)
    assert sum(told) == 14
    assert len(told) > 1
    assert log_likelihoods(llama, [], batch_size=3) == []


def test_the_bound_on_positions_is_the_configuration_s():
    assert [max_positions(make(name)) for name in ("llama", "gpt2", "gpt_neox", "opt")] == [64] * 4
    assert max_positions(make("bloom")) is None


def test_a_broken_model_is_refused():
    model = make("llama")
    with torch.no_grad():
        model.lm_head.weight.fill_(math.nan)
    with pytest.raises(EvaluationError, match=r"not a number; .* measure with --dtype float32"):
        log_likelihoods(model, sequences(2), batch_size=2)


class Bigrams(torch.nn.Module):
    """A model whose next token depends on the last one alone; tokens 0 and 1 are words, 2 is the stop token."""

    def __init__(self, table: list[list[float]]) -> None:
        super().__init__()
        self.table = torch.nn.Parameter(torch.tensor(table).log())
        self.device = torch.device("cpu")
        self.config = SimpleNamespace(is_encoder_decoder=False)

    def get_input_embeddings(self):
        return SimpleNamespace(weight=self.table)

    def forward(self, input_ids, attention_mask, use_cache):
        return SimpleNamespace(logits=self.table[input_ids])


def test_the_stop_token_keeps_a_candidate_from_winning_for_being_the_beginning_of_another():
    """After "no" this model nearly always says "t": "not" is its answer, and "no" only its beginning."""
    model: Any = Bigrams([[0.05, 0.9, 0.05], [0.01, 0.01, 0.98], [0.9, 0.05, 0.05]])
    prompt, no, stop = (2,), (0,), (2,)
    no_t = (0, 1)
    bare = log_likelihoods(model, [Scored(prompt, no), Scored(prompt, no_t)], batch_size=2)
    whole = log_likelihoods(model, [Scored(prompt, no + stop), Scored(prompt, no_t + stop)], batch_size=2)
    assert bare[0] > bare[1]
    assert whole[0] < whole[1]
    assert whole == pytest.approx([math.log(0.9 * 0.05), math.log(0.9 * 0.9 * 0.98)])
