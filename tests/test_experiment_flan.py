"""The four checks from end to end at the toy scale; stopped and started they end the same; what is refused."""

import gc
import json
import re
import runpy
import shlex
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from conftest import ROOT
from tiny_model import one_thread

from instruction_kit.build.manifest import read_manifest
from instruction_kit.errors import ExperimentError, InstructionKitError
from instruction_kit.evaluation.files import ROWS_PARQUET, read_report
from instruction_kit.evaluation.report import MODEL, Figure
from instruction_kit.experiment import keep, run
from instruction_kit.experiment.arm import CHECKS, Arms, CheckName
from instruction_kit.experiment.flan import JSON, MARKDOWN, PICTURE, flan
from instruction_kit.experiment.outcome import Experiment, points
from instruction_kit.experiment.paper import BEFORE, CLAIMS, PUBLISHED
from instruction_kit.experiment.scale import SCALES
from instruction_kit.training.finetune import finetune
from instruction_kit.training.flag import as_arguments, parse
from instruction_kit.training.resume import RUN_FILE
from instruction_kit.training.trainer import KitTrainer

PAGE = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
def nothing_old_to_collect():
    """Each of the tunings ends with a full collection, most of which would be over what the imports left."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def toy(folder: Path, **options: Any) -> Experiment:
    with one_thread():
        flan(folder, scale="toy", **options)
    return Experiment.model_validate_json((folder / JSON).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return Path(tmp_path_factory.mktemp("experiment") / "out")


@pytest.fixture(scope="module")
def whole(folder) -> Experiment:
    return toy(folder)


# --- what comes out ---------------------------------------------------------------------------------------------------


def test_every_figure_is_that_of_a_report(folder, whole):
    assert tuple(check.name for check in whole.checks) == CHECKS
    for check in whole.checks:
        for arm in check.arms:
            report = read_report(folder / check.name / arm.name / "held_out")
            told = {
                (group.protocol, group.shots, group.measure): group.figures
                for group in report.split("held_out").overall
            }
            assert arm.figures["zero_shot"] == told["rank", "zero_shot", "accuracy"][MODEL]
            if "few_shot" in check.measures:
                assert arm.figures["few_shot"] == told["rank", "few_shot", "accuracy"][MODEL]
            if "chain_of_thought" in check.measures:
                of = told["zero_shot_chain_of_thought", "zero_shot", "accuracy"]
                assert arm.figures["chain_of_thought"] == of[MODEL]


def test_arms_differ_in_what_they_train_on_and_are_measured_on_the_same_pairs(folder, whole):
    for check in whole.checks:
        places = {arm.name: folder / check.name / arm.name for arm in check.arms}
        assert len({read_manifest(place / "built").fingerprint for place in places.values()}) == len(places)
        same = [place for name, place in places.items() if name != "name_measured_so"]
        rows = [pl.read_parquet(place / "held_out" / ROWS_PARQUET).filter(model=MODEL) for place in same]
        pairs = [frame.select("task", "template", "setting", "row", "prompt").sort(pl.all()) for frame in rows]
        assert all(frame.equals(pairs[0]) for frame in pairs)
    named = pl.read_parquet(folder / "templates" / "name_measured_so" / "held_out" / ROWS_PARQUET)
    assert set(named["template"]) == {"arc_easy/name", "rte/name"}


def test_a_difference_is_over_the_same_rows_and_its_direction_is_said_whichever_it_is(whole):
    for check in whole.checks:
        means = {arm.name: arm.figures for arm in check.arms} | {BEFORE: check.before}
        for of in check.comparisons:
            expected = means[of.arm][of.measure].mean - means[of.against][of.measure].mean
            assert of.difference.mean == pytest.approx(expected)
            assert of.points == points(of.difference, of.expected)
    assert points(Figure(mean=-0.2, low=-0.3, high=-0.1), "higher") == "the other way"
    assert points(Figure(mean=-0.2, low=-0.3, high=-0.1), "lower") == "as in the paper"
    assert points(Figure(mean=0.1, low=None, high=None), "higher") == "neither way"


def test_the_page_has_every_arm_beside_the_papers_numbers_with_their_sources(folder, whole):
    page = (folder / MARKDOWN).read_text(encoding="utf-8")
    for check in whole.checks:
        lines = page.partition(f"## {check.title}\n")[2].partition("\n## ")[0].splitlines()
        for arm in check.arms:
            (line,) = (line for line in lines if line.startswith(f"| {arm.title} |"))
            assert f"{100 * arm.figures['zero_shot'].mean:.1f}" in line
            assert f"{PUBLISHED[check.name].figures['zero_shot'][arm.name]:.1f} |" in line
        assert any(PUBLISHED[check.name].source in line for line in lines)
        assert all(any(of.source in line for line in lines) for of in check.comparisons)
    assert "This is the toy scale" in page
    assert (folder / PICTURE).stat().st_size > 20_000


def test_every_arm_took_the_same_steps_and_keeps_no_checkpoint(folder, whole):
    for check in whole.checks:
        for arm in (arm for arm in check.arms if arm.name != "name_measured_so"):
            tuned = folder / check.name / arm.name / "tuned"
            state = json.loads((tuned / "trainer_state.json").read_text(encoding="utf-8"))
            assert state["global_step"] == whole.max_steps
            assert list(tuned.glob("checkpoint-*")) == []


# --- stopped and started ----------------------------------------------------------------------------------------------


def test_an_experiment_that_is_stopped_three_times_ends_as_one_that_never_was(folder, whole, tmp_path, monkeypatch):
    """Within an arm's tuning, between its last step and its receipt, and between two arms."""
    done: list[str] = []

    def stopped(owner: object, name: str, when: Callable[..., bool]) -> None:
        call = getattr(owner, name)

        def stops(*args: Any, **values: Any) -> Any:
            if when(*args):
                raise KeyboardInterrupt
            return call(*args, **values)

        with monkeypatch.context() as patch:
            patch.setattr(owner, name, stops)
            with pytest.raises(KeyboardInterrupt):
                toy(tmp_path, check=["clusters"])

    def counted(built: Path, **flags: object) -> Path:
        done.append(built.parent.name)
        return finetune(built, **flags)

    stopped(KitTrainer, "training_step", lambda trainer, *_: trainer.state.global_step == 3)
    assert [path.name for path in tmp_path.glob("clusters/1/tuned/checkpoint-*")] == ["checkpoint-2"]
    with pytest.raises(ExperimentError, match=r"clusters/1/tuned: done otherwise: flags was .*0\.03.*, now .*0\.5"):
        toy(tmp_path, check=["clusters"], tuning='{"learning_rate": 0.5}')
    stopped(keep, "receipt", lambda mark, *_: mark.name == "tuned.json")
    assert (tmp_path / "clusters" / "1" / "tuned" / "model.safetensors").is_file()
    stopped(run, "finetune", lambda built: built.parent.name == "2")
    monkeypatch.setattr(run, "finetune", counted)
    again = toy(tmp_path, check=["clusters"])
    assert done == ["2"]
    assert again.checks == whole.checks[:1]
    for place in ("clusters/1/tuned", "clusters/2/tuned"):
        for name in ("model.safetensors", RUN_FILE):
            assert (tmp_path / place / name).read_bytes() == (folder / place / name).read_bytes()


