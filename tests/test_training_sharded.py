"""A model divided over two processes on the CPU gives what a whole one does; setups that would go wrong are refused."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import launch_command_parser
from accelerate.utils.launch import prepare_multi_gpu_env
from conftest import ROOT
from safetensors.torch import load_file
from tiny_model import FLAGS, model, tune, watched_built

from instruction_kit.errors import TrainingError
from instruction_kit.training.flag import as_arguments
from instruction_kit.training.sharded import check_sharding

EXAMPLES = ROOT / "examples" / "accelerate"
RUN = {
    **FLAGS,
    "dataset_name": watched_built(),
    "model_name_or_path": model(),
    "packing": True,
    "max_length": 256,
    "max_steps": 4,
    "save_steps": 2,
    "logging_steps": 1,
    "eval_strategy": "steps",
    "eval_steps": 2,
    "held_out_rows": 4,
    "learning_rate": 1e-2,
}


def on_two_cpus(folder: Path) -> Path:
    """The example's setup with what a machine without GPUs needs changed."""
    setup = yaml.safe_load((EXAMPLES / "fsdp2.yaml").read_text(encoding="utf-8"))
    path = folder / "cpu.yaml"
    path.write_text(yaml.safe_dump({**setup, "mixed_precision": "no", "use_cpu": True}), encoding="utf-8")
    return path


def launched(setup: Path, output: Path, **flags: object) -> str:
    settled = {**RUN, "per_device_train_batch_size": 1, "use_cpu": True, "ddp_backend": "gloo", "output_dir": output}
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(setup)]
    command += ["-m", "instruction_kit.training.finetune", *as_arguments({**settled, **flags})]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "MASTER_PORT": "0"}
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert told.returncode == 0, told.stderr[-3000:]
    return told.stdout + told.stderr


def logged(folder: Path) -> list[dict[str, float]]:
    history = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    return [entry for entry in history if "loss" in entry or "eval_loss" in entry]


