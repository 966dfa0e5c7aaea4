"""The model that a run begins with: whole, of the named precision, and large enough for its tokens."""

import json
import shutil

import huggingface_hub
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from tiny_model import built, encoder, model
from transformers import AutoModelForCausalLM, T5Config, T5ForConditionalGeneration

from instruction_kit.errors import TrainingError
from instruction_kit.token.plain import PlainEncoder
from instruction_kit.token.settle import layout_of
from instruction_kit.token.shard import Wanted, tokenise
from instruction_kit.training.model import check_fit, has_encoder, load_model, load_tokenizer, set_special_tokens
from instruction_kit.training.request import ModelSource


def source(name: object, **other: object) -> ModelSource:
    settled = {
        "revision": "main",
        "dtype": torch.float32,
        "attn_implementation": None,
        "trust_remote_code": False,
        "init_kwargs": {},
    }
    return ModelSource(name=str(name), **{**settled, **other})  # type: ignore[arg-type]


def test_the_precision_is_the_named_one_whatever_the_checkpoint_is_stored_in(tmp_path):
    AutoModelForCausalLM.from_pretrained(model(), dtype=torch.bfloat16).save_pretrained(tmp_path)
    assert {weight.dtype for weight in load_model(source(tmp_path)).parameters()} == {torch.float32}
    assert {weight.dtype for weight in load_model(source(model(), dtype=torch.bfloat16)).parameters()} == {
        torch.bfloat16
    }


def test_the_attention_is_the_named_one():
    assert load_model(source(model(), attn_implementation="eager")).config._attn_implementation == "eager"


def test_a_checkpoint_that_lacks_weights_is_refused(tmp_path):
    shutil.copytree(model(), tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    weights = load_file(path)
    save_file({name: weight for name, weight in weights.items() if "down_proj" not in name}, path, {"format": "pt"})
    with pytest.raises(
        TrainingError, match=r"lacks 1 weights \(model\.layers\.0\.mlp\.down_proj\.weight\), which would"
    ):
        load_model(source(tmp_path / "model"))


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # peft reads the old name
def test_an_adapter_is_no_whole_model(tmp_path):
    base = AutoModelForCausalLM.from_pretrained(model())
    adapted = get_peft_model(base, LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"))
    adapted.save_pretrained(tmp_path)
    with pytest.raises(TrainingError, match="it is an adapter over another model; merge the two and save that first"):
        load_model(source(tmp_path))


def test_a_model_is_of_the_kind_that_its_configuration_names(tmp_path):
    config = T5Config(vocab_size=32, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    T5ForConditionalGeneration(config).save_pretrained(tmp_path)
    assert type(load_model(source(tmp_path))) is T5ForConditionalGeneration
    assert [has_encoder(source(of)) for of in (tmp_path, model())] == [True, False]
    with pytest.raises(TrainingError, match=r"model \./nothing-here: it cannot be loaded"):
        has_encoder(source("./nothing-here"))


@pytest.mark.parametrize("name", ["no/such/folder", "./nothing-here", "an-organisation/a-model"])
def test_a_model_that_is_not_there_is_an_error_that_says_what_is_taken(name, monkeypatch):
    monkeypatch.setattr(
        huggingface_hub.constants, "HF_HUB_OFFLINE", True
    )  # else the hub's client tries again for a minute
    with pytest.raises(
        TrainingError, match=f"tokenizer {name}: it cannot be loaded .*takes a folder that save_pretrained"
    ):
        load_tokenizer(source(name))
    with pytest.raises(TrainingError, match=f"model {name}: it cannot be loaded .*takes a folder that save_pretrained"):
        load_model(source(name))


def test_a_tokenizer_with_more_tokens_than_the_model_has_embeddings_is_refused(tmp_path):
    record = tokenise(built(), tmp_path, Wanted(512), encoder=encoder())
    small = load_model(source(model()))
    small.resize_token_embeddings(300)
    with pytest.raises(
        TrainingError, match=rf"it has 300 embeddings, and its tokenizer gives the id {record.largest_id}"
    ):
        check_fit(small, record, encoder())


def test_pairs_longer_than_the_models_positions_are_refused(tmp_path):
    record = tokenise(built(), tmp_path, Wanted(512), encoder=encoder())
    short = load_model(source(model()))
    check_fit(short, record, encoder())
    short.config.max_position_embeddings = 50
    with pytest.raises(
        TrainingError, match=r"it has 50 positions, and pairs have up to \d+ tokens; take --max_length 50"
    ):
        check_fit(short, record, encoder())


def test_generation_ends_at_the_stop_token_and_pads_with_another_one(tmp_path):
    loaded, made = load_model(source(model())), encoder()
    loaded.generation_config.eos_token_id = [0, 1, 2]
    set_special_tokens(loaded, made)
    loaded.save_pretrained(tmp_path)
    written = json.loads((tmp_path / "generation_config.json").read_text(encoding="utf-8"))
    assert (written["eos_token_id"], written["pad_token_id"]) == (made.stop_id, made.tokenizer.pad_token_id)
    assert written["pad_token_id"] != written["eos_token_id"]


def test_a_pad_token_that_is_the_stop_token_is_not_written():
    loaded, tokenizer = load_model(source(model())), encoder().tokenizer
    tokenizer.pad_token = tokenizer.eos_token
    set_special_tokens(loaded, PlainEncoder(tokenizer, layout_of(tokenizer, joiner="\n")))
    assert loaded.generation_config.pad_token_id is None
