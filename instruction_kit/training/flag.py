"""The flags of a tuning run: this kit's own, and all of SFTConfig and ModelConfig under their own names.

In goes a command line, out comes a `Request` in which every value is settled: precision by the hardware, forced values
set. What TRL would ignore, drop or silently change is refused with its reason, all problems at once; a misspelled flag
is an error with the nearest name. Abbreviated flags and files of flags beside the script are not read.
"""

import argparse
import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast, get_args

import torch
from transformers import BitsAndBytesConfig, HfArgumentParser
from transformers.integrations.integration_utils import (
    INTEGRATION_TO_CALLBACK,
    get_available_reporting_integrations,
)
from trl.trainer.model_config import ModelConfig
from trl.trainer.sft_config import SFTConfig

from instruction_kit.errors import TrainingError, nearest
from instruction_kit.token.layout import Asked, Kind, read_variables
from instruction_kit.token.shard import Wanted
from instruction_kit.token.weigh import Weighing, weighing_of
from instruction_kit.training import adapter, quantised, watch
from instruction_kit.training.adapter import Adapter
from instruction_kit.training.field import FORCED, REFUSED
from instruction_kit.training.sharded import check_sharding

if TYPE_CHECKING:
    from transformers.hf_argparser import DataClassType

OWN_FLAG_OF = {  # keys of model_init_kwargs that have a flag, and so one place
    "attn_implementation": "--attn_implementation",
    "dtype": "--dtype",
    "quantization_config": "--load_in_4bit or --load_in_8bit",
    "revision": "--model_revision",
    "torch_dtype": "--dtype",
    "trust_remote_code": "--trust_remote_code",
}


@dataclass
class KitArguments:
    """This kit's own flags."""

    dataset_name: str = field(metadata={"help": "The folder of a built mixture."})
    layout: str | None = field(
        default=None,
        metadata={
            "help": "How prompt and completion become one text: plain, or chat (by the tokenizer's chat template). "
            "Without it the layout that the model was tuned in, else chat where there is a template, else plain. "
            "An encoder-decoder has one of its own."
        },
    )
    system_message: str | None = field(
        default=None, metadata={"help": "What begins every conversation of a chat layout that has none of its own."}
    )
    chat_template_kwargs: str | None = field(
        default=None, metadata={"help": 'Variables of the chat template, as JSON: {"enable_thinking": false}.'}
    )
    accept_dropped: bool = field(
        default=False, metadata={"help": "Go on when a task loses more than 1 percent of its pairs to max_length."}
    )
    tokens: str | None = field(
        default=None,
        metadata={
            "help": "Token shards that `instruction-kit tokenize` wrote of this mixture for this model. Without it "
            "they are written into the folder `tokens` of the output folder."
        },
    )
    inspect: bool = field(
        default=False, metadata={"help": "Show the first batch, with what is trained in colour, and end there."}
    )
    weigh: str = field(
        default="token", metadata={"help": "What weighs the same in the loss: each token, or each pair."}
    )
    answer_weight: float = field(default=1.0, metadata={"help": "The weight of an answer's tokens in the loss."})
    rationale_weight: float = field(
        default=1.0, metadata={"help": "The weight of all else in an output that holds more than its answer."}
    )
    task_weight: list[str] | None = field(
        default=None, metadata={"help": "TASK=NUMBER, several: what the weights of a task's pairs are multiplied by."}
    )
    held_out_rows: int = field(
        default=50,
        metadata={"help": "Rows of each held-out task that every evaluation ranks (--eval_strategy); 0 for none."},
    )
    merge_adapter: bool = field(
        default=False, metadata={"help": "Write a whole model at the end, with the adapter of --use_peft merged in."}
    )


@dataclass(frozen=True)
class ModelSource:
    """Where a model comes from and how it is loaded."""

    name: str
    revision: str
    dtype: torch.dtype
    attn_implementation: str | None
    trust_remote_code: bool
    init_kwargs: dict[str, Any]
    quantisation: BitsAndBytesConfig | None = None
    """How the weights are held, where they are not held whole."""


