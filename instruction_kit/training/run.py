"""One run from its proofs to its files.

In goes a run that stands before its first step, out comes its folder: the tuned model or the adapter, with all that
lies beside it. No step is taken before the place of the loss is proved on the rows, and nothing is saved that is no
number.
"""

import logging
from typing import TYPE_CHECKING, cast

from rich.console import Console

from instruction_kit.errors import TrainingError
from instruction_kit.training.document import COLLATED
from instruction_kit.training.look import batch_lines
from instruction_kit.training.model import is_finite
from instruction_kit.training.page import write_page
from instruction_kit.training.probe import prove_apart
from instruction_kit.training.request import Request
from instruction_kit.training.resume import is_finished, write_run
from instruction_kit.training.span import prove_spans
from instruction_kit.training.start import Prepared
from instruction_kit.training.trainer import RunTrainer

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)


def run(request: Request, prepared: Prepared) -> None:
    """Prove, take the steps that are left, and save; or show the first batch, where that is asked for."""
    trainer = prepared.trainer
    if has_nothing_left(request, trainer):
        logger.info("%s: finished at its last step, %d; nothing is left to do", request.output, trainer.last_step())
        return
    _prove(request, prepared)
    if request.inspect:
        _show_batch(prepared)
        return
    checkpoint = prepared.checkpoint
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    _save(request, trainer)


def has_nothing_left(request: Request, trainer: RunTrainer) -> bool:
    """Whether a run that is to go on by itself is finished."""
    return (
        (request.resume or "").lower() == "true"
        and not request.inspect
        and is_finished(
            request.output,
            trainer.run,
            last_step=trainer.last_step(),
            chosen=bool(request.config.load_best_model_at_end),
            merged=request.merge_adapter,
        )
    )


def release(trainer: RunTrainer) -> None:
    """Let go of what a trainer holds beside its model: the wrapped model, the optimiser."""
    trainer.model_wrapped = cast("torch.nn.Module", trainer.model)
    trainer.accelerator.free_memory()


def leave(trainer: RunTrainer) -> None:
    """Take the process group down, the wrapped model before it.

    Where the wrapper (torch's DistributedDataParallel) goes last, it ends the group with Python's lock held, and waits
    for a thread of gloo's that needs the lock to free the last gathered tensors: some runs never ended.
    """
    release(trainer)
    trainer.end()  # type: ignore[no-untyped-call]


def _prove(request: Request, prepared: Prepared) -> None:
    """Prove that packed pairs do not see each other, and that the loss is on the outputs."""
    trainer, rows, record, _ = prepared
    if request.wanted.packing:
        autocast, name = trainer.accelerator.autocast(), request.model.name
        prove_apart(cast("torch.nn.Module", trainer.model), trainer.data_collator, rows, autocast=autocast, name=name)
        logger.info("packed pairs do not see each other: each is scored as it is alone")
    proved = prove_spans(trainer.data_collator, rows, encoder=trainer.encoder, built=request.built)
    logger.info("%d pairs of %d tasks read back: the loss is on the output alone", proved, len(record.tasks))


def _show_batch(prepared: Prepared) -> None:
    """Show the batch that the first step of this process would take."""
    trainer, rows = prepared.trainer, prepared.rows
    if trainer.accelerator.is_main_process:
        items = [rows[number] for number in range(min(len(rows), trainer.args.per_device_train_batch_size))]
        batch = trainer.data_collator(
            [{name: item[name] for name in COLLATED if item[name] is not None} for item in items]
        )
        console = Console(highlight=False)
        for line in batch_lines(batch, items, trainer.encoder, colour=console.is_terminal):
            console.print(line, soft_wrap=True)


def _save(request: Request, trainer: RunTrainer) -> None:
    if not is_finite(cast("torch.nn.Module", trainer.model)):
        raise TrainingError(
            "the last step left weights that are no numbers, so nothing was saved; lower --learning_rate "
            "and go on from the last checkpoint"
        )
    if trainer.run.adapter is None or not trainer.tuning.merged:
        trainer.save_model()
    elif trainer.args.should_save:
        trainer.save_merged(request.output)
    trainer.save_state()
    if trainer.args.should_save:
        write_run(request.output, trainer.run_so_far())
        for path in write_page(request.output):
            logger.info("written: %s", path)
