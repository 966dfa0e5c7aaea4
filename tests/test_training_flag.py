"""Flags: every field of SFTConfig and ModelConfig has its place, and what would be ignored is refused with a reason."""

import ast
import dataclasses
import inspect
import re
import sys
from collections import Counter

import pytest
import torch
from trl.trainer.model_config import ModelConfig
from trl.trainer.sft_config import SFTConfig

from instruction_kit.errors import TrainingError
from instruction_kit.token.settle import Asked
from instruction_kit.token.shard import Wanted
from instruction_kit.token.weigh import Weighing
from instruction_kit.training import adapter, flag, quantised, settle, watch
from instruction_kit.training.argument import KitArguments
from instruction_kit.training.field import FORCED, PASSED, READ, REFUSED
from instruction_kit.training.flag import as_arguments, parse
from instruction_kit.training.request import Request

FIELDS = {item.name: item for config in (SFTConfig, ModelConfig) for item in dataclasses.fields(config)}
OTHER = {
    "packing_strategy": "wrapped",
    "eval_strategy": "steps",
    "train_sampling_strategy": "random",
    "dataset_kwargs": "{}",
}
"""A value that is not the forced one, for fields that are no booleans."""


def settled(**flags: object) -> Request:
    return parse(as_arguments({"dataset_name": "OUT", "model_name_or_path": "M", "output_dir": "T", **flags}))


def test_every_field_stands_in_exactly_one_table():
    tables = Counter(name for table in (READ, PASSED, FORCED, REFUSED) for name in table)
    assert sorted(tables) == sorted(FIELDS)
    assert {name for name, times in tables.items() if times > 1} == set()


def names_in_code() -> set[str]:
    nodes = [
        node for of in (flag, settle, adapter, quantised, watch) for node in ast.walk(ast.parse(inspect.getsource(of)))
    ]
    constants = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return {text for text in constants if isinstance(text, str)} | {
        node.attr for node in nodes if isinstance(node, ast.Attribute)
    }


@pytest.mark.parametrize("name", sorted(READ))
def test_a_field_that_is_read_is_named_where_flags_are_settled(name):
    assert name in names_in_code()


def other_value(name: str) -> str:
    """Write a value of the field's type that is not its default."""
    default, kind = flag._default(name), str(FIELDS[name].type)
    if "bool" in kind:
        return "false" if default is True else "true"
    if "float" in kind or "int" in kind:
        return "3"
    return "something"


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refused_field_is_refused_by_name_with_its_reason(name):
    with pytest.raises(TrainingError, match=re.escape(f"--{name}: refused, because {REFUSED[name]}")):
        settled(**{name: other_value(name)})


@pytest.mark.parametrize("name", sorted(FORCED))
def test_a_forced_field_has_its_value_and_no_other(name):
    value, why = FORCED[name]
    config = settled().config
    assert getattr(getattr(config, name), "value", getattr(config, name)) == value
    settled(**{name: value})
    with pytest.raises(TrainingError, match=re.escape(f"--{name}: always {value}, because {why}")):
        settled(**{name: OTHER.get(name, not value)})


PASSED_VALUES = {
    "lr_scheduler_kwargs": '{"num_cycles": 1}',
    "optim": "adamw_torch",
    "logging_strategy": "epoch",
    "log_level": "info",
    "log_level_replica": "error",
    "debug": "underflow_overflow",
    "include_num_input_tokens_seen": "no",
    "pad_to_multiple_of": "8",
    "optim_target_modules": "attn",
    "loss_type": "dft",
    "ddp_backend": None,  # needs a launcher: tests of accelerate launch set it
    "dataloader_multiprocessing_context": "spawn",
    "torch_compile": "false",  # true needs a compiler to be there
    "torch_compile_backend": None,
    "torch_compile_mode": None,
    "full_determinism": "true",
    "tf32": "false",
}


