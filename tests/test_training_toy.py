"""The model made on the spot: readable by the usual calls, the same bytes for the same arguments."""

import hashlib
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from instruction_kit.errors import TrainingError
from instruction_kit.training.toy import make_toy

TEXTS = ["A dog runs across the field.", "Is the man asleep? yes, no, it is not possible to tell", "12 + 30 = 42"] * 3


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_same_arguments_give_the_same_bytes_and_leave_the_random_state_alone(tmp_path):
    before = torch.get_rng_state()
    first = make_toy(tmp_path / "a", TEXTS, vocab_size=300, hidden_size=32, num_layers=1)
    second = make_toy(tmp_path / "b", iter(TEXTS), vocab_size=300, hidden_size=32, num_layers=1)
    other = make_toy(tmp_path / "c", TEXTS, vocab_size=300, hidden_size=32, num_layers=1, seed=1)
    assert hashes(first) == hashes(second)
    assert hashes(first)["model.safetensors"] != hashes(other)["model.safetensors"]
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("add_bos", [True, False])
def test_it_reads_back_with_distinct_special_tokens_and_writes_every_text(tmp_path, add_bos):
    folder = make_toy(tmp_path, TEXTS, vocab_size=300, hidden_size=32, num_layers=1, add_bos=add_bos)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert len({tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id}) == 3
    assert len(tokenizer) == model.config.vocab_size
    text = "Ünïcode, 中文, 🙂 and\n\ttabs"
    ids = tokenizer(text)["input_ids"]
    assert (ids[0] == tokenizer.bos_token_id) is add_bos
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_sizes_that_cannot_be_are_refused_with_the_number(tmp_path):
    with pytest.raises(TrainingError, match=r"vocab_size 100: .* need 259"):
        make_toy(tmp_path, TEXTS, vocab_size=100)
    with pytest.raises(TrainingError, match=r"hidden_size 30: it must be a multiple of 16"):
        make_toy(tmp_path, TEXTS, hidden_size=30)
