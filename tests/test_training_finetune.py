"""A whole tuning run: from a built folder to a folder with the model, by every way in, with nothing said outside."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import ROOT
from datasets import Dataset
from safetensors.torch import load_file, save_file
from tiny_model import FLAGS, built, encoder, model, tokenizer, tune
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl.trainer import base_trainer

from instruction_kit.errors import BuildError, TrainingError
from instruction_kit.token.layout import read_layout
from instruction_kit.token.record import read_record
from instruction_kit.token.shard import Wanted, tokenise
from instruction_kit.training import run
from instruction_kit.training.finetune import main
from instruction_kit.training.flag import as_arguments
from instruction_kit.training.trainer import KitTrainer


def command_line(output: Path, **flags: object) -> list[str]:
    settled = {"dataset_name": built(), "model_name_or_path": model(), "output_dir": output, "max_steps": 2, **FLAGS}
    return as_arguments({**settled, **flags})


def rows_in(folder: Path) -> Dataset:
    record = tokenise(built(), folder, Wanted(512), encoder=encoder())
    return Dataset.from_file(str(folder / record.shards[0].path))


def test_the_folder_holds_all_that_measuring_and_a_reader_need(tmp_path):
    folder = tune(tmp_path / "out", save_strategy="no")
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "config.json",
        "generation_config.json",
        "instruction_kit.json",
        "instruction_kit_run.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "tokens",
        "trainer_state.json",
        "training_args.bin",
    }
    assert read_layout(folder) == encoder().layout
    assert AutoTokenizer.from_pretrained(folder)("a")["input_ids"] == tokenizer()("a")["input_ids"]
    tuned = AutoModelForCausalLM.from_pretrained(folder)
    assert tuned.generation_config.eos_token_id == encoder().stop_id
    record = read_record(folder / "tokens")
    assert record is not None
    assert (record.rows, record.pairs) == (56, 56)


def test_training_learns_the_outputs_and_generation_stops(tmp_path):
    folder = tune(tmp_path / "out", max_steps=60, learning_rate=1e-2, save_strategy="no", logging_steps=1)
    history = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    losses = [entry["loss"] for entry in history if "loss" in entry]
    assert losses[-1] < losses[0] / 2
    made = encoder()
    tuned = AutoModelForCausalLM.from_pretrained(folder)
    ids = torch.tensor(made.prompts(["Item 3 is here\n\nWhich label fits this text best?\n"]))
    told = tuned.generate(  # type: ignore[misc]
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False
    )[0]
    assert told[-1] == made.stop_id


def test_the_same_run_gives_the_same_bytes(tmp_path):
    first, second = tune(tmp_path / "a", save_strategy="no"), tune(tmp_path / "b", save_strategy="no")
    assert (first / "model.safetensors").read_bytes() == (second / "model.safetensors").read_bytes()


def test_a_loss_that_is_no_number_stops_the_run_and_saves_nothing(tmp_path):
    broken = shutil.copytree(model(), tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(TrainingError, match=r"^step 1: the loss is nan on color train row Frame.*; lower --learning_r"):
        tune(tmp_path / "out", model_name_or_path=broken, max_steps=5)
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_a_gradient_that_is_no_number_stops_the_run_before_the_weights_are_none(tmp_path):
    with pytest.raises(TrainingError, match=r"^step 2: the norm of the gradient is nan on (color|add) train row Frame"):
        tune(tmp_path / "out", learning_rate=1e30, max_grad_norm=1e30, max_steps=5, save_steps=1)
    assert [folder.name for folder in (tmp_path / "out").glob("checkpoint-*")] == ["checkpoint-1"]
    weights = load_file(tmp_path / "out" / "checkpoint-1" / "model.safetensors")
    assert all(torch.isfinite(weight).all() for weight in weights.values())


def test_weights_that_are_no_numbers_after_the_last_step_are_not_saved(tmp_path):
    beyond = {"optim": "sgd", "learning_rate": 1e38, "weight_decay": 1e38, "max_grad_norm": 0}
    with pytest.raises(TrainingError, match="the last step left weights that are no numbers, so nothing was saved"):
        tune(tmp_path / "out", max_steps=1, save_strategy="no", **beyond)
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_no_step_is_taken_before_the_proof(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(KitTrainer, "training_step", lambda *_: steps.append(1))

    def refuses(*_, **__):
        raise TrainingError("not proved")

    monkeypatch.setattr(run, "prove_spans", refuses)
    with pytest.raises(TrainingError, match="not proved"):
        tune(tmp_path / "out")
    assert steps == []


def test_nothing_is_told_to_anybody_even_where_telemetry_is_on(tmp_path, monkeypatch):
    def tells(*_, **__):
        raise AssertionError("told somebody")

    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("HF_HUB_DISABLE_TELEMETRY")
    monkeypatch.setattr(base_trainer, "send_telemetry", tells)
    tune(tmp_path / "out", save_strategy="no")


def test_pairs_that_are_dropped_are_told(tmp_path, caplog):
    lengths = [(len(row["input_ids"]), row["m_task"][0]) for row in rows_in(tmp_path / "whole")]
    limit = sorted(length for length, _ in lengths)[-3]
    over = [task for length, task in lengths if length > limit]
    tune(tmp_path / "out", save_strategy="no", max_length=limit, accept_dropped=True)
    assert set(over) == {"color"}
    assert f"color: {len(over)} of 36 pairs dropped, longer than max_length" in caplog.messages


def test_errors_are_one_message_and_exit_status_1(tmp_path, capsys):
    assert main(command_line(tmp_path / "out", learning_rat=1)) == 1
    assert capsys.readouterr().err == "finetune: --learning_rat: no such flag; did you mean learning_rate?\n"
    assert main(command_line(tmp_path / "out", dataset_name=tmp_path)) == 1
    assert "no manifest.json, so this is no built mixture" in capsys.readouterr().err


def test_a_folder_that_is_no_mixture_is_an_error_before_anything_is_written(tmp_path):
    with pytest.raises(BuildError, match="so this is no built mixture"):
        tune(tmp_path / "out", dataset_name=tmp_path / "nothing")
    assert not (tmp_path / "out").exists()


def test_without_the_extra_the_error_names_the_install_line():
    code = "import sys; sys.modules['trl'] = None; import instruction_kit.training.finetune"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (
        "MissingExtraError: tuning a model needs the extra `tune`: pip install 'instruction-kit[tune]'" in told.stderr
    )


def launched(launcher: list[str], output: Path, **flags: object) -> Path:
    """Start the script as a user would, with a launcher before it."""
    command = [sys.executable, "-m", *launcher, "scripts/finetune.py", *command_line(output, **flags)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert told.returncode == 0, told.stderr[-3000:]
    return output


FEW_STEPS = {"max_steps": 3, "save_strategy": "no", "logging_steps": 1}


@pytest.mark.slow
def test_accelerate_launch_gives_the_same_bytes(tmp_path):
    one = tune(tmp_path / "one", **FEW_STEPS)
    launcher = ["accelerate.commands.launch", "--cpu", "--num_processes", "1", "--num_machines", "1"]
    launcher += ["--mixed_precision", "no", "--dynamo_backend", "no", "--num_cpu_threads_per_process", "1"]
    output = launched(launcher, tmp_path / "out", **FEW_STEPS)
    assert (output / "model.safetensors").read_bytes() == (one / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_two_processes_that_share_a_batch_give_what_one_gives(tmp_path):
    """Of 7 packs, 4 a step: the second step ends an epoch with 3, which two processes cannot share evenly."""
    one = tune(tmp_path / "one", **FEW_STEPS, packing=True)
    launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    flags = {"packing": True, "per_device_train_batch_size": 2}  # and no --use_cpu: without an accelerator it follows
    output = launched(launcher, tmp_path / "out", **FEW_STEPS, **flags)
    first, second = load_file(one / "model.safetensors"), load_file(output / "model.safetensors")
    for name, weight in first.items():
        torch.testing.assert_close(second[name], weight, rtol=1e-4, atol=1e-5)
    before = load_file(model() / "model.safetensors")
    assert not torch.equal(first["model.norm.weight"], before["model.norm.weight"])
    for line, other in zip(losses(one), losses(output), strict=True):
        assert other == pytest.approx(line, rel=1e-5)


def losses(folder: Path) -> list[dict[str, float]]:
    history = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    return [{name: value for name, value in line.items() if name.startswith("loss")} for line in history]
