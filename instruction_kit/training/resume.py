"""Going on from a checkpoint, and only with the data that it was tuned on.

A run's record lies in each of its checkpoints and in its output folder. It is written after all else of a checkpoint,
so a checkpoint without one was cut short and is not gone on from. TRL checks none of this.
"""

import json
import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from instruction_kit.build.commit import write_text
from instruction_kit.errors import TrainingError
from instruction_kit.token.record import Identity, TokenRecord, differences
from instruction_kit.training.adapter import Adapter

FORMAT_VERSION: Literal[1] = 1
RUN_FILE = "instruction_kit_run.json"
ADAPTERS_FILE = "adapters.json"
"""Beside the folders of several adapters."""
OPTIMIZERS = ("optimizer.pt", "optimizer.bin")
"""The optimiser's state in a checkpoint: of a whole model, and of one divided by FSDP2; DeepSpeed has a folder."""


class RunRecord(BaseModel):
    """What a checkpoint was tuned on, and how far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1]
    identity: Identity
    """What decided the tokens."""
    shards: list[str]
    """Hashes of the token shards in their order."""
    adapter: Adapter | None = None
    """What is trained beside the model's own weights; None where these are tuned."""
    rows_per_step: int
    """Rows of one optimiser step over all processes: with another number, the rows to skip would be others."""
    step: int
    num_tokens: int
    """Tokens seen so far; TRL counts from 0 again when it goes on."""
    chosen_step: int | None = None
    """The step of the checkpoint that was loaded at the end, where one was chosen as the best."""


def write_run(folder: str | Path, run: RunRecord) -> None:
    """Write the record beside a model or a checkpoint."""
    write_text(Path(folder) / RUN_FILE, run.model_dump_json(indent=2) + "\n")


def read_run(folder: str | Path) -> RunRecord:
    """Read the record of a checkpoint.

    Raises:
        TrainingError: there is none.

    """
    path = Path(folder) / RUN_FILE
    if not path.is_file():
        raise TrainingError(
            f"{folder}: no {RUN_FILE}, so this is no checkpoint of this kit, or writing it was cut short; "
            "give another --resume_from_checkpoint, or start anew with another --output_dir"
        )
    try:
        return RunRecord.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, ValidationError) as error:
        raise TrainingError(
            f"{path}: not the record of a run ({error}); start anew with another --output_dir"
        ) from error


def checkpoint_of(asked: str | None, output: Path) -> Path | None:
    """Find the checkpoint to go on from: the one that was named, or for `true` the last one that is whole.

    Raises:
        TrainingError: there is none, or nothing was asked and the folder holds a run already.

    """
    last = newest(output)
    if asked is None:
        if last is not None or any((output / name).is_file() for name in (RUN_FILE, ADAPTERS_FILE)):
            raise TrainingError(
                f"{output}: it holds a run already; go on with --resume_from_checkpoint true, "
                "or give another --output_dir"
            )
        return None
    if asked.lower() != "true":
        folder = Path(asked)
    elif last is not None:
        folder = last
    elif (output / RUN_FILE).is_file():
        raise TrainingError(f"{output}: it holds a finished run without a checkpoint; give another --output_dir")
    else:
        raise TrainingError(f"{output}: there is no whole checkpoint to go on from; leave out --resume_from_checkpoint")
    return _with_optimizer(folder)


def newest(output: Path) -> Path | None:
    """Find the last checkpoint that is whole."""
    whole = [folder for folder in checkpoints(output) if (folder / RUN_FILE).is_file()]
    return whole[-1] if whole else None


def _with_optimizer(folder: Path) -> Path:
    """Refuse a checkpoint that cannot be gone on from exactly."""
    read_run(folder)
    if not any((folder / name).exists() for name in OPTIMIZERS) and not any(folder.glob("global_step*")):
        raise TrainingError(
            f"{folder}: it has no {OPTIMIZERS[0]} (--save_only_model leaves it out), so going on would begin with a "
            "fresh optimiser; start anew with another --output_dir"
        )
    return folder


def is_finished(output: Path, run: RunRecord, *, last_step: int, chosen: bool, merged: bool) -> bool:
    """Whether the folder holds what this run would leave there: its model after its last step.

    Args:
        output: the folder of the run.
        run: this run's record at step 0.
        last_step: the step after which this run ends.
        chosen: whether the best checkpoint is loaded at the end.
        merged: whether an adapter is merged into its model at the end.

    """
    if not (output / RUN_FILE).is_file():
        return False
    there = read_run(output)
    start = there.model_copy(update={"step": run.step, "num_tokens": run.num_tokens, "chosen_step": None})
    kept_apart = (output / "adapter_config.json").is_file()
    return (start, there.step, there.chosen_step is not None, kept_apart) == (
        run,
        last_step,
        chosen,
        run.adapter is not None and not merged,
    )


def check_same(checkpoint: Path, *, identity: Identity, rows_per_step: int, adapter: Adapter | None) -> RunRecord:
    """Refuse to go on with other data or another adapter; return the checkpoint's own record.

    Raises:
        TrainingError: mixture, tokenizer, max_length, layout, rows for each step or adapter differ.

    """
    there = read_run(checkpoint)
    changed = [f"{name} {was} there, {now} here" for name, was, now in differences(there.identity, identity)]
    if there.rows_per_step != rows_per_step:
        changed.append(f"rows for each optimiser step {there.rows_per_step} there, {rows_per_step} here")
    if there.adapter != adapter:
        changed.append(f"adapter {_shown(there.adapter)} there, {_shown(adapter)} here")
    if changed:
        raise _other(checkpoint, "; ".join(changed))
    return there


def check_tokens(checkpoint: Path, record: TokenRecord) -> None:
    """Refuse token shards whose bytes are not those that the checkpoint was tuned on.

    Raises:
        TrainingError: they differ, as they do when another release of this kit or of the tokenizer wrote them.

    """
    if read_run(checkpoint).shards != shard_hashes(record):
        raise _other(checkpoint, "token shards have other bytes, written by another release")


def shard_hashes(record: TokenRecord) -> list[str]:
    """List the hashes of token shards in their order."""
    return [shard.sha256 for shard in record.shards]


def _shown(adapter: Adapter | None) -> str:
    return "none" if adapter is None else adapter.model_dump_json()


def _other(checkpoint: Path, changed: str) -> TrainingError:
    return TrainingError(
        f"{checkpoint}: what it was tuned on is not what this run would go on with: {changed}. "
        "Give the same again, or start anew with another --output_dir"
    )


def checkpoints(output: Path) -> list[Path]:
    """List checkpoints, the oldest first."""
    found = [(re.fullmatch(r"checkpoint-(\d+)", path.name), path) for path in output.glob("checkpoint-*")]
    return [path for _, path in sorted((int(match[1]), path) for match, path in found if match)]
