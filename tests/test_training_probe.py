"""Packed pairs do not see each other: proved for architectures that keep them apart, refused where they leak."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from tiny_model import built, encoder, one_thread, tokenizer, tune
from transformers import (
    BloomConfig,
    BloomForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    PreTrainedModel,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from instruction_kit.errors import TrainingError
from instruction_kit.token.shard import Wanted, tokenise
from instruction_kit.training.probe import prove_apart

SMALL: Any = {"vocab_size": 400, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
HEADS: Any = {"num_key_value_heads": 1, "intermediate_size": 64}
APART: dict[str, Any] = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SMALL, **HEADS)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SMALL, **HEADS, head_dim=16)),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=400, n_embd=32, n_layer=2, n_head=2)),
    "gpt_neox": lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**SMALL, intermediate_size=64)),
}
LEAKING: dict[str, Any] = {
    "opt": lambda: OPTForCausalLM(OPTConfig(**SMALL, ffn_dim=64, word_embed_proj_dim=32)),
    "bloom": lambda: BloomForCausalLM(BloomConfig(vocab_size=400, hidden_size=32, n_layer=2, n_head=2)),
}


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> Dataset:
    folder = tmp_path_factory.mktemp("tokens")
    [shard] = tokenise(built(), folder, Wanted(256, packing=True), encoder=encoder()).shards
    return Dataset.from_file(str(folder / shard.path))


def made(make: Any) -> PreTrainedModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()  # type: ignore[no-any-return]


def probe(model: PreTrainedModel, rows: Dataset) -> None:
    collate = DataCollatorForLanguageModeling(pad_token_id=2, padding_free=True)
    with one_thread():
        prove_apart(model, collate, rows, autocast=nullcontext(), name="m")


@pytest.mark.parametrize("kind", APART)
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_models_that_keep_packed_pairs_apart_pass(packed, kind, attention):
    model = made(APART[kind])
    model.set_attn_implementation(attention)
    probe(model.train(), packed)
    assert model.training


@pytest.mark.parametrize("kind", LEAKING)
def test_models_whose_packed_pairs_see_each_other_are_refused(packed, kind):
    with pytest.raises(TrainingError, match=r"packed pairs see each other: other tokens in one pair change the scores"):
        probe(made(LEAKING[kind]), packed)


def test_a_batch_without_borders_is_found_in_any_model(packed):
    def joined(items: list[dict[str, Any]]) -> Any:
        batch = DataCollatorForLanguageModeling(pad_token_id=2, padding_free=True)(items)
        return {key: batch[key] for key in ("input_ids", "labels")}

    with (
        one_thread(),
        pytest.raises(TrainingError, match=r"Leave out --packing, or take another --attn_implementation"),
    ):
        prove_apart(made(APART["llama"]), joined, packed, autocast=nullcontext(), name="m")


def test_a_run_of_a_leaking_model_ends_before_its_first_step(tmp_path):
    folder = tmp_path / "opt"
    made(LEAKING["opt"]).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    with pytest.raises(TrainingError, match=f"model {folder}: packed pairs see each other"):
        tune(tmp_path / "out", model_name_or_path=folder, packing=True)
    assert not list(Path(tmp_path / "out").glob("*.safetensors"))
