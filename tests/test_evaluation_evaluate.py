"""The command, from a built folder and two models to files and tables; and what it says when it cannot."""

import re
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import huggingface_hub
import polars as pl
import pytest
from peft import LoraConfig, get_peft_model
from test_evaluation_folder import copa, snli, sums, write_folder

from instruction_kit import Mixture
from instruction_kit.build.manifest import read_manifest
from instruction_kit.errors import EvaluationError, MissingExtraError, TokenError
from instruction_kit.evaluation import arguments, metrics, run, work
from instruction_kit.evaluation import evaluate as command
from instruction_kit.evaluation.arguments import EvaluationArguments, parse, settle
from instruction_kit.evaluation.evaluate import evaluate, main
from instruction_kit.evaluation.files import read_report, recompute
from instruction_kit.evaluation.folder import read_pairs
from instruction_kit.evaluation.measure import measure, measure_asked
from instruction_kit.evaluation.model import load_model
from instruction_kit.evaluation.rows import ROWS
from instruction_kit.render.setting import parse_setting, serving
from instruction_kit.token.layout import find_layout, write_layout
from instruction_kit.token.settle import Asked, layout_of
from instruction_kit.token.settle import settle as settle_layout
from instruction_kit.training.toy import make_toy

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "evaluate.py"
pytestmark = pytest.mark.usefixtures("one_thread")

TEXTS = [text for of in [*snli(), *copa(), *sums()] for text in (of["prompt"], *of["candidates"], of["completion"])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_folder(
        tmp_path_factory.mktemp("built"),
        {("train", "seen"): copa(4), ("train", "validation"): [*copa(3), *sums(3)], ("held_out", "snli__test"): snli()},
    )


@pytest.fixture(scope="module")
def untuned(tmp_path_factory) -> Path:
    return toy_in(tmp_path_factory.mktemp("models") / "untuned")


@pytest.fixture(scope="module")
def tuned(untuned) -> Path:
    """A model whose weights differ from the untuned one's, and which knows of no BOS."""
    folder = toy_in(untuned.with_name("tuned"), seed=1)
    layout = layout_of(load_model(str(folder), dtype="float32", device="cpu").tokenizer, joiner="\n")
    write_layout(folder, layout.model_copy(update={"bos": None}))
    return folder


def toy_in(folder: Path, *, seed: int = 0) -> Path:
    return make_toy(folder, TEXTS, vocab_size=300, hidden_size=32, num_layers=1, max_positions=2048, seed=seed)


def flags(**values: object) -> list[str]:
    return [word for name, value in values.items() for word in (f"--{name}", *str(value).split())]


def test_the_command_measures_every_split_before_and_after(folder, tuned, untuned, tmp_path, capsys):
    given = {"dataset_name": folder, "model_name_or_path": tuned, "baseline": untuned, "output_dir": tmp_path / "out"}
    assert main(flags(**given, split="seen validation held_out", per_device_eval_batch_size=4)) == 0
    shown = capsys.readouterr().out
    assert all(
        line in shown for line in ("Rows seen in training", "Rows of trained tasks, not seen", "Held-out clusters")
    )
    assert "before" in shown
    assert "after" in shown
    report = read_report(tmp_path / "out")
    assert [result.split for result in report.splits] == ["seen", "validation", "held_out"]
    assert report == recompute(tmp_path / "out" / "rows.parquet")
    assert report.run is not None
    assert report.run.models == {"model": "tuned", "baseline": "untuned"}
    assert report.run.dataset == read_manifest(folder).fingerprint
    content = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
    assert str(tmp_path).encode() not in content
    assert str(folder).encode() not in content
    rows = pl.read_parquet(tmp_path / "out" / "rows.parquet")
    assert rows.group_by("model").len()["len"].to_list() == [4 + 6 + 12] * 2


def test_a_folder_that_the_builder_wrote_is_measured_under_every_template_of_every_held_out_task(untuned, tmp_path):
    mixture = Mixture(
        tasks=("rte", "copa", "gsm8k"), hold_out=("natural_language_inference",), data="sample", num_validation=3
    )
    mixture.build(tmp_path / "built")
    report = evaluate(
        tmp_path / "built",
        model_name_or_path=untuned,
        output_dir=tmp_path / "out",
        split=("seen", "held_out"),
        rows_per_task=2,
    )
    rte = report.split("held_out").tasks[0]
    measured = parse_setting("zero_shot.options")
    answerable = [of.name for of in serving(mixture.templates["rte"], measured, task=mixture.chosen["rte"])]
    assert [of.template for of in rte.templates] == sorted(answerable)
    assert {of.num_rows for of in rte.templates} == {rte.num_rows} == {2}
    assert rte.chance == 0.5
    assert {task.task: task.measure for task in report.split("seen").tasks if task.kind.is_headline} == {
        "copa": "accuracy",
        "gsm8k": "log_likelihood",
    }
    assert all(not result.left_out for result in report.splits)


def test_a_second_run_in_another_batch_size_writes_the_same_figures_and_the_same_run_the_same_bytes(
    folder, tuned, tmp_path
):
    for name, size in (("a", 16), ("b", 16), ("c", 1)):
        given = {"model_name_or_path": tuned, "output_dir": tmp_path / name, "per_device_eval_batch_size": size}
        evaluate(folder, **given, rows_per_task=3)
    a, b, c = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "abc")
    assert a == b
    assert a["report.md"] == c["report.md"]