@dataclass(frozen=True)
class Request:
    """A tuning run with everything settled."""

    built: Path
    wanted: Wanted
    """What the token rows are to be like."""
    tokens: Path | None
    """Shards that are there already."""
    accept_dropped: bool
    inspect: bool
    layout: Asked
    held_out_rows: int
    adapter: Adapter | None
    merge_adapter: bool
    model: ModelSource
    config: SFTConfig
    resume: str | None


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
        *quantised.problems_of(values, given, device=_device(values)),
    ]
    if problems:
        raise TrainingError("\n".join(problems))
    check_sharding(deepspeed=values["deepspeed"], merges=values["merge_adapter"])
    config = _config(values, given)
    model = ModelSource(
        name=values["model_name_or_path"],
        revision=values["model_revision"],
        dtype=getattr(torch, values["dtype"]),
        attn_implementation=values["attn_implementation"],
        trust_remote_code=values["trust_remote_code"],
        init_kwargs=_init_kwargs(config),
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
    if values["dtype"] not in ("float32", "bfloat16", "float16"):
        problems.append(
            f"--dtype {values['dtype']}: name the precision of the weights (float32, bfloat16, float16), "
            "because what a checkpoint happens to be stored in decides how well it can be tuned"
        )
    if values["max_length"] is None or values["max_length"] < 2:
        problems.append(f"--max_length {values['max_length']}: it must be 2 or more")
    return problems


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


def _config(values: dict[str, Any], given: set[str]) -> SFTConfig:
    """Settle what TRL gets."""
    accelerated = not _on_cpu(values) and torch.accelerator.is_available()
    old_name = values["gradient_checkpointing"] if "gradient_checkpointing" in given else accelerated
    checkpointing = values["activation_checkpointing"]
    settled = {
        **{item.name: values[item.name] for item in dataclasses.fields(SFTConfig) if item.name in values},
        **{name: forced.value for name, forced in FORCED.items()},
        "bf16": _bf16(values, accelerated=accelerated),
        "activation_checkpointing": old_name if checkpointing is None else checkpointing,
        "activation_checkpointing_kwargs": values["activation_checkpointing_kwargs"]
        or values["gradient_checkpointing_kwargs"],
        "gradient_checkpointing_kwargs": None,
        "dataloader_pin_memory": values["dataloader_pin_memory"] and accelerated,
        "resume_from_checkpoint": None,
        "greater_is_better": watch.is_greater_better(values["metric_for_best_model"])
        if values["greater_is_better"] is None
        else values["greater_is_better"],
    }
    try:
        config = SFTConfig(**settled)
    except ValueError as error:
        raise TrainingError(f"these flags do not go together: {error}") from error
    if "report_to" not in given:
        config.report_to = []
    _check_services(list(config.report_to or []))
    return config


def _check_services(names: list[str]) -> None:
    """Refuse to report to a service whose package is not there, before anything is read."""
    there: list[str] = get_available_reporting_integrations()  # type: ignore[no-untyped-call]
    for name in names:
        if name not in there:
            known = "its package is not installed" if name in INTEGRATION_TO_CALLBACK else nearest(name, there)
            raise TrainingError(f"--report_to {name}: {known}; the run's own files hold the same figures")


def _device(values: dict[str, Any]) -> str:
    """Name the kind of device that the model will be on."""
    found = None if _on_cpu(values) else torch.accelerator.current_accelerator()
    return "cpu" if found is None else str(found.type)


def _on_cpu(values: dict[str, Any]) -> bool:
    return bool(values["use_cpu"]) or os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes")


def _bf16(values: dict[str, Any], *, accelerated: bool) -> bool:
    """Say whether matrices are multiplied in bfloat16: where the hardware does so, unless the user says otherwise."""
    native = accelerated and torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    if values["fp16"] and not accelerated:
        raise TrainingError("--fp16: there is no accelerator here; leave it out to tune in float32")
    if values["bf16"] and accelerated and torch.cuda.is_available() and not native:
        raise TrainingError("--bf16: this GPU has no bfloat16; leave it out to tune in float32, or take --fp16 true")
    return native and not values["fp16"] if values["bf16"] is None else values["bf16"]


def _init_kwargs(config: SFTConfig) -> dict[str, Any]:
    """Take model_init_kwargs out of the config, since the model is loaded here; refuse keys that have a flag."""
    found = config.model_init_kwargs or {}
    if not isinstance(found, dict):
        raise TrainingError(f'--model_init_kwargs {found}: write it as JSON, for example {{"use_kernels": true}}')
    config.model_init_kwargs = None
    problems = [f"--model_init_kwargs {key}: set it by {OWN_FLAG_OF[key]}" for key in found if key in OWN_FLAG_OF]
    if problems:
        raise TrainingError("\n".join(problems))
    return found


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
