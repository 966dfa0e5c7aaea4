"""Encoder-decoders, measured: equal to the plain definition, to themselves in every batch, and by the command."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_model import from_config
from transformers import BartConfig, PegasusConfig, T5Config

from instruction_kit import Mixture
from instruction_kit.errors import EvaluationError, TokenError
from instruction_kit.evaluation.batch import Scored
from instruction_kit.evaluation.evaluate import evaluate
from instruction_kit.evaluation.folder import read_pairs
from instruction_kit.evaluation.generate import Generation, generate
from instruction_kit.evaluation.measure import How, measure
from instruction_kit.evaluation.model import load_model
from instruction_kit.evaluation.room import Room, max_positions, no_room, room_of, too_long
from instruction_kit.evaluation.score import log_likelihoods
from instruction_kit.evaluation.two_sided import start_of
from instruction_kit.exemplar.trigger import ANSWERING, REASONING
from instruction_kit.token.encode import encoder_of
from instruction_kit.token.encoder import Encoded
from instruction_kit.token.settle import Asked, layout_of
from instruction_kit.training.toy import make_toy, make_toy_encoder_decoder

pytestmark = pytest.mark.usefixtures("one_thread")

VOCABULARY, STOP = 50, 1
SMALL: dict[str, Any] = {"vocab_size": VOCABULARY, "d_model": 32, "eos_token_id": STOP, "pad_token_id": 0}
LAYERS: dict[str, Any] = {
    **{f"{side}_{what}": size for side in ("encoder", "decoder") for what, size in (("layers", 1), ("ffn_dim", 64))},
    **{f"{side}_attention_heads": 2 for side in ("encoder", "decoder")},
}
T5: Any = T5Config  # what its releases write into config.json is more than its fields
CONFIGS: dict[str, Any] = {
    "t5": T5(**SMALL, d_kv=16, d_ff=64, num_layers=2, num_heads=2, decoder_start_token_id=0),
    "flan_t5": T5(
        **SMALL, d_kv=16, d_ff=64, num_layers=1, num_heads=2, decoder_start_token_id=0, tie_word_embeddings=False,
        feed_forward_proj="gated-gelu", initializer_factor=0.2, n_positions=8,
    ),
    "bart": BartConfig(
        **SMALL,
        **LAYERS,
        max_position_embeddings=40,
        decoder_start_token_id=1,
        bos_token_id=3,
        forced_eos_token_id=None,
    ),
    "pegasus": PegasusConfig(**SMALL, **LAYERS, max_position_embeddings=40, decoder_start_token_id=0),
}  # fmt: skip
TOKENS = st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=12).map(tuple)
SEQUENCES = st.lists(st.builds(Scored, TOKENS, TOKENS), min_size=1, max_size=12)


def make(name: str) -> Any:
    return from_config(CONFIGS[name])


@pytest.fixture(scope="module", params=list(CONFIGS))
def model(request):
    return make(request.param)


@pytest.fixture(scope="module")
def t5():
    return make("t5")


def by_definition(model, sequence: Scored) -> float:
    """Score one sequence alone, as the model itself lays out its labels: no padding, no mask."""
    model.train(mode=False)
    labels = torch.tensor([sequence.completion])
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([sequence.prompt]), labels=labels).logits
    return float(logits[0].double().log_softmax(-1).gather(1, labels[0, :, None]).sum())


def sequences() -> list[Scored]:
    """Prompts of many lengths, each with one to four completions of several lengths."""
    texts = [(3, 1), (4, 5, 6, 1), (7, 2, 1), (1,)]
    prompts = [tuple((7 * number + place) % VOCABULARY for place in range(1 + 5 * number % 17)) for number in range(9)]
    return [Scored(prompt, text) for prompt in prompts for text in texts[: 1 + len(prompt) % 4]]


@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_a_score_is_the_sum_over_the_completion_in_every_batch(model, batch_size):
    wanted = [by_definition(model, sequence) for sequence in sequences()]
    assert log_likelihoods(model, sequences(), batch_size=batch_size) == pytest.approx(wanted, abs=1e-5)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequences=SEQUENCES, batch_size=st.integers(1, 12), data=st.data())
def test_a_score_depends_neither_on_the_batch_nor_on_the_order(t5, sequences, batch_size, data):
    alone = {sequence: log_likelihoods(t5, [sequence], batch_size=1)[0] for sequence in sequences}
    shuffled = data.draw(st.permutations(sequences))
    found = log_likelihoods(t5, shuffled, batch_size=batch_size)
    assert found == pytest.approx([alone[sequence] for sequence in shuffled], abs=1e-5)


def test_a_prompt_is_read_once_for_all_its_candidates():
    model, read = make("t5"), []
    forward = model.encoder.forward

    def counting(input_ids=None, **rest):
        read.append(tuple(input_ids.shape))
        return forward(input_ids=input_ids, **rest)

    model.encoder.forward = counting
    prompt = tuple(range(20))
    log_likelihoods(model, [Scored(prompt, (number, 2, 1)) for number in range(8)], batch_size=8)
    assert read == [(1, 20)]


def test_where_the_decoder_begins_is_the_model_s_to_say():
    assert [start_of(make(name)) for name in CONFIGS] == [0, 0, 1, 0]
    model = make("t5")
    model.config.decoder_start_token_id = model.generation_config.decoder_start_token_id = None
    with pytest.raises(EvaluationError, match=r"config\.json names no decoder_start_token_id, so its decoder cannot"):
        log_likelihoods(model, sequences(), batch_size=4)


# --- what is written --------------------------------------------------------------------------------------------------


def greedy(model, prompt: tuple[int, ...], num: int) -> tuple[int, ...]:
    model.train(mode=False)
    ids = [start_of(model)]
    with torch.inference_mode():
        while len(ids) <= num:
            found = model(input_ids=torch.tensor([prompt]), decoder_input_ids=torch.tensor([ids])).logits[0, -1]
            ids.append(int(found.argmax()))
    written = ids[1:]
    return tuple(written[: written.index(STOP)] if STOP in written else written)


def test_the_likeliest_tokens_are_written_whatever_stands_in_the_batch(model):
    prompts = [tuple(range(2, 3 + 4 * number % 11)) for number in range(6)]
    names = [f"row {number}" for number in range(6)]
    wanted = [[greedy(model, prompt, 6)] for prompt in prompts]
    for size in (1, 4, 16):
        how = Generation(max_new_tokens=6)
        assert generate(model, prompts, names, stop_id=STOP, how=how, batch_size=size) == wanted


def test_what_is_drawn_for_a_row_is_its_own(t5):
    prompts, names = [(5,), (5, 9, 3), (5, 9, 3)], ["a", "b", "c"]
    how = Generation(max_new_tokens=8, temperature=1.0, num_samples=3)
    one, many = (generate(t5, prompts, names, stop_id=STOP, how=how, batch_size=size) for size in (1, 16))
    assert one == many
    assert one[1] != one[2]


# --- what fits --------------------------------------------------------------------------------------------------------


def test_each_side_has_the_whole_room_and_distances_have_no_bound():
    assert [max_positions(make(name)) for name in CONFIGS] == [None, None, 40, 40]
    room = room_of(make("bart"))
    assert room == Room(40, two_sided=True)
    assert too_long([Scored((1,) * 40, (1,) * 41)], room) is None
    for wrong in (Scored((1,) * 41, (1,)), Scored((1,), (1,) * 42)):
        assert too_long([wrong], room) == "longer than the model's 40 positions"
    how = Generation(max_new_tokens=40)
    assert no_room(Encoded([1] * 40, [], []), room, how) is None
    assert no_room(Encoded([1] * 41, [], []), room, how) == (
        "its prompt leaves no room for 40 new tokens in the model's 40 positions"
    )
    assert not Room(40, two_sided=False).takes(20, 21)


# --- the command ------------------------------------------------------------------------------------------------------


def toy_in(folder: Path, built: Path, *, seed: int = 0) -> Path:
    frame = pl.read_parquet(built / "train" / "*.parquet")
    texts = [*frame["prompt"], *frame["completion"], *[of.text for of in (*REASONING, *ANSWERING)]]
    return make_toy_encoder_decoder(folder, texts, vocab_size=300, hidden_size=32, num_layers=1, seed=seed)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("built")
    tasks, out = ("rte", "copa", "gsm8k"), ("natural_language_inference",)
    mixture = Mixture(tasks=tasks, hold_out=out, data="sample", num_validation=2, num_held_out=2)
    mixture.build(folder)
    return folder


def test_the_command_ranks_and_generates_with_two_models(built, tmp_path):
    model, before = toy_in(tmp_path / "model", built), toy_in(tmp_path / "before", built, seed=1)
    flags: dict[str, Any] = {"split": "validation", "protocol": ["rank", "generate"]}
    flags.update(max_new_tokens=6, rows_per_task=1)
    report = evaluate(built, model_name_or_path=model, baseline=before, output_dir=tmp_path / "out", **flags)
    assert report.run is not None
    assert json.loads(report.run.layout)["kind"] == "encoder_decoder"
    rows = pl.read_parquet(tmp_path / "out" / "rows.parquet").filter(model="model")
    loaded = load_model(str(model), dtype="float32", device="cpu")
    for row in rows.filter(protocol="rank").iter_rows(named=True):
        for text, score in zip(row["candidates"], row["scores"], strict=True):
            sides = (tuple(loaded.tokenizer(side)["input_ids"]) for side in (row["prompt"], text))
            assert score == pytest.approx(by_definition(loaded.model, Scored(*sides)), abs=1e-5)
    for row in rows.filter(protocol="generate").iter_rows(named=True):
        ids = loaded.tokenizer(row["prompt"], return_tensors="pt")
        written = loaded.model.generate(**ids, max_new_tokens=6, do_sample=False)[0]  # type: ignore[operator]
        assert row["outputs"] == [loaded.tokenizer.decode(written, skip_special_tokens=True)]


def test_reasons_are_asked_for_before_the_end_of_the_prompt(built, tmp_path):
    loaded = load_model(str(toy_in(tmp_path / "model", built)), dtype="float32", device="cpu")
    layout = layout_of(loaded.tokenizer, joiner="\n", asked=Asked("encoder_decoder"))
    encoder = encoder_of(loaded.tokenizer, layout)
    assert encoder.followed((5, 6, encoder.stop_id), (7, 8)) == [5, 6, 7, 8, encoder.stop_id]
    how = How(("zero_shot_cot",), Generation(max_new_tokens=3))
    pairs = read_pairs(built, split="held_out", rows_per_task=1)[:2]
    found = measure(*loaded, layout, pairs, batch_size=2, how=how)
    assert found["outputs"].list.first().str.starts_with(REASONING[0].text).all()
    assert found["scores"].list.len().to_list() == found["options"].list.len().to_list()


def test_a_baseline_of_another_kind_and_another_layout_are_refused(built, tmp_path):
    model = toy_in(tmp_path / "model", built)
    plain = make_toy(tmp_path / "plain", ["yes or no"], vocab_size=300, hidden_size=32, num_layers=1)
    with pytest.raises(EvaluationError, match=r"only .*model is an encoder-decoder, so they cannot be asked in one"):
        evaluate(built, model_name_or_path=model, baseline=plain, output_dir=tmp_path / "out")
    with pytest.raises(TokenError, match=r"--layout plain: .* is an encoder-decoder, which reads the prompt by one"):
        evaluate(built, model_name_or_path=model, output_dir=tmp_path / "out2", layout="plain")