def test_the_baseline_is_measured_in_the_layout_of_the_tuned_model(folder, tuned, untuned, tmp_path):
    evaluate(folder, model_name_or_path=tuned, baseline=untuned, output_dir=tmp_path, split="held_out")
    found = pl.read_parquet(tmp_path / "rows.parquet").filter(model="baseline")["scores"].to_list()
    model, tokenizer = load_model(str(untuned), dtype="float32", device="cpu")
    pairs = read_pairs(folder, split="held_out")
    for name, is_equal in ((tuned, True), (untuned, False)):
        recorded = find_layout(str(name))
        layout = settle_layout(tokenizer, name=str(name), joiner="\n", asked=Asked(), recorded=recorded)
        wanted = measure(model, tokenizer, layout, pairs, batch_size=16)["scores"].to_list()
        assert (found == wanted) is is_equal


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft asks for it
def test_an_adapter_is_measured_on_its_base_model(folder, untuned, tmp_path):
    base, tokenizer = load_model(str(untuned), dtype="float32", device="cpu")
    adapted = get_peft_model(base, LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
    adapted.save_pretrained(tmp_path / "adapter")
    tokenizer.save_pretrained(tmp_path / "adapter")
    layout = layout_of(tokenizer, joiner="\n")
    pairs = read_pairs(folder, split="seen")
    loaded = load_model(str(tmp_path / "adapter"), dtype="float32", device="cpu")
    found = measure(loaded.model, loaded.tokenizer, layout, pairs, batch_size=2)["scores"]
    plain = load_model(str(untuned), dtype="float32", device="cpu")
    inner: Any = adapted.get_base_model()
    assert found.to_list() == measure(inner, tokenizer, layout, pairs, batch_size=2)["scores"].to_list()
    assert found.to_list() != measure(plain.model, tokenizer, layout, pairs, batch_size=2)["scores"].to_list()


def test_a_model_tuned_with_another_joiner_is_refused_unless_the_layout_is_asked_for(folder, untuned, tmp_path):
    tokenizer = load_model(str(untuned), dtype="float32", device="cpu").tokenizer
    known: Any = {"name": str(tmp_path), "joiner": "\n", "recorded": layout_of(tokenizer, joiner=" ")}
    with pytest.raises(TokenError) as caught:
        settle_layout(tokenizer, asked=Asked(), **known)
    assert str(caught.value) == (
        f"{tmp_path}: it was tuned on prompts that end in ' ' (instruction_kit.json), this mixture's end in '\\n'; "
        "build the mixture with that joiner, or ask for the layout by name: --layout plain"
    )
    assert settle_layout(tokenizer, asked=Asked("plain"), **known).joiner == "\n"


def test_the_script_is_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["evaluate.py", "--help"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"--{name}" in shown for name in EvaluationArguments.model_fields)
    assert "sequences in a batch, one for each candidate; it changes no score (default: 16)" in " ".join(shown.split())


def test_every_flag_is_read():
    files = [Path(str(module.__file__)) for module in (command, run, arguments)]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    read = {
        name for name in EvaluationArguments.model_fields if f"arguments.{name}" in source or f"self.{name}" in source
    }
    assert read == set(EvaluationArguments.model_fields)


def test_the_number_of_rows_may_follow_from_a_precision_and_names_may_have_dashes():
    given = {"dataset_name": "d", "model_name_or_path": "m", "output_dir": "o"}
    assert parse([*flags(**given), "--rows-per-task=7"]).num_rows == 7
    assert parse([*flags(**given), "--precision", "0.05"]).num_rows == 385
    with pytest.raises(EvaluationError, match=r"^--precision settles the number of rows; leave --rows_per_task out$"):
        settle({**given, "precision": 0.1, "rows_per_task": 3})
    with pytest.raises(EvaluationError, match=r"^--num_samples 3 would be the same output again; give --temperature"):
        settle({**given, "num_samples": 3})


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (
            {"protocol": "zero_shot_cot", "num_samples": 3, "temperature": 0.7},
            "--num_samples 3 is for answers that vote; add --protocol generate",
        ),
        (
            {"protocol": ("generate", "zero_shot_cot"), "num_samples": 3, "temperature": 0.7},
            (
                "--num_samples 3 is for --protocol generate, and zero_shot_cot takes one sample; "
                "measure them in runs of their own"
            ),
        ),
        ({"temperature": 0.7}, "--temperature 0.7: by rank nothing is generated; add --protocol generate"),
    ],
)
def test_how_texts_are_generated_is_refused_where_none_are(asked, told):
    given = {"dataset_name": "d", "model_name_or_path": "m", "output_dir": "o", **asked}
    with pytest.raises(EvaluationError) as caught:
        settle(given)
    assert str(caught.value) == told
    assert settle({**given, "protocol": ("rank", "generate")}).generation["temperature"] == 0.7


