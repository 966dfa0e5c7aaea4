"""What TRL gets: its own settings with every value decided, by the flags, by the hardware and by `field`.

In go the values of all flags, out comes an SFTConfig. Precision follows the device at hand, forced values are set, and
nothing is reported unless it is asked for; what does not go together is an error before anything is read.
"""

import dataclasses
import os
from typing import Any

import torch
from transformers.integrations.integration_utils import (
    INTEGRATION_TO_CALLBACK,
    get_available_reporting_integrations,
)
from trl.trainer.sft_config import SFTConfig

from instruction_kit.errors import TrainingError, nearest
from instruction_kit.training import watch
from instruction_kit.training.field import FORCED

OWN_FLAG_OF = {  # keys of model_init_kwargs that have a flag, and so one place
    "attn_implementation": "--attn_implementation",
    "dtype": "--dtype",
    "quantization_config": "--load_in_4bit or --load_in_8bit",
    "revision": "--model_revision",
    "torch_dtype": "--dtype",
    "trust_remote_code": "--trust_remote_code",
}


def config_of(values: dict[str, Any], given: set[str]) -> SFTConfig:
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
        "use_cpu": values["use_cpu"] or (_has_peers() and not torch.accelerator.is_available()),
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


def device_of(values: dict[str, Any]) -> str:
    """Name the kind of device that the model will be on."""
    found = None if _on_cpu(values) else torch.accelerator.current_accelerator()
    return "cpu" if found is None else str(found.type)


def _has_peers() -> bool:
    """Say whether this is one of several processes; on CPUs each would tune the whole alone unless they are named."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


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


def take_init_kwargs(config: SFTConfig) -> dict[str, Any]:
    """Take model_init_kwargs out of the config, since the model is loaded here; refuse keys that have a flag."""
    found = config.model_init_kwargs or {}
    if not isinstance(found, dict):
        raise TrainingError(f'--model_init_kwargs {found}: write it as JSON, for example {{"use_kernels": true}}')
    config.model_init_kwargs = None
    problems = [f"--model_init_kwargs {key}: set it by {OWN_FLAG_OF[key]}" for key in found if key in OWN_FLAG_OF]
    if problems:
        raise TrainingError("\n".join(problems))
    return found
