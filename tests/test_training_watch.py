"""What is measured while tuning: the figures of `evaluate.py`, which choose a checkpoint and change no step."""

import json
from pathlib import Path
from typing import Any

import pytest
from tiny_model import FLAGS, built, model, one_thread, tune, watched_built
from transformers import AutoModelForCausalLM

from instruction_kit.errors import TrainingError
from instruction_kit.evaluation.folder import read_pairs
from instruction_kit.evaluation.measure import measure
from instruction_kit.evaluation.summary import summarise
from instruction_kit.training.flag import as_arguments, parse
from instruction_kit.training.resume import read_run
from instruction_kit.training.start import prepare
from instruction_kit.training.watch import is_greater_better

WATCHED: dict[str, Any] = {
    "dataset_name": watched_built(),
    "max_steps": 4,
    "logging_steps": 1,
    "eval_strategy": "steps",
    "eval_steps": 1,
    "save_steps": 1,
    "held_out_rows": 8,
    "learning_rate": 3e-2,
}

CHOSEN = {"load_best_model_at_end": True, "metric_for_best_model": "eval_loss_task/add"}
LAST = "checkpoint-4/model.safetensors"


def history(folder: Path) -> list[dict[str, float]]:
    found: list[dict[str, float]] = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))[
        "log_history"
    ]
    return found


def curve(folder: Path, name: str) -> list[float]:
    return [entry[name] for entry in history(folder) if name in entry]


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Path:
    folder: Path = tune(tmp_path_factory.mktemp("watched") / "out", **WATCHED, **CHOSEN)
    return folder


def test_a_run_that_is_measured_trains_as_one_that_is_not(tmp_path, watched):
    blind = tune(tmp_path / "out", **{**WATCHED, "eval_strategy": "no"})
    assert (blind / "model.safetensors").read_bytes() == (watched / LAST).read_bytes()
    assert curve(blind, "loss") == curve(watched, "loss")


def test_the_figures_are_those_that_evaluate_gives_the_checkpoint(watched):
    made = prepare(parse(as_arguments({**FLAGS, "dataset_name": watched_built(), "model_name_or_path": model(),
                                       "output_dir": watched / "again"}))).trainer.encoder  # fmt: skip
    pairs = read_pairs(watched_built(), split="held_out", rows_per_task=8)
    for step in (1, 4):
        tuned = AutoModelForCausalLM.from_pretrained(watched / f"checkpoint-{step}")
        with one_thread():
            split = summarise(measure(tuned, made.tokenizer, made.layout, pairs, batch_size=3)).splits[0]
        assert curve(watched, "eval_held_out")[step - 1] == split.overall[0].figures["model"].mean
        assert curve(watched, "eval_held_out/toy_shape")[step - 1] == split.clusters[0].figures["model"].mean
    assert len(curve(watched, "eval_held_out")) == 4


def check_chosen(folder: Path, *, values: list[float], best: float) -> int:
    step = values.index(best) + 1
    assert len(values) == 4
    assert read_run(folder).chosen_step == step
    of_step = AutoModelForCausalLM.from_pretrained(folder / f"checkpoint-{step}").state_dict()
    for name, weight in AutoModelForCausalLM.from_pretrained(folder).state_dict().items():
        assert weight.equal(of_step[name])
    assert f"Here is the checkpoint of step {step} of 4" in (folder / "README.md").read_text(encoding="utf-8")
    return step


def test_the_best_checkpoint_is_what_the_folder_holds_at_the_end(watched):
    losses = curve(watched, "eval_loss_task/add")
    check_chosen(watched, values=losses, best=min(losses))


def test_only_the_best_by_held_out_rows_is_kept_where_only_the_best_is_saved(tmp_path):
    best = {"load_best_model_at_end": True, "metric_for_best_model": "held_out", "save_strategy": "best"}
    folder = tune(tmp_path / "out", **{**WATCHED, **best, "save_total_limit": 1})
    ranked = curve(folder, "eval_held_out")
    step = check_chosen(folder, values=ranked, best=max(ranked))
    assert [path.name for path in folder.glob("checkpoint-*")] == [f"checkpoint-{step}"]


def test_a_run_that_is_measured_is_gone_on_with_exactly(tmp_path, watched):
    again = tune(tmp_path / "out", **WATCHED, **CHOSEN, resume_from_checkpoint=watched / "checkpoint-2")
    for name in ("model.safetensors", LAST):
        assert (again / name).read_bytes() == (watched / name).read_bytes()
    assert curve(again, "eval_held_out") == curve(watched, "eval_held_out")
    assert curve(again, "eval_loss") == curve(watched, "eval_loss")


def test_an_adapter_is_measured_and_chosen_too(tmp_path):
    flags = {**WATCHED, "use_peft": True, "load_best_model_at_end": True, "metric_for_best_model": "held_out"}
    folder = tune(tmp_path / "out", **{**flags, "packing": True, "max_length": 256, "per_device_train_batch_size": 1})
    assert read_run(folder).chosen_step in range(1, 5)
    assert (folder / "adapter_model.safetensors").is_file()


def refused(tmp_path: Path, **flags: object) -> str:
    with pytest.raises(TrainingError) as told:
        tune(tmp_path / "out", **{**WATCHED, **flags})
    return str(told.value)


def test_evaluations_of_nothing_and_figures_that_will_not_be_are_refused(tmp_path):
    assert "there is nothing to evaluate: the mixture was built with `num_validation: 0`" in refused(
        tmp_path, dataset_name=built()
    )
    assert refused(tmp_path, metric_for_best_model="lss") == (
        "--metric_for_best_model lss: no such figure; did you mean loss?"
    )
    assert "did you mean held_out/toy_shape" in refused(tmp_path, metric_for_best_model="held_out/toy_shapes")
    without = {"eval_strategy": "no", "load_best_model_at_end": True, "save_strategy": "best", "held_out_rows": -1}
    assert refused(tmp_path, **without).splitlines() == [
        "--held_out_rows -1: it must be 0 or more",
        "--save_strategy best: name what is best: --metric_for_best_model loss, or held_out",
        "--save_strategy best: it waits for an evaluation; set --eval_strategy",
        "--load_best_model_at_end: nothing is evaluated; set --eval_strategy",
    ]


def test_choosing_by_held_out_rows_is_said_aloud(tmp_path, caplog):
    settled = {**FLAGS, **WATCHED, "model_name_or_path": model(), "output_dir": tmp_path / "out"}
    prepare(parse(as_arguments({**settled, "metric_for_best_model": "held_out"})))
    assert "their figures then are no zero-shot result any more" in caplog.text


def test_lower_is_better_for_every_loss_alone():
    names = (None, "loss", "eval_loss_cluster/x", "held_out", "eval_held_out/x")
    assert [is_greater_better(name) for name in names] == [None, False, False, True, True]