def test_a_measurement_that_was_stopped_goes_on_and_ends_with_the_same_bytes(folder, tuned, tmp_path, monkeypatch):
    monkeypatch.setattr(work, "PART_PAIRS", 5)
    given: dict[str, Any] = {"model_name_or_path": tuned, "split": ("seen", "held_out")}
    evaluate(folder, **given, output_dir=tmp_path / "whole")
    measured: list[int] = []

    def counting(*asked: Any, **how: Any) -> pl.DataFrame:
        if len(measured) == 2 and stops:
            raise KeyboardInterrupt
        measured.append(asked[2].height)
        return measure_asked(*asked, **how)

    monkeypatch.setattr(run, "measure_asked", counting)
    stops = True
    with pytest.raises(KeyboardInterrupt):
        evaluate(folder, **given, output_dir=tmp_path / "stopped")
    assert not (tmp_path / "stopped" / "report.json").exists()
    stops = False
    evaluate(folder, **given, output_dir=tmp_path / "stopped")
    assert measured == [5, 5, 5, 1]  # the two that were done are not made again
    one, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("whole", "stopped")
    )
    assert one == other


def test_ctrl_c_says_that_the_same_command_goes_on(folder, untuned, tmp_path, monkeypatch, capsys):
    def stopped(*_asked: Any, **_how: Any) -> pl.DataFrame:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "measure_asked", stopped)
    assert main(flags(dataset_name=folder, model_name_or_path=untuned, output_dir=tmp_path / "out")) == 130
    told = capsys.readouterr().err
    assert told.endswith("evaluate: stopped; the same command goes on from what is measured\n")


def test_parts_of_another_measurement_are_not_gone_on_with(folder, tuned, untuned, tmp_path):
    for name in (tuned, untuned):
        kept = work.Work(tmp_path, "f", work.weights_of(str(name)))
        assert kept.done("model", 0) is None
        kept.keep("model", 0, pl.DataFrame(schema=ROWS))
        assert work.Work(tmp_path, "f", work.weights_of(str(name))).done("model", 0) is not None
    assert len(list((tmp_path / ".work").iterdir())) == 1


def test_every_problem_of_a_command_line_is_told_at_once():
    with pytest.raises(EvaluationError) as caught:
        parse(["--splitt", "seen", "--rows_per_task=0", "--model", "m", *flags(split="train", output_dir="o")])
    assert str(caught.value).splitlines() == [
        "--splitt: no such flag; did you mean --split?",
        "--model: no such flag; did you mean --model_revision?",
        "--dataset_name: it must be given",
        "--model_name_or_path: it must be given",
        "--split train: input should be 'seen', 'validation' or 'held_out'",
        "--rows_per_task 0: input should be greater than or equal to 1",
    ]
    with pytest.raises(EvaluationError, match=r"^stray: belongs to no flag; --help lists the flags$"):
        parse(["stray"])


