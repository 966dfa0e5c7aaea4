"""QLoRA: an adapter over a base of 4 or 8 bits, and what is refused of it."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from bitsandbytes.nn.modules import Linear4bit
from peft import PeftModel
from safetensors.torch import load_file
from test_training_flag import settled
from tiny_model import one_thread, texts, tune
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from instruction_kit.errors import TrainingError
from instruction_kit.training import quantised
from instruction_kit.training.resume import read_run
from instruction_kit.training.toy import make_toy

QLORA = {"use_peft": True, "load_in_4bit": True, "lora_target_modules": "all-linear", "save_strategy": "no"}


@pytest.fixture(scope="module")
def base_model(tmp_path_factory) -> Path:
    """As wide as a block of weights that share their scale."""
    return make_toy(tmp_path_factory.mktemp("base"), texts(), vocab_size=400, hidden_size=64, num_layers=1)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory, base_model) -> Path:
    flags = {
        **QLORA,
        "max_steps": 12,
        "learning_rate": 3e-2,
        "logging_steps": 1,
        "packing": True,
        "model_name_or_path": base_model,
    }
    folder: Path = tune(tmp_path_factory.mktemp("qlora") / "out", **flags, per_device_train_batch_size=1)
    return folder


def test_an_adapter_is_trained_over_a_base_of_four_bits_and_learns(tuned):
    history = json.loads((tuned / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    losses = [entry["loss"] for entry in history if "loss" in entry]
    assert losses[-1] < losses[0] - 0.1
    trained = load_file(tuned / "adapter_model.safetensors")
    assert all("lora_" in name for name in trained)
    assert any(weight.abs().max() > 0 for name, weight in trained.items() if "lora_B" in name)
    assert not (tuned / "model.safetensors").exists()
    run = read_run(tuned).adapter
    assert run is not None
    assert (run.load_in_4bit, run.load_in_8bit) == (True, False)
    assert "| load_in_4bit | True |" in (tuned / "README.md").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")  # PEFT reads the old name
def test_the_base_is_held_in_four_bits_and_the_adapter_is_loaded_over_it_again(tuned, base_model):
    held = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=torch.float32, bnb_4bit_quant_type="nf4")
    base = AutoModelForCausalLM.from_pretrained(base_model, quantization_config=held, device_map={"": "cpu"})
    layer = base.model.layers[0].mlp.up_proj
    assert isinstance(layer, Linear4bit)
    assert layer.weight.dtype == torch.uint8
    ids = torch.arange(3, 40)[None]
    with one_thread(), torch.no_grad():
        before = base(input_ids=ids).logits
        after = PeftModel.from_pretrained(base, tuned)(input_ids=ids).logits
    assert (after - before).abs().max() > 0.1


def test_a_base_of_eight_bits_is_read_too():
    found = settled(use_peft=True, load_in_8bit=True).model.quantisation
    assert found is not None
    assert found.load_in_8bit
    four = settled(use_peft=True, load_in_4bit=True, bnb_4bit_quant_type="fp4", use_bnb_nested_quant=True)
    assert four.model.quantisation is not None
    assert (four.model.quantisation.bnb_4bit_quant_type, four.model.quantisation.bnb_4bit_use_double_quant) == (
        "fp4", True,
    )  # fmt: skip
    assert settled().model.quantisation is None


def test_what_would_be_ignored_or_could_not_be_is_refused():
    with pytest.raises(TrainingError) as told:
        settled(load_in_4bit=True, load_in_8bit=True, merge_adapter=True)
    assert [line for line in str(told.value).splitlines() if "bit" in line] == [
        "--load_in_4bit, --load_in_8bit: take one of them",
        "--load_in_4bit: weights of so few bits cannot be tuned themselves; add --use_peft true",
        "--merge_adapter: it would be merged into the rounded weights of --load_in_4bit; leave it out",
    ]
    with pytest.raises(TrainingError, match="--bnb_4bit_quant_type: nothing reads it without --load_in_4bit true"):
        settled(bnb_4bit_quant_type="fp4")


def test_a_device_or_a_machine_that_cannot_is_refused_with_the_reason(monkeypatch):
    values = {"load_in_4bit": True, "load_in_8bit": False, "use_peft": True, "merge_adapter": False}
    [told] = quantised.problems_of(values, {"load_in_4bit"}, device="tpu")
    assert told.startswith("--load_in_4bit: bitsandbytes has no kernels for tpu, but for cpu, cuda")
    monkeypatch.setattr(quantised, "find_spec", lambda name: None if name == "bitsandbytes" else find_spec(name))
    with pytest.raises(TrainingError, match=r"it needs bitsandbytes: pip install 'instruction-kit\[qlora\]'"):
        settled(use_peft=True, load_in_4bit=True)
