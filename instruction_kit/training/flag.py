"""The flags of a tuning run: this kit's own, and all of SFTConfig and ModelConfig under their own names.

In goes a command line, out comes a `Request` in which every value is settled: precision by the hardware, forced values
set. What TRL would ignore, drop or silently change is refused with its reason, all problems at once; a misspelled flag
is an error with the nearest name. Abbreviated flags and files of flags beside the script are not read.
"""

import argparse
import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast, get_args

import torch
from transformers import HfArgumentParser
from trl.trainer.model_config import ModelConfig
from trl.trainer.sft_config import SFTConfig

from instruction_kit.errors import TrainingError, nearest
from instruction_kit.token.layout import Kind
from instruction_kit.token.settle import Asked, read_variables
from instruction_kit.token.shard import Wanted
from instruction_kit.token.weigh import Weighing, weighing_of
from instruction_kit.training import adapter, quantised, watch
from instruction_kit.training.argument import KitArguments
from instruction_kit.training.field import FORCED, REFUSED
from instruction_kit.training.request import ModelSource, Request
from instruction_kit.training.settle import config_of, device_of, take_init_kwargs
from instruction_kit.training.sharded import check_sharding

if TYPE_CHECKING:
    from transformers.hf_argparser import DataClassType


class _Parser(HfArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise TrainingError(f"{message}; --help lists the flags")


def parse(arguments: Sequence[str]) -> Request:
    """Turn a command line into a settled request.

    Raises:
        TrainingError: a flag is unknown, cannot be read, or is refused.

    """
    parser = _parser()
    namespace, unknown = parser.parse_known_args(arguments)
    _refuse_unknown(unknown, parser)
    values = vars(namespace)
    given = _given(parser, arguments)
    problems = [
        *_refused(values, given),
        *_own(values),
        *watch.problems_of(values),
        *adapter.problems_of(values, given),
        *quantised.problems_of(values, given, device=device_of(values)),
    ]
    if problems:
        raise TrainingError("\n".join(problems))
    check_sharding(
        deepspeed=values["deepspeed"], merges=values["merge_adapter"], several=values["adapter_per"] is not None
    )
    config = config_of(values, given)
    model = ModelSource(
        name=values["model_name_or_path"],
        revision=values["model_revision"],
        dtype=getattr(torch, values["dtype"]),
        attn_implementation=values["attn_implementation"],
        trust_remote_code=values["trust_remote_code"],
        init_kwargs=take_init_kwargs(config),
        quantisation=quantised.quantisation_of(values, dtype=getattr(torch, values["dtype"])),
    )
    resume = values["resume_from_checkpoint"]
    return Request(
        built=Path(values["dataset_name"]),
        wanted=Wanted(int(values["max_length"]), packing=values["packing"], weighing=_weighing(values)),
        tokens=None if values["tokens"] is None else Path(values["tokens"]),
        accept_dropped=values["accept_dropped"],
        inspect=values["inspect"],
        layout=_asked(values),
        held_out_rows=values["held_out_rows"],
        adapter=adapter.adapter_of(values) if values["use_peft"] else None,
        adapter_per=values["adapter_per"],
        merge_adapter=values["merge_adapter"],
        model=model,
        config=config,
        resume=None if resume is None or resume.lower() == "false" else resume,
    )


def as_arguments(flags: Mapping[str, object]) -> list[str]:
    """Write keyword arguments as the command line that means the same; None leaves a flag out."""
    arguments = []
    for name, value in flags.items():
        if value is None:
            continue
        items = value if isinstance(value, list | tuple) else [value]
        texts = [json.dumps(item) if isinstance(item, bool | dict) else str(item) for item in items]
        arguments += [f"--{name}", *texts]
    return arguments


def _parser() -> _Parser:
    """Make the parser; what is refused takes any value, so that the reason is what the user reads."""
    parser = _Parser(
        [cast("DataClassType", kind) for kind in (KitArguments, SFTConfig, ModelConfig)],
        prog="finetune",
        description="Tune a language model on a built mixture, with the loss on the output alone.",
        allow_abbrev=False,
    )
    for action in _actions(parser):
        if action.dest in REFUSED:
            action.type, action.choices = str, None
    return parser


def _given(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> set[str]:
    """Return the names that the command line sets, by parsing it again without defaults; the parser is used up."""
    for action in _actions(parser):
        action.default = argparse.SUPPRESS
    return set(vars(parser.parse_known_args(arguments)[0]))


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._actions  # noqa: SLF001 - argparse has no public list of its flags


def _refuse_unknown(unknown: list[str], parser: argparse.ArgumentParser) -> None:
    flags = [argument.split("=")[0] for argument in unknown if argument.startswith("-")] or unknown
    known = {option.lstrip("-").replace("-", "_") for action in _actions(parser) for option in action.option_strings}
    if flags:
        raise TrainingError(
            "\n".join(f"{flag}: no such flag; {nearest(flag.lstrip('-').replace('-', '_'), known)}" for flag in flags)
        )


def _refused(values: dict[str, Any], given: set[str]) -> list[str]:
    """Say why each flag that was set to something else than its one value cannot be."""
    problems = []
    for name in sorted(given):
        if name in REFUSED and str(values[name]).lower() != str(_default(name)).lower():
            problems.append(f"--{name}: refused, because {REFUSED[name]}")
        if name in FORCED and _plain(values[name]) != FORCED[name].value:
            problems.append(f"--{name}: always {FORCED[name].value}, because {FORCED[name].why}")
    return problems


def _own(values: dict[str, Any]) -> list[str]:
    """Check the flags that this kit reads itself."""
    problems = []
    try:
        problems += _asked(values).problems()
    except ValueError as error:
        problems.append(str(error))
    problems += [f"--{name} is required" for name in ("model_name_or_path", "output_dir") if values[name] is None]
    if values["output_dir"] is not None and _are_one(values["output_dir"], values["model_name_or_path"]):
        problems.append(f"--output_dir {values['output_dir']}: the model itself lies there; give another folder")
    if values["dtype"] not in ("float32", "bfloat16", "float16"):
        problems.append(
            f"--dtype {values['dtype']}: name the precision of the weights (float32, bfloat16, float16), "
            "because what a checkpoint happens to be stored in decides how well it can be tuned"
        )
    if values["max_length"] is None or values["max_length"] < 2:
        problems.append(f"--max_length {values['max_length']}: it must be 2 or more")
    return problems


def _are_one(folder: str, model: str | None) -> bool:
    """Say whether what is tuned would be written over what it is tuned from."""
    return model is not None and Path(model).is_dir() and Path(model).resolve() == Path(folder).resolve()


def _asked(values: dict[str, Any]) -> Asked:
    """Read the layout that is asked for.

    Raises:
        ValueError: it is none, or its variables are no JSON.

    """
    if values["layout"] not in (None, *get_args(Kind)):
        raise ValueError(f"--layout {values['layout']}: {nearest(values['layout'], ['plain', 'chat'])}")
    variables = values["chat_template_kwargs"]
    read = None if variables is None else read_variables(variables)
    return Asked(values["layout"], values["system_message"], read)


def _weighing(values: dict[str, Any]) -> Weighing:
    """Read what weighs how much; several weights are for TRL's own loss alone."""
    weighing = weighing_of(
        values["task_weight"] or [],
        flag="--task_weight",
        per=values["weigh"],
        answer=values["answer_weight"],
        rationale=values["rationale_weight"],
    )
    if not weighing.is_even and values["loss_type"] not in (None, "nll"):
        raise TrainingError(
            f"--loss_type {values['loss_type']}: its loss cannot be weighed; give all tokens one weight"
        )
    return weighing


def _default(name: str) -> object:
    """Return the default of a field of either config."""
    found = {item.name: item for config in (SFTConfig, ModelConfig) for item in dataclasses.fields(config)}[name]
    if found.default_factory is not dataclasses.MISSING:
        return found.default_factory()
    return found.default


def _plain(value: object) -> object:
    """Return the value of an enum or of JSON text."""
    if isinstance(value, str) and value.startswith("{"):
        return json.loads(value)
    return getattr(value, "value", value)