@pytest.mark.slow
def test_a_model_that_fsdp2_divides_over_two_processes_has_the_losses_of_a_whole_one(tmp_path):
    setup = on_two_cpus(tmp_path)
    whole = tune(tmp_path / "whole", **{**RUN, "per_device_train_batch_size": 2})
    assert "the model is divided over 2 processes by FSDP2" in launched(setup, tmp_path / "divided")
    for one, other in zip(logged(whole), logged(tmp_path / "divided"), strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            assert other[name] == pytest.approx(value, rel=1e-4), name
    weights = load_file(whole / "model.safetensors")
    divided = load_file(tmp_path / "divided" / "model.safetensors")
    assert weights.keys() == divided.keys()
    for name, weight in weights.items():
        torch.testing.assert_close(divided[name], weight, rtol=1e-4, atol=1e-5)
    assert (tmp_path / "divided" / "checkpoint-4" / "optimizer.bin").is_file()


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"FSDP_VERSION": "1"}, "set up for the first FSDP: set `fsdp_version: 2`, see examples/accelerate/fsdp2.yaml"),
        ({"FSDP_CPU_RAM_EFFICIENT_LOADING": "true"}, "the others could not prove what they train: set it to false"),
        ({"FSDP_STATE_DICT_TYPE": "SHARDED_STATE_DICT"}, "leaves no model at the end: set it to FULL_STATE_DICT"),
    ],
)
def test_setups_of_fsdp_that_would_go_wrong_are_refused(tmp_path, monkeypatch, variables, told):
    for name, value in {"ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2", **variables}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(TrainingError, match=told):
        tune(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_one_process_where_several_were_asked_for_is_told(tmp_path, monkeypatch, caplog):
    """As `accelerate launch --cpu --num_processes 2` starts one, and with a setup of DeepSpeed too."""
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    tune(tmp_path / "one", max_steps=1, save_strategy="no")
    assert "this is one process" not in caplog.text
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    tune(tmp_path / "asked", max_steps=1, save_strategy="no")
    assert (
        "this is one process: on CPUs `accelerate launch` starts no more, whatever its setup says of processes and of "
        "DeepSpeed; start several with torchrun --nproc_per_node, or with FSDP2: examples/accelerate/fsdp2.yaml"
    ) in caplog.messages


def test_an_adapter_of_a_divided_model_is_not_merged(tmp_path, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    monkeypatch.setenv("FSDP_VERSION", "2")
    with pytest.raises(TrainingError, match="save the adapter, and merge it afterwards"):
        tune(tmp_path / "out", use_peft=True, merge_adapter=True)


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_accelerate_reads_each_setup_that_is_shown_and_the_kit_takes_it(name, monkeypatch):
    setup = load_config_from_file(str(EXAMPLES / name))
    given = yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))
    assert name in (EXAMPLES / name).read_text(encoding="utf-8").split("distributed_type")[0]
    assert setup.distributed_type.value == given["distributed_type"]
    arguments = launch_command_parser().parse_args(["--config_file", str(EXAMPLES / name), "script.py"])
    parts = {**setup.fsdp_config, **setup.deepspeed_config}
    for key, value in parts.items():
        assert hasattr(arguments, key), f"{name}: accelerate knows no {key}"
        setattr(arguments, key, str(value).lower() if isinstance(value, bool) else value)
    if setup.distributed_type.value == "DEEPSPEED":
        assert parts["zero_stage"] == int(re.findall(r"\d", name)[0])
        return
    arguments.use_fsdp, arguments.num_processes, arguments.num_machines = True, 2, 1
    arguments.mixed_precision, arguments.dynamo_backend, arguments.gpu_ids = "bf16", "no", "all"
    for variable, value in prepare_multi_gpu_env(arguments).items():
        if variable.startswith(("FSDP", "ACCELERATE_USE")):
            monkeypatch.setenv(variable, value)
    assert os.environ["FSDP_VERSION"] == "2"
    check_sharding()


def settings(folder: Path, **changed: object) -> Path:
    path = folder / "zero.json"
    auto = dict.fromkeys(("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps"), "auto")
    zero = {"stage": 3, "stage3_gather_16bit_weights_on_model_save": True}
    path.write_text(json.dumps({**auto, "zero_optimization": zero, **changed}), encoding="utf-8")
    return path


def test_a_file_of_deepspeed_settings_is_read_and_what_cannot_be_is_told(tmp_path, monkeypatch):
    with pytest.raises(TrainingError) as told:
        check_sharding(deepspeed=str(settings(tmp_path)))
    missing = (
        "DeepSpeed is asked for and not installed: pip install deepspeed, or take FSDP2: examples/accelerate/fsdp2.yaml"
    )
    assert str(told.value) == missing
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    with pytest.raises(TrainingError, match="DeepSpeed is asked for and not installed"):
        tune(tmp_path / "out")
    path = settings(tmp_path, train_batch_size=8, optimizer={}, zero_optimization={"stage": 3})
    with pytest.raises(TrainingError) as told:
        check_sharding(deepspeed=str(path))
    assert str(told.value).splitlines()[:-1] == [
        f'--deepspeed {path}: write train_batch_size as "auto", so that the flags of this command decide it',
        f"--deepspeed {path}: leave optimizer and scheduler out; --optim and --lr_scheduler_type decide them",
        f"--deepspeed {path}: without stage3_gather_16bit_weights_on_model_save no model is saved; set it to true",
    ]
    with pytest.raises(TrainingError, match=r"zero_optimization.stage 4 is none of 0, 1, 2, 3"):
        check_sharding(deepspeed=str(settings(tmp_path, zero_optimization={"stage": 4})))
    with pytest.raises(TrainingError, match="not a JSON file that can be read"):
        check_sharding(deepspeed=str(tmp_path))