def test_what_was_done_otherwise_is_not_mixed_in(folder, whole):
    with pytest.raises(ExperimentError) as error:
        toy(folder, check=["clusters"], tuning='{"learning_rate": 0.5}')
    told = str(error.value)
    assert told.startswith(f"{folder / 'clusters' / '1' / 'tuned'}: done otherwise: flags was ")
    assert '"learning_rate": 0.03' in told
    assert told.endswith("; name another --output_dir")


# --- the arms of every scale ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHECKS)
def test_the_arms_of_a_check_can_be_built_and_none_trains_on_what_is_measured(name: CheckName):
    check = Arms(SCALES["full"], {"data": "sample"}, tasks=None).check(name)
    measured = next(arm for arm in check.arms if arm.name == check.measured).mixture
    families = {family for task in measured.held_out.measured for family in measured.chosen[task].families}
    for arm in check.arms:
        arm.mixture.check()
        training = arm.mixture.held_out.training
        assert training
        assert not families & {family for task in training for family in arm.mixture.chosen[task].families}
    names = [arm.name for arm in check.arms]
    assert all(set(names) >= set(figures) for figures in PUBLISHED[name].figures.values())
    assert {end for claim in CLAIMS[name] for end in (claim.arm, claim.against)} <= {*names, "first", "last", BEFORE}


