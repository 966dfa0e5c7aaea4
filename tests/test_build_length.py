"""A budget in tokens: what is written fits what training makes of it, and another tokenizer is another mixture."""

from pathlib import Path

import polars as pl
import pytest
from small_task import built, claims, pairs, phrasings, verdicts
from tiny_model import AWKWARD
from transformers import AutoTokenizer

from instruction_kit import Mixture
from instruction_kit.built.verify import verify
from instruction_kit.errors import MixtureError
from instruction_kit.token.plain import PlainEncoder
from instruction_kit.token.settle import layout_of
from instruction_kit.training.toy import make_toy

LONG = claims(30).with_columns(pl.format("{} {}", "claim", pl.lit("And so on, word after word. " * 6)).alias("claim"))
SETTINGS = {"settings": {"few_shot.options": 1, "zero_shot.options": 1}}


@pytest.fixture(scope="module")
def toy(tmp_path_factory) -> Path:
    return Path(make_toy(tmp_path_factory.mktemp("toy"), [*AWKWARD, *LONG["claim"]], vocab_size=300, hidden_size=32))


def test_what_training_makes_of_a_pair_fits_the_budget(toy, tmp_path):
    budget = {"tokens": 190, "tokenizer": str(toy)}
    manifest = built(tmp_path / "out", phrasings(tmp_path / "p"), verdicts(LONG), **SETTINGS, budget=budget)
    found, tokenizer = pairs(tmp_path / "out"), AutoTokenizer.from_pretrained(toy)
    encoder = PlainEncoder(tokenizer, layout_of(tokenizer, joiner="\n"))
    prompts, outputs = encoder.prompts(found["prompt"].to_list()), encoder.completions(found["completion"].to_list())
    lengths = [len(prompt) + len(output) for prompt, output in zip(prompts, outputs, strict=True)]
    assert max(lengths) <= 190
    assert max(lengths) > 170  # and it is used
    assert manifest.tasks["verdicts"].splits["train"].ledger.shortened > 0
    assert found["exemplars"].list.len().max() == 1
    assert verify(tmp_path / "out").problems == ()


def test_the_tokenizer_is_an_input_under_its_own_name_and_without_its_place(toy, tmp_path):
    budget = {"tokens": 190, "tokenizer": str(toy)}
    manifest = built(tmp_path / "out", phrasings(tmp_path / "p"), verdicts(LONG), budget=budget)
    assert manifest.mixture["budget"] == {"characters": None, "tokens": 190, "tokenizer": toy.name}
    assert len(manifest.inputs["tokenizer"]) == 64
    assert str(toy) not in (tmp_path / "out" / "manifest.json").read_text(encoding="utf-8")


def test_a_tokenizer_in_a_file_is_relative_to_the_file(toy, tmp_path):
    path = toy.parent / "mixture.yaml"
    path.write_text(f"tasks: [sst2]\nbudget: {{tokens: 90, tokenizer: {toy.name}}}\n", encoding="utf-8")
    budget = Mixture.from_yaml(path).budget
    assert budget is not None
    assert budget.tokenizer == str(toy)


def test_a_tokenizer_that_is_none_is_told(tmp_path):
    budget = {"tokens": 90, "tokenizer": str(tmp_path)}
    with pytest.raises(MixtureError, match=r"^no tokenizer can be read from .*; name a folder"):
        built(tmp_path / "out", phrasings(tmp_path / "p"), verdicts(LONG), budget=budget)
