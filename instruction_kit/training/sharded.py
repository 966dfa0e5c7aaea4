"""A model that is divided over processes: FSDP2 and DeepSpeed, as accelerate is set up for them.

In goes how this process was launched, out comes nothing, or a `TrainingError`: what the checks before the first step
cannot bear is refused, and so is what would be passed over in silence. On CPUs accelerate knows no FSDP, and would copy
the model to every process; there it is told otherwise, so that a setup can be tried without a GPU.
"""

import json
import logging
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from accelerate import PartialState
from accelerate.utils import DistributedType

from instruction_kit.errors import TrainingError

logger = logging.getLogger(__name__)

EXAMPLE = "examples/accelerate/fsdp2.yaml"
STAGES = (0, 1, 2, 3)


def check_sharding(*, deepspeed: str | None = None, merges: bool = False, several: bool = False) -> None:
    """Refuse a setup that would go wrong, before anything is read.

    Args:
        deepspeed: a file of settings.
        merges: whether an adapter is merged at the end.
        several: whether several adapters are tuned over one base.

    Raises:
        TrainingError: it would.

    """
    problems: list[str] = []
    if _is_on("ACCELERATE_USE_FSDP"):
        problems += _of_fsdp(merges=merges)
    if deepspeed is not None:
        problems += _of_settings(Path(deepspeed))
    if (deepspeed is not None or _is_on("ACCELERATE_USE_DEEPSPEED")) and find_spec("deepspeed") is None:
        problems.append("DeepSpeed is asked for and not installed: pip install deepspeed, or take FSDP2: " + EXAMPLE)
    if several and (deepspeed is not None or _is_on("ACCELERATE_USE_DEEPSPEED") or _is_on("ACCELERATE_USE_FSDP")):
        problems.append(
            "--adapter_per: the model is divided over processes, and no adapter can be taken off it again; start "
            "without FSDP and DeepSpeed (each process then holds the base), or tune a mixture of one cluster at a time"
        )
    if problems:
        raise TrainingError("\n".join(problems))


def warn_of_one_process() -> None:
    """Say that `accelerate launch` starts one process on CPUs, however many it was asked for, and no DeepSpeed."""
    state = PartialState()
    if _is_on("ACCELERATE_USE_CPU") and "MASTER_ADDR" in os.environ and state.num_processes == 1:
        logger.warning(
            "this is one process: on CPUs `accelerate launch` starts no more, whatever its setup says of processes and "
            "of DeepSpeed; start several with torchrun --nproc_per_node, or with FSDP2: %s",
            EXAMPLE,
        )


def divide_on_cpus() -> None:
    """Make accelerate divide a model over CPUs too, where it is set up for that; before a trainer is made."""
    if _is_on("ACCELERATE_USE_FSDP") and PartialState().distributed_type == DistributedType.MULTI_CPU:
        # it asks for FSDP under the types of accelerators alone; the device stays what it is
        PartialState._shared_state["distributed_type"] = DistributedType.MULTI_XPU  # noqa: SLF001


def _is_on(variable: str) -> bool:
    return os.environ.get(variable, "false").lower() in ("1", "true", "yes")


def _of_fsdp(*, merges: bool) -> Iterator[str]:
    """Say what of accelerate's FSDP settings cannot be; they are told through the environment."""
    if os.environ.get("FSDP_VERSION", "1") != "2":
        yield f"accelerate is set up for the first FSDP: set `fsdp_version: 2`, see {EXAMPLE}"
    if _is_on("FSDP_CPU_RAM_EFFICIENT_LOADING"):
        yield (
            "accelerate is set up with `fsdp_cpu_ram_efficient_loading: true`, where one process alone holds weights "
            "before the first step and the others could not prove what they train: set it to false"
        )
    kind = os.environ.get("FSDP_STATE_DICT_TYPE", "FULL_STATE_DICT")
    if kind != "FULL_STATE_DICT":
        yield (
            f"accelerate is set up with `fsdp_state_dict_type: {kind}`, which leaves no model at the end: set it to "
            "FULL_STATE_DICT"
        )
    if merges:
        yield "--merge_adapter: the model is divided over processes; save the adapter, and merge it afterwards"


def _of_settings(path: Path) -> Iterator[str]:
    """Say what of a file of DeepSpeed settings cannot be."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        yield f"--deepspeed {path}: not a JSON file that can be read ({error})"
        return
    stage = settings.get("zero_optimization", {}).get("stage", 0)
    if stage not in STAGES:
        yield f"--deepspeed {path}: zero_optimization.stage {stage} is none of {', '.join(map(str, STAGES))}"
    for name in ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps"):
        if settings.get(name, "auto") != "auto":
            yield f'--deepspeed {path}: write {name} as "auto", so that the flags of this command decide it'
    if "optimizer" in settings or "scheduler" in settings:
        yield f"--deepspeed {path}: leave optimizer and scheduler out; --optim and --lr_scheduler_type decide them"
    if stage == 3 and not settings["zero_optimization"].get("stage3_gather_16bit_weights_on_model_save"):
        yield f"--deepspeed {path}: without stage3_gather_16bit_weights_on_model_save no model is saved; set it to true"