def test_more_clusters_keep_those_of_fewer_and_all_seven_of_the_paper_are_there():
    arms = Arms(SCALES["full"], {"data": "sample"}, tasks=None).check("clusters").arms
    trained = [{arm.mixture.chosen[task].cluster for task in arm.mixture.held_out.training} for arm in arms]
    assert [len(clusters) for clusters in trained] == [1, 2, 3, 4, 5, 6, 7]
    assert all(few < more for few, more in pairwise(trained))


def test_only_some_tasks_leave_the_clusters_that_they_have():
    arms = Arms(SCALES["small"], {"data": "sample"}, tasks=["sst2", "xsum", "samsum", "rte"])
    check = arms.check("clusters")
    assert [arm.title for arm in check.arms] == ["1 (summarization)", "2 (+ sentiment)"]
    assert check.arms[0].mixture.hold_out == ("natural_language_inference",)


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "--model_name_or_path: it must be given; only --scale toy makes a model of its own"),
        ({"check": ["cluster"]}, "--check cluster: no such check; did you mean clusters?"),
        ({"tuning": "{learning_rate: 1}"}, "--tuning: no JSON: Expecting property name enclosed in double quotes"),
        (
            {"scale": "toy", "tuning": '{"output_dir": "x", "tokens": "y"}'},
            "--tuning: output_dir, tokens: the experiment sets it itself; leave it out",
        ),
        ({"scale": "toy", "measuring": '{"split": "seen"}'}, "--measuring: split: the experiment sets it itself"),
        ({"scale": "toy", "tuning": '{"lerning_rate": 1}'}, "--lerning_rate: no such flag; did you mean learning_rate"),
        ({"scale": "toy", "measuring": '{"batch": 1}'}, "--batch: no such flag; there are: "),
        ({"scale": "toy", "task": ["sst2"]}, "--task: nothing to measure, no task is in natural_language_inference, "),
        (
            {"scale": "toy", "task": ["rte", "math_dataset"]},
            "--task: no task that could train is in summarization, translation, ",
        ),
        ({"scale": "toy", "task": ["rte", "sst3"]}, "tasks: sst3 is neither a task nor a cluster; did you mean sst2"),
        ({"measuring": "[1]"}, '--measuring [1]: no JSON object; write it as {"learning_rate": 1e-4}'),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(options, told, tmp_path):
    with pytest.raises(InstructionKitError) as error:
        flan(tmp_path / "out", **options)
    assert str(error.value).startswith(told)
    assert not (tmp_path / "out").exists() or [path.name for path in (tmp_path / "out").iterdir()] == ["toy_model"]


def test_the_script_is_the_command(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["flan.py", "--output_dir", "nowhere", "--check", "x"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(ROOT / "scripts" / "experiments" / "flan.py"), run_name="__main__")
    assert stop.value.code == 1
    assert capsys.readouterr().err.startswith("error: --check x: no such check; there are: chain_of_thought, ")


def test_the_flags_of_the_page_can_be_given(tmp_path):
    app = typer.Typer()
    app.command()(flan)
    options = {name for option in typer.main.get_command(app).params for name in option.opts}
    blocks = PAGE.split("```sh\n")[1:]
    lines = [line for block in blocks for line in block.partition("```")[0].replace("\\\n", "").splitlines()]
    words = [shlex.split(line) for line in lines]
    assert {word for of in words for word in of if word.startswith("--")} <= options
    assert set(re.findall(r"`(--\w+)", PAGE)) <= options
    tuning = [json.loads(of[of.index("--tuning") + 1]) for of in words if "--tuning" in of]
    for flags in (*tuning, *(scale.tuning for scale in SCALES.values())):
        as_cpu = {name: value for name, value in flags.items() if name != "bf16"}
        parse(as_arguments({"dataset_name": tmp_path, "model_name_or_path": "m", "output_dir": tmp_path, **as_cpu}))
