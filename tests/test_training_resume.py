"""A resumed run ends with the bytes of one that was never stopped, and goes on with nothing but the same data."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import killed_tuning
import pytest
from conftest import ROOT
from tiny_model import built, model, other_built, tune
from transformers import AutoTokenizer

from instruction_kit.errors import TrainingError
from instruction_kit.training.resume import RUN_FILE, checkpoint_of, read_run, write_run
from instruction_kit.training.trainer import KitTrainer

STEPS = {"max_steps": 17, "save_steps": 15}  # 56 rows in batches of 4: the checkpoint lies in the second epoch


@pytest.fixture(scope="module")
def with_dropout(tmp_path_factory) -> Path:
    """A model whose training draws random numbers, so that their state counts too."""
    folder: Path = tmp_path_factory.mktemp("dropout") / "model"
    shutil.copytree(model(), folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "attention_dropout": 0.1}), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory, with_dropout) -> Path:
    folder: Path = tune(tmp_path_factory.mktemp("whole") / "out", model_name_or_path=with_dropout, **STEPS)
    return folder


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def last_log(folder: Path, name: str) -> float:
    history = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    return float([entry[name] for entry in history if name in entry][-1])


def test_a_run_that_was_killed_goes_on_and_ends_with_the_same_bytes(tmp_path, monkeypatch, whole, with_dropout):
    step = KitTrainer.training_step

    def dies(self, *arguments, **keywords):
        if self.state.global_step == 16:
            raise KeyboardInterrupt
        return step(self, *arguments, **keywords)

    monkeypatch.setattr(KitTrainer, "training_step", dies)
    with pytest.raises(KeyboardInterrupt):
        tune(tmp_path / "out", model_name_or_path=with_dropout, **STEPS)
    assert not (tmp_path / "out" / "model.safetensors").exists()
    monkeypatch.undo()
    tune(tmp_path / "out", model_name_or_path=with_dropout, resume_from_checkpoint=True, **STEPS)
    assert weights(tmp_path / "out") == weights(whole)
    assert read_run(tmp_path / "out") == read_run(whole)
    assert last_log(tmp_path / "out", "num_tokens") == last_log(whole, "num_tokens")


def test_a_named_checkpoint_of_another_folder_is_taken(tmp_path, whole, with_dropout):
    flags = {**STEPS, "model_name_or_path": with_dropout, "resume_from_checkpoint": whole / "checkpoint-15"}
    assert weights(tune(tmp_path / "out", **flags)) == weights(whole)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def unhurt(tmp_path_factory) -> Path:
    """A finished run; a step behind its last would change weights, since its learning rate does not fall to 0."""
    folder: Path = tune(tmp_path_factory.mktemp("unhurt") / "out", **killed_tuning.STEPS)
    return folder


def test_a_run_that_is_finished_and_started_again_changes_nothing(tmp_path, unhurt):
    folder = tmp_path / "out"
    shutil.copytree(unhurt, folder)
    assert tune(folder, **killed_tuning.STEPS, resume_from_checkpoint=True) == folder
    assert contents(folder) == contents(unhurt)


def test_a_run_that_was_killed_after_its_last_step_only_saves_its_model(tmp_path, unhurt):
    folder = tmp_path / "out"
    for name in ("checkpoint-4", "tokens"):
        shutil.copytree(unhurt / name, folder / name)
    tune(folder, **killed_tuning.STEPS, resume_from_checkpoint=True)
    assert weights(folder) == weights(unhurt)
    assert read_run(folder) == read_run(unhurt)
    assert (folder / "README.md").read_bytes() == (unhurt / "README.md").read_bytes()
    assert last_log(folder, "loss") == last_log(unhurt, "loss")


def test_a_checkpoint_behind_the_last_step_is_refused_and_more_steps_are_taken(tmp_path, unhurt):
    named = {**killed_tuning.STEPS, "resume_from_checkpoint": unhurt / "checkpoint-4"}
    with pytest.raises(TrainingError, match=r"checkpoint is that of step 4, and this run ends with step 3; give the"):
        tune(tmp_path / "out", **{**named, "max_steps": 3})
    folder = tmp_path / "further"
    shutil.copytree(unhurt, folder)
    tune(folder, **{**killed_tuning.STEPS, "max_steps": 5}, resume_from_checkpoint=True)
    assert (read_run(unhurt).step, read_run(folder).step) == (4, 5)
    assert weights(folder) != weights(unhurt)


def test_a_finished_run_without_checkpoints_says_so(tmp_path, unhurt):
    (tmp_path / RUN_FILE).write_bytes((unhurt / RUN_FILE).read_bytes())
    with pytest.raises(TrainingError, match="it holds a finished run without a checkpoint; give another --output_dir"):
        tune(tmp_path, **killed_tuning.STEPS, resume_from_checkpoint=True)


def test_a_checkpoint_of_other_data_is_refused_with_all_that_differs(tmp_path, whole):
    other = tmp_path / "model"
    shutil.copytree(model(), other)
    tokenizer = AutoTokenizer.from_pretrained(model(add_bos=False))
    tokenizer.save_pretrained(other)
    flags = {"max_length": 256, "per_device_train_batch_size": 2, "resume_from_checkpoint": whole / "checkpoint-15"}
    with pytest.raises(TrainingError) as told:
        tune(tmp_path / "out", dataset_name=other_built(), model_name_or_path=other, **flags)
    there = read_run(whole).identity
    assert f"built mixture {there.built[:12]} there" in str(told.value)
    assert f"tokenizer {there.tokenizer[:12]} there" in str(told.value)
    assert "max_length 512 there, 256 here" in str(told.value)
    assert 'layout {"kind":"plain"' in str(told.value)
    assert "rows for each optimiser step 4 there, 2 here" in str(told.value)
    assert "Give the same again, or start anew with another --output_dir" in str(told.value)


@pytest.mark.parametrize(
    ("flags", "changed"),
    [
        ({"dataset_name": "other"}, "built mixture"),
        ({"max_length": 300}, "max_length 512 there, 300 here"),
        ({"model_name_or_path": "other"}, "tokenizer"),
        ({"gradient_accumulation_steps": 2}, "rows for each optimiser step 4 there, 8 here"),
    ],
)
def test_each_change_alone_is_refused(tmp_path, whole, flags, changed):
    others = {"dataset_name": other_built(), "model_name_or_path": model(vocab_size=300)}
    settled = {name: others[name] if value == "other" else value for name, value in flags.items()}
    with pytest.raises(TrainingError, match=changed):
        tune(tmp_path / "out", resume_from_checkpoint=whole / "checkpoint-15", **settled)


def test_a_refusal_leaves_the_tokens_of_the_run_as_they_are(tmp_path, whole):
    shutil.copytree(whole, tmp_path / "out")
    before = (tmp_path / "out" / "tokens" / "tokens.json").read_bytes()
    with pytest.raises(TrainingError, match="max_length 512 there, 300 here"):
        tune(tmp_path / "out", max_length=300, resume_from_checkpoint=True)
    assert (tmp_path / "out" / "tokens" / "tokens.json").read_bytes() == before


def test_tokens_of_another_release_are_refused(tmp_path, whole):
    copy = tmp_path / "checkpoint"
    shutil.copytree(whole / "checkpoint-15", copy)
    write_run(copy, read_run(copy).model_copy(update={"shards": ["0"]}))
    with pytest.raises(TrainingError, match="token shards have other bytes, written by another release"):
        tune(tmp_path / "out", resume_from_checkpoint=copy)


def test_a_folder_that_holds_a_run_is_not_written_over(whole):
    with pytest.raises(
        TrainingError, match="it holds a run already; go on with --resume_from_checkpoint true, or give"
    ):
        tune(whole)


def test_checkpoints_that_cannot_be_gone_on_from_are_refused(tmp_path, whole):
    with pytest.raises(TrainingError, match=r"there is no whole checkpoint to go on from; leave out"):
        tune(tmp_path / "out", resume_from_checkpoint=True)
    with pytest.raises(
        TrainingError, match=rf"no {RUN_FILE}, so this is no checkpoint of this kit, or writing it was cut"
    ):
        tune(tmp_path / "out", resume_from_checkpoint=built())
    copy = tmp_path / "checkpoint"
    shutil.copytree(whole / "checkpoint-15", copy)
    (copy / "optimizer.pt").unlink()
    with pytest.raises(TrainingError, match=r"it has no optimizer\.pt \(--save_only_model leaves it out\)"):
        tune(tmp_path / "out", resume_from_checkpoint=copy)
    (copy / RUN_FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(TrainingError, match=rf"{RUN_FILE}: not the record of a run"):
        tune(tmp_path / "out", resume_from_checkpoint=copy)


def test_true_takes_the_last_checkpoint_that_is_whole(tmp_path, whole):
    for step in (2, 10, 9, 30):
        shutil.copytree(whole / "checkpoint-15", tmp_path / f"checkpoint-{step}")
    (tmp_path / "checkpoint-30" / RUN_FILE).unlink()
    (tmp_path / "checkpoint-else").mkdir()
    assert checkpoint_of("True", tmp_path) == tmp_path / "checkpoint-10"


def test_every_checkpoint_can_be_measured_like_a_tuned_model(whole):
    for folder in (whole, whole / "checkpoint-15"):
        names = {path.name for path in folder.iterdir()}
        assert {"instruction_kit.json", "generation_config.json", "tokenizer.json", RUN_FILE} <= names
    assert built().is_dir()


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Path:
    """Runs that were killed while they saved the third checkpoint."""
    folder: Path = tmp_path_factory.mktemp("killed")
    script = Path(killed_tuning.__file__)
    command = [sys.executable, str(script), str(built()), str(model()), str(folder), *killed_tuning.MOMENTS]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{script.parent}"}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert told.returncode == 0, told.stderr[-3000:]
    return folder


@pytest.mark.parametrize(("moment", "newest"), [("weights", 2), ("optimizer", 2), ("record", 2), ("removal", 3)])
def test_after_a_kill_while_saving_the_newest_whole_checkpoint_is_gone_on_from(killed, unhurt, moment, newest):
    folder = killed / moment
    assert (folder / "checkpoint-3").is_dir()
    assert (folder / "checkpoint-2" / RUN_FILE).is_file()
    assert checkpoint_of("true", folder) == folder / f"checkpoint-{newest}"
    tune(folder, **killed_tuning.STEPS, resume_from_checkpoint=True)
    assert weights(folder) == weights(unhurt)
    assert [path.name for path in folder.glob("checkpoint-*")] == ["checkpoint-4"]
