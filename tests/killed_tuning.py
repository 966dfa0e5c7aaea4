"""Tuning runs that are killed while they save: `python killed_tuning.py BUILT MODEL FOLDER MOMENT …`, a run each.

At the third step's checkpoint the process sends itself SIGKILL, at the moment that is named; a file that was about to
be written is left with its first half. Each run is a process of its own, forked from one that has computed nothing.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch

from instruction_kit.training import trainer as module
from instruction_kit.training.finetune import finetune
from instruction_kit.training.trainer import KitTrainer

STEPS = {"max_steps": 4, "save_steps": 1, "save_total_limit": 1, "max_length": 512, "per_device_train_batch_size": 4,
         "learning_rate": 1e-3, "lr_scheduler_type": "constant", "logging_steps": 1, "disable_tqdm": True}  # fmt: skip
MOMENTS = ("weights", "optimizer", "record", "removal")


def killed(moment: str) -> None:
    """Kill this process at a moment of the third checkpoint."""

    def at(owner: Any, name: str, *, half: bool = False) -> None:
        call = getattr(owner, name)

        def dies(*arguments: Any, **options: Any) -> Any:
            if (Path(OUTPUT[0]) / "checkpoint-3").exists():
                if half:
                    call(*arguments, **options)
                    os.truncate(arguments[1], Path(arguments[1]).stat().st_size // 2)
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        setattr(owner, name, dies)

    match moment:
        case "weights":
            at(KitTrainer, "_write_beside")
        case "optimizer":
            at(torch, "save", half=True)
        case "record":
            at(module, "write_run")
        case "removal":
            at(module, "rotate_checkpoints")


OUTPUT: list[str] = []


def main(built: str, model: str, folder: str, *moments: str) -> None:
    """Run each in a process of its own, and see that it was killed."""
    for moment in moments:
        child = os.fork()
        if not child:
            OUTPUT.append(f"{folder}/{moment}")
            killed(moment)
            finetune(built, model_name_or_path=model, output_dir=OUTPUT[0], **STEPS)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL:
            sys.exit(f"the run was not killed at: {moment}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
