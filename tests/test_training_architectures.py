"""Architectures as they are used: made small from their configs, with a tokenizer trained on the spot, packed, tuned,
saved, read back and measured. What a pack gives is what each pair gives alone, by the plain definition.
"""

import functools
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import SCRATCH
from safetensors.torch import load_file
from tiny_model import FLAGS, cut, from_config, one_thread, texts, tune, watched_built
from torch.nn.functional import cross_entropy
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    GPT2Config,
    GPTNeoXConfig,
    MistralConfig,
    PreTrainedModel,
    Qwen2Config,
)

from instruction_kit.evaluation.folder import read_pairs
from instruction_kit.evaluation.measure import measure
from instruction_kit.evaluation.model import load_model
from instruction_kit.token.layout import read_layout
from instruction_kit.token.row import IGNORED
from instruction_kit.training.flag import as_arguments, parse
from instruction_kit.training.start import Prepared, prepare
from instruction_kit.training.toy import make_tokenizer

SMALL: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
HEADS: dict[str, Any] = {"num_key_value_heads": 1, "intermediate_size": 64, "max_position_embeddings": 512}
WIDE: dict[str, Any] = {"head_dim": 16}
NO_DROPOUT: dict[str, Any] = {"attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0}
CONFIGS: dict[str, Any] = {  # a Llama is what all other tests tune, a T5 what test_training_two_sided does
    "gpt2": lambda **of: GPT2Config(**of, n_embd=32, n_layer=2, n_head=2, n_positions=512, **NO_DROPOUT),
    "gpt_neox": lambda **of: GPTNeoXConfig(**of, **SMALL, intermediate_size=64, max_position_embeddings=512),
    "qwen2": lambda **of: Qwen2Config(**of, **SMALL, **HEADS),
    "mistral": lambda **of: MistralConfig(**of, **SMALL, **HEADS, **WIDE, sliding_window=24),
    "gemma2": lambda **of: Gemma2Config(**of, **SMALL, **HEADS, **WIDE, sliding_window=24, query_pre_attn_scalar=16),
}
PACKED = {
    **FLAGS,
    "packing": True,
    "max_length": 256,
    "per_device_train_batch_size": 1,
    "dataset_name": watched_built(),
}


@functools.cache
def model(kind: str) -> Path:
    """Make a model of an architecture: with BOS before a text where its own tokenizer puts one there."""
    folder = SCRATCH / "architectures" / kind
    tokenizer = make_tokenizer(texts(), vocab_size=400, add_bos=kind in ("mistral", "gemma2"))
    special = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    from_config(CONFIGS[kind](vocab_size=len(tokenizer), **special), seed=0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@functools.cache
def packed(kind: str) -> Prepared:
    output = SCRATCH / "architectures" / f"{kind}-run"
    settled = {**PACKED, "dataset_name": watched_built(), "model_name_or_path": model(kind), "output_dir": output}
    return prepare(parse(as_arguments(settled)))


def losses_alone(fresh: PreTrainedModel, row: dict[str, Any]) -> torch.Tensor:
    """The losses of a pack's trained tokens, each pair read by itself without mask or positions."""
    found = []
    for pair in cut(row):
        logits = fresh(input_ids=torch.tensor([pair["input_ids"]])).logits[0, :-1]
        labels = torch.tensor(pair["labels"][1:])
        found.append(cross_entropy(logits, labels, ignore_index=IGNORED, reduction="none")[labels != IGNORED])
    return torch.cat(found)


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_pack_has_the_loss_and_the_gradients_of_its_pairs_alone(kind):
    run = packed(kind)
    fresh = AutoModelForCausalLM.from_pretrained(model(kind))
    tuned: Any = run.trainer.model
    row = max(run.rows, key=lambda row: len(row["seq_lengths"]))
    assert len(row["seq_lengths"]) > 2
    with one_thread():
        wanted = losses_alone(fresh, row).mean()
        wanted.backward()
        found = run.trainer.compute_loss(tuned, dict(run.trainer.data_collator([row])))
        found.backward()
    assert float(found.detach()) == pytest.approx(float(wanted.detach()), abs=1e-5)
    gradients = {name: weight.grad for name, weight in fresh.named_parameters() if weight.grad is not None}
    for name, weight in tuned.named_parameters():
        if name in gradients:
            torch.testing.assert_close(weight.grad, gradients[name], rtol=1e-3, atol=1e-5)
    tuned.zero_grad()


@pytest.mark.parametrize("kind", CONFIGS)
def test_it_is_tuned_on_packs_saved_and_measured_as_by_definition(kind, tmp_path):
    flags = {**PACKED, "dataset_name": watched_built(), "model_name_or_path": model(kind), "save_strategy": "no"}
    folder = tune(tmp_path / "out", **flags)
    before, after = (load_file(of / "model.safetensors") for of in (model(kind), folder))
    assert all(not torch.equal(weight, after[name]) for name, weight in before.items() if "norm" not in name)
    loaded, layout = load_model(str(folder), dtype="float32", device="cpu"), read_layout(folder)
    assert layout is not None
    pairs = read_pairs(watched_built(), split="held_out", rows_per_task=2)
    with one_thread():
        rows = measure(*loaded, layout, pairs, batch_size=8)
        for row in rows.head(2).iter_rows(named=True):
            for text, score in zip(row["candidates"], row["scores"], strict=True):
                assert score == pytest.approx(by_definition(*loaded, row["prompt"], text), abs=1e-5)


def by_definition(tuned: PreTrainedModel, tokenizer: Any, prompt: str, completion: str) -> float:
    asked = tokenizer(prompt)["input_ids"]
    said = [*tokenizer(completion, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    with torch.inference_mode():
        logits = tuned(torch.tensor([[*asked, *said]])).logits[0].double().log_softmax(-1)
    return sum(float(logits[len(asked) - 1 + place, token]) for place, token in enumerate(said))