@pytest.mark.parametrize("name", sorted(PASSED))
def test_a_passed_field_reaches_trl_as_it_was_set(name):
    text = PASSED_VALUES.get(name, other_value(name))
    if text is None:
        return
    workers = (
        {"dataloader_num_workers": 2} if name in ("dataloader_prefetch_factor", "dataloader_persistent_workers") else {}
    )
    value = getattr(settled(**{name: text}, **workers).config, name)
    value = getattr(value, "value", value)
    shown = [getattr(item, "value", item) for item in value] if isinstance(value, list) else value
    assert str(shown).lower().replace("'", '"') in (text.lower(), f"{text}.0", f'["{text}"]')


def test_precision_is_full_where_the_hardware_has_no_bfloat16():
    request = settled()
    assert (request.config.bf16, request.config.fp16, request.model.dtype) == (False, False, torch.float32)
    assert settled(bf16=True, use_cpu=True).config.bf16
    with pytest.raises(TrainingError, match="these flags do not go together: Your setup doesn't support bf16"):
        settled(bf16=True)
    with pytest.raises(TrainingError, match="--fp16: there is no accelerator here"):
        settled(fp16=True)


@pytest.mark.parametrize("dtype", ["auto"])
def test_the_precision_of_the_weights_is_named(dtype):
    with pytest.raises(TrainingError, match=r"--dtype auto: name the precision of the weights \(float32, bfloat16"):
        settled(dtype=dtype)
    assert settled(dtype="bfloat16").model.dtype == torch.bfloat16


def test_the_old_name_of_checkpointing_is_taken_for_the_new_one():
    assert not settled().config.activation_checkpointing  # no accelerator in tests
    assert settled(gradient_checkpointing=True).config.activation_checkpointing
    assert settled(activation_checkpointing=True).config.activation_checkpointing
    assert not settled(activation_checkpointing=False, gradient_checkpointing=True).config.activation_checkpointing


def test_nothing_is_reported_unless_asked(monkeypatch):
    monkeypatch.setenv("KUBEFLOW_TRAINJOB_NAME", "job")
    assert settled().config.report_to == []
    with pytest.raises(TrainingError, match="--report_to tensorboard: its package is not installed; the run's own"):
        settled(report_to=["tensorboard"])
    monkeypatch.setattr(settle, "get_available_reporting_integrations", lambda: ["tensorboard"])
    assert settled(report_to=["tensorboard"]).config.report_to == ["tensorboard"]
    with pytest.raises(TrainingError, match=r"--report_to tensorbord: did you mean tensorboard\?"):
        settled(report_to=["tensorbord"])


@pytest.mark.parametrize(
    ("argument", "nearest"),
    [
        ("--learning_rat=1", "did you mean learning_rate"),
        ("--learning", "did you mean learning_rate"),  # no abbreviation stands for a flag
        ("--dataset-nam", "did you mean dataset_name"),
        ("--model_name", "there are|did you mean"),
    ],
)
def test_a_misspelled_flag_is_an_error_with_the_nearest_name(argument, nearest):
    with pytest.raises(TrainingError, match=rf"^{argument.split('=')[0]}: no such flag; ({nearest})"):
        parse([*as_arguments({"dataset_name": "OUT", "model_name_or_path": "M", "output_dir": "T"}), argument])


def test_a_file_of_flags_beside_the_script_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "script.args").write_text("--learning_rate 9", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "script.py")])
    assert settled().config.learning_rate == 2e-5


def test_all_problems_are_told_at_once():
    with pytest.raises(TrainingError) as told:
        settled(layout="chatty", padding_free=True, use_liger_kernel=True, lora_r=2, output_dir=None, max_length=1)
    assert str(told.value).splitlines() == [
        f"--padding_free: always False, because {FORCED['padding_free'].why}",
        f"--use_liger_kernel: refused, because {REFUSED['use_liger_kernel']}",
        "--layout chatty: did you mean chat?",
        "--output_dir is required",
        "--max_length 1: it must be 2 or more",
        "--lora_r: nothing reads it without --use_peft true",
    ]


def test_a_model_is_not_tuned_into_its_own_folder(tmp_path):
    with pytest.raises(TrainingError, match=r"--output_dir .*: the model itself lies there; give another folder"):
        settled(model_name_or_path=tmp_path, output_dir=f"{tmp_path}/../{tmp_path.name}")


