"""The model card: metadata that the hub reads, and all that a reader needs to know and to do it again."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from huggingface_hub import ModelCard
from test_training_model import source
from tiny_model import built, model, tasks, tune

from instruction_kit import Mixture
from instruction_kit.build.manifest import read_manifest
from instruction_kit.token.record import read_record
from instruction_kit.training.card import Tuning, model_card
from instruction_kit.training.flag import as_arguments, parse
from instruction_kit.training.resume import read_run
from instruction_kit.training.start import prepare


@pytest.fixture(scope="module")
def tuned(tmp_path_factory) -> Path:
    """A mixture that holds a cluster out, and a model tuned on what is left of it."""
    folder: Path = tmp_path_factory.mktemp("card")
    Mixture(tasks=[*tasks(), "rte"], hold_out=["rte"], data="sample", num_validation=0).build(folder / "built")
    tune(folder / "tuned", dataset_name=folder / "built", save_steps=1, logging_steps=1)
    return folder


def told(tuned: Path, *, left: dict[str, str] | None = None, **settings: Any) -> ModelCard:
    """The card of the same run with something else about it."""
    manifest = read_manifest(tuned / "built").model_copy(update={"left": left or {}})
    base = settings.pop("base", source(model()))
    arguments = {"dataset_name": built(), "model_name_or_path": "m", "output_dir": tuned / "none", **settings}
    record = read_record(tuned / "tuned" / "tokens")
    assert record is not None
    request = parse(as_arguments(arguments))
    tuning = Tuning(manifest, record, base, request.config, merged=request.merge_adapter)
    run = read_run(tuned / "tuned").model_copy(update={"adapter": request.adapter})
    return ModelCard(model_card(tuning, run))


def test_the_hub_reads_the_metadata(tuned):
    card = ModelCard.load(tuned / "tuned" / "README.md")
    assert card.data.to_dict() == {
        "language": ["en"],
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["instruction-kit", "instruction-tuning", "trl", "sft"],
    }
    assert yaml.safe_load(card.content.split("---")[1]) == card.data.to_dict()


def test_a_base_on_the_hub_is_named_in_the_metadata_and_one_on_this_machine_is_not(tuned):
    hub = told(tuned, base=source("an-organisation/a-model", revision="abc"))
    assert hub.data.get("base_model") == "an-organisation/a-model"
    assert "Tuned from `an-organisation/a-model` (revision `abc`), by Instruction Kit" in hub.text
    assert "--baseline an-organisation/a-model --output_dir REPORT" in hub.text
    here = told(tuned)
    assert here.data.get("base_model") is None
    assert f"Tuned from `{model().name}`, by Instruction Kit" in here.text
    assert "--baseline BASE --output_dir REPORT" in here.text


def test_no_card_names_a_folder_of_this_machine_peft_s_own_neither(tuned, tmp_path):
    folder = tune(tmp_path / "lora", use_peft=True, save_steps=1)
    cards = [*(tuned / "tuned").rglob("README.md"), *folder.rglob("README.md")]
    assert len(cards) == 6
    for path in cards:
        text = path.read_text(encoding="utf-8")
        assert "# Instruction-tuned model" in text
        for place in (tuned, tmp_path, model().parent, Path.cwd(), Path.home()):
            assert str(place) not in text


def test_it_says_what_the_model_was_tuned_on_and_what_was_held_out(tuned):
    text = (tuned / "tuned" / "README.md").read_text(encoding="utf-8")
    record = read_record(tuned / "tuned" / "tokens")
    assert record is not None
    manifest = read_manifest(tuned / "built")
    assert f"{record.pairs:,} pairs of 2 tasks in 2 clusters, from the mixture `{manifest.fingerprint[:16]}`" in text
    for name, task in record.tasks.items():
        of, numbers = manifest.tasks[name], (task.pairs, task.prompt_tokens, task.loss_tokens, 0)
        cells = (name, of.cluster, f"{of.realised_share:.2%}", *(f"{number:,}" for number in numbers))
        assert f"| {' | '.join(cells)} |" in text
    assert "Rates: kind examples_proportional, maximum 3000. Settings: zero_shot.options 1.0.\n" in text
    assert "- rte (natural_language_inference): never trained on, measured\n" in text
    assert "- cc0-1.0: add, color\n" in text
    assert "None is claimed for this model" in text


def test_it_says_what_left_with_what_was_held_out(tuned):
    text = told(tuned, left={"mrpc": "paraphrase leaves with natural_language_inference"}).text
    assert "\n- mrpc: neither trained on nor measured: paraphrase leaves with natural_language_inference\n" in text


def test_it_says_how_far_the_run_came_and_with_which_settings(tuned):
    run = read_run(tuned / "tuned")
    text = (tuned / "tuned" / "README.md").read_text(encoding="utf-8")
    assert f"It saw {run.num_tokens:,} tokens in 2 steps of 4 rows." in text
    earlier = (tuned / "tuned" / "checkpoint-1" / "README.md").read_text(encoding="utf-8")
    assert "tokens in 1 steps of 4 rows." in earlier
    rows = (
        "learning_rate | 0.001",
        "lr_scheduler_type | linear",
        "max_steps | 2",
        "dtype | float32",
        "max_length | 512",
    )
    for row in rows:
        assert f"| {row} |" in text
    assert f"torch {torch.__version__.partition('+')[0]}" in text
    assert "peft" not in text
    assert "lora_r" not in text
    assert "num_train_epochs" not in text
    assert "| num_train_epochs | 3.0 |" in told(tuned).text
    assert "None |" not in text


def test_the_mixture_in_it_can_be_built_again(tuned, tmp_path):
    text = (tuned / "tuned" / "README.md").read_text(encoding="utf-8")
    mixture = text.split("```yaml\n")[1].split("```")[0]
    assert yaml.safe_load(mixture) == read_manifest(tuned / "built").mixture
    assert "instruction-kit build mixture.yaml OUT\npython -m instruction_kit.evaluation.evaluate" in text


def test_an_adapter_and_a_merged_one_are_told_as_what_they_are(tuned):
    adapter, merged = (told(tuned, use_peft=True, lora_r=4, merge_adapter=merge) for merge in (False, True))
    assert (adapter.data.get("library_name"), merged.data.get("library_name")) == ("peft", "transformers")
    assert "A LoRA adapter over `" in adapter.text
    assert "with a LoRA adapter that was merged in, by" in merged.text
    for card in (adapter, merged):
        assert "lora" in card.data["tags"]
        assert "| lora_r | 4 |" in card.text
        assert ", peft " in card.text


def test_pairs_that_were_dropped_are_told(tuned):
    record = read_record(tuned / "tuned" / "tokens")
    assert record is not None
    short = record.tasks["color"].model_copy(update={"dropped": {"longer than max_length": 3}})
    lost = record.model_copy(update={"tasks": {**record.tasks, "color": short}})
    arguments = {"dataset_name": built(), "model_name_or_path": model(), "output_dir": tuned / "other"}
    run = prepare(parse(as_arguments({**arguments, "max_length": 512})))
    text = model_card(dataclasses.replace(run.trainer.tuning, record=lost), run.trainer.run_so_far())
    assert "3 pairs of color were dropped: longer than max_length." in text
    assert "- Nothing" not in text
    assert "Nothing: every task of the mixture is trained on." in text


def test_the_same_run_gives_the_same_card(tuned, tmp_path):
    again = tune(tmp_path / "again", dataset_name=tuned / "built", save_strategy="no")
    assert (again / "README.md").read_bytes() == (tuned / "tuned" / "README.md").read_bytes()