def test_a_call_takes_the_flags_as_keyword_arguments_and_tells_the_same_problems():
    given = {"dataset_name": Path("d"), "model_name_or_path": "m", "output_dir": Path("o")}
    assert settle({**given, "split": "seen"}) == parse(flags(**given, split="seen"))
    assert settle(given).split == ("held_out",)
    with pytest.raises(EvaluationError) as caught:
        settle({**given, "eval_batch_size": 3, "split": ()})
    assert str(caught.value).splitlines() == [
        "--eval_batch_size: no such flag; did you mean --per_device_eval_batch_size?",
        "--split (): value should have at least 1 item after validation, not 0",
    ]
    assert parse([*flags(**given), "--trust_remote_code"]).trust_remote_code
    assert not parse([*flags(**given), "--trust_remote_code", "false"]).trust_remote_code


def test_an_error_ends_the_command_with_its_message(folder, tmp_path, capsys):
    given = {"dataset_name": folder, "model_name_or_path": tmp_path / "none", "output_dir": tmp_path / "out"}
    assert main(flags(**given)) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert f"evaluate: {tmp_path}/none: no such folder; give the folder of a model, or its name on the hub" in said
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_model_names_the_checkpoints_in_it(tmp_path):
    with pytest.raises(
        EvaluationError, match=r"neither config.json nor adapter_config.json; give the folder of a saved"
    ):
        load_model(str(tmp_path), dtype="float32", device="cpu")
    (tmp_path / "checkpoint-10").mkdir()
    (tmp_path / "checkpoint-10" / "config.json").touch()
    with pytest.raises(EvaluationError, match=r"no model there, .*; there are checkpoint-10 in it: give one of them"):
        load_model(str(tmp_path), dtype="float32", device="cpu")


def test_a_hub_that_cannot_be_reached_and_a_model_of_another_kind_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)  # else its retries take a minute
    with pytest.raises(EvaluationError, match=r"^nobody/nothing: no language model .* scripts/finetune.py"):
        load_model("nobody/nothing", dtype="float32", device="cpu")
    (tmp_path / "config.json").write_text('{"model_type": "no_such_type"}', encoding="utf-8")
    with pytest.raises(EvaluationError, match=re.escape(f"{tmp_path}: no language model with its tokenizer")):
        load_model(str(tmp_path), dtype="float32", device="cpu")


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(untuned, device):
    with pytest.raises(EvaluationError, match=f"^--device {device}: it cannot be used here; there are: cpu"):
        load_model(str(untuned), dtype="float32", device=device)


def test_a_checkpoint_that_lacks_weights_is_refused(untuned, tmp_path):
    model, tokenizer = load_model(str(untuned), dtype="float32", device="cpu")
    state = {name: weight for name, weight in model.state_dict().items() if "down_proj" not in name}
    model.save_pretrained(tmp_path, state_dict=state)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(EvaluationError, match=r"it lacks 1 weights .*down_proj.* give the folder of a whole model"):
        load_model(str(tmp_path), dtype="float32", device="cpu")


def test_a_missing_extra_is_named_before_anything_is_measured(monkeypatch, folder):
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "matplotlib" else find_spec(name))
    with pytest.raises(
        MissingExtraError, match=r"measuring a model needs the extra `tune`: pip install 'instruction-kit\[tu"
    ):
        evaluate(folder, model_name_or_path="m", output_dir="o")


def test_a_metric_s_missing_extra_is_named_before_a_model_is_loaded(monkeypatch, tmp_path):
    folder = tmp_path / "built"
    Mixture(tasks=["common_gen"], hold_out=["common_gen"], only="held_out", data="sample").build(folder)
    monkeypatch.setattr(metrics, "find_spec", lambda _name: None)
    given = {"model_name_or_path": "no_model_is_there", "output_dir": tmp_path / "out"}
    with pytest.raises(MissingExtraError, match=r"the metric rouge1 needs the extra `metrics`"):
        evaluate(folder, **given, protocol="generate")
    with pytest.raises(EvaluationError, match=r"no_model_is_there: no language model"):  # a likelihood needs none
        evaluate(folder, **given)


def test_several_processes_are_refused(monkeypatch, folder):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(EvaluationError, match=r"WORLD_SIZE is 2: .* start it with python, not with accelerate launch"):
        evaluate(folder, model_name_or_path="m", output_dir="o")