def test_values_that_cannot_be_read_or_do_not_go_together_are_errors_and_no_exits():
    with pytest.raises(TrainingError, match=r"argument --bf16: Truthy value expected.*; --help lists the flags"):
        settled(bf16="maybe")
    with pytest.raises(TrainingError, match=r"required: --dataset_name"):
        parse([])
    with pytest.raises(TrainingError, match="--lr_scheduler_type reduce_lr_on_plateau: it waits for an evaluation"):
        settled(lr_scheduler_type="reduce_lr_on_plateau")
    evaluated = settled(lr_scheduler_type="reduce_lr_on_plateau", eval_strategy="epoch").config
    assert (evaluated.metric_for_best_model, evaluated.greater_is_better) == ("loss", False)
    assert settled(lr_scheduler_type="cosine", save_strategy="epoch").config.lr_scheduler_type == "cosine"


def test_what_has_a_flag_is_not_set_in_the_models_keywords_too():
    with pytest.raises(TrainingError, match="--model_init_kwargs torch_dtype: set it by --dtype"):
        settled(model_init_kwargs={"torch_dtype": "bfloat16"})
    with pytest.raises(TrainingError, match="quantization_config: set it by --load_in_4bit or --load_in_8bit"):
        settled(model_init_kwargs={"quantization_config": {}})
    with pytest.raises(TrainingError, match="--model_init_kwargs kernels: write it as JSON"):
        settled(model_init_kwargs="kernels")
    assert settled(model_init_kwargs={"use_kernels": False}).model.init_kwargs == {"use_kernels": False}


def test_the_kits_own_flags_reach_the_request():
    own = {item.name for item in dataclasses.fields(KitArguments)}
    assert own == {
        "accept_dropped", "adapter_per", "answer_weight", "chat_template_kwargs", "dataset_name", "held_out_rows",
        "inspect", "layout", "merge_adapter", "rationale_weight", "system_message", "task_weight", "tokens", "weigh",
    }  # fmt: skip
    request = settled(accept_dropped=True, model_revision="abc", trust_remote_code=True, resume_from_checkpoint="true")
    assert (str(request.built), request.accept_dropped, request.resume) == ("OUT", True, "true")
    assert (request.model.name, request.model.revision, request.model.trust_remote_code) == ("M", "abc", True)
    assert settled(resume_from_checkpoint=False).resume is None
    assert (request.tokens, request.inspect, request.wanted) == (None, False, Wanted(1024))
    request = settled(tokens="SHARDS", inspect=True, packing=True, max_length=99)
    assert (str(request.tokens), request.inspect, request.wanted) == ("SHARDS", True, Wanted(99, packing=True))
    request = settled(weigh="pair", answer_weight=2.0, rationale_weight=0.5, task_weight=["a=3", "b=0.1"])
    weighing = Weighing(per="pair", answer=2.0, rationale=0.5, tasks={"a": 3.0, "b": 0.1})
    assert (request.wanted.weighing, request.held_out_rows, settled(held_out_rows=0).held_out_rows) == (weighing, 50, 0)


def test_a_script_can_give_everything_as_keywords():
    arguments = as_arguments({"a": True, "b": None, "c": {"x": 1}, "d": ["y", "z"], "e": 1e-3})
    assert arguments == ["--a", "true", "--c", '{"x": 1}', "--d", "y", "z", "--e", "0.001"]


def test_the_layout_that_is_asked_for_reaches_the_request_and_what_cannot_be_is_told():
    with pytest.raises(TrainingError) as caught:
        settled(layout="plain", system_message="Be brief.", chat_template_kwargs={"tokenize": True})
    assert str(caught.value).splitlines() == [
        "--system_message: a plain layout has none; take --layout chat",
        "--chat_template_kwargs: a plain layout has none; take --layout chat",
        "--chat_template_kwargs tokenize: it is set by this kit",
    ]
    with pytest.raises(TrainingError, match="--chat_template_kwargs thinking: write it as JSON, for example"):
        settled(chat_template_kwargs="thinking")
    told = settled(layout="chat", system_message="Be brief.", chat_template_kwargs={"x": 1}).layout
    assert (told, settled().layout) == (Asked("chat", "Be brief.", {"x": 1}), Asked())
