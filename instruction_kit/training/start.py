"""A run before its first step: its model loaded, its adapter put on, its trainer made.

In go a settled request and what the run reads (`feed`), out comes a `Prepared`. The same seed gives the same beginning.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from accelerate.utils import set_seed
from datasets import Dataset

from instruction_kit.errors import TrainingError
from instruction_kit.token.record import TokenRecord
from instruction_kit.training.adapter import put_on
from instruction_kit.training.card import Tuning
from instruction_kit.training.even import evened
from instruction_kit.training.feed import Feed, read_feed, rows_per_step
from instruction_kit.training.model import check_fit, load_model
from instruction_kit.training.request import Request
from instruction_kit.training.resume import FORMAT_VERSION, RunRecord, checkpoint_of, shard_hashes
from instruction_kit.training.sharded import divide_on_cpus, warn_of_one_process
from instruction_kit.training.trainer import KitTrainer, RunTrainer
from instruction_kit.training.two_sided import TwoSidedTrainer

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

logger = logging.getLogger(__name__)


class Prepared(NamedTuple):
    """A run that stands before its first step."""

    trainer: RunTrainer
    rows: Dataset
    record: TokenRecord
    checkpoint: Path | None


def prepare(request: Request) -> Prepared:
    """Write the token shards, load the model, and set up the trainer."""
    refuse_several_gpus(request)
    feed = read_feed(request, checkpoint=checkpoint_of(request.resume, request.output))
    return prepare_on(load_base(request, [feed]), request, feed)


def refuse_several_gpus(request: Request) -> None:
    """Refuse one process with several GPUs, over which transformers would copy the model."""
    if request.config.n_gpu > 1:
        raise TrainingError(
            f"{request.config.n_gpu} GPUs are visible to one process; start with `accelerate launch`, "
            "or show one of them: CUDA_VISIBLE_DEVICES=0"
        )


def load_base(request: Request, feeds: list[Feed]) -> "PreTrainedModel":
    """Load the model that runs begin with, and see that it fits what they read."""
    set_seed(request.config.seed)
    model = load_model(request.model)
    _warn_quadratic(model, request)
    for feed in feeds:
        check_fit(model, feed.record, feed.encoder)
    warn_of_one_process()
    divide_on_cpus()
    return model


def prepare_on(model: "PreTrainedModel", request: Request, feed: Feed) -> Prepared:
    """Set up the trainer of a run over a model that is loaded."""
    tuning = Tuning(feed.manifest, feed.record, request.model, request.config, merged=request.merge_adapter)
    kind = TwoSidedTrainer if model.config.is_encoder_decoder else KitTrainer
    trainer = kind(
        encoder=feed.encoder,
        run=_run_record(request, feed.record),
        tuning=tuning,
        watched=feed.watched,
        built=request.built,
        model=_adapted(model, request),
        args=request.config,
        train_dataset=evened(feed.rows, request.config),
        eval_dataset=None if request.config.eval_strategy == "no" else feed.rows,  # asked for, and never read
    )
    if trainer.accelerator.is_fsdp2:
        logger.info("the model is divided over %d processes by FSDP2", trainer.accelerator.num_processes)
    if feed.before is not None:
        trainer.count_from(feed.before.num_tokens)
    return Prepared(trainer, feed.rows, feed.record, feed.checkpoint)


def _adapted(model: "PreTrainedModel", request: Request) -> "PreTrainedModel | PeftModel":
    """Put the adapter on, where one is asked for; the same seed draws the same one."""
    if request.adapter is None:
        return model
    set_seed(request.config.seed)
    revision = None if Path(request.model.name).is_dir() else request.model.revision
    return put_on(model, request.adapter, revision=revision)


def _warn_quadratic(model: "PreTrainedModel", request: Request) -> None:
    """Warn where rows of one batch would be attended over as one long row."""
    rows, kind = request.config.per_device_train_batch_size, model.config._attn_implementation  # noqa: SLF001
    if request.wanted.packing and rows > 1 and not str(kind).startswith(("flash", "kernels")):
        logger.warning(
            "--packing with --per_device_train_batch_size %d: %s attends over %d rows as over one; take 1, and "
            "--gradient_accumulation_steps %d",
            rows, kind, rows, rows * request.config.gradient_accumulation_steps,
        )  # fmt: skip


def _run_record(request: Request, record: TokenRecord) -> RunRecord:
    return RunRecord(
        format_version=FORMAT_VERSION,
        identity=record.identity,
        shards=shard_hashes(record),
        adapter=request.adapter,
        rows_per_step=rows_per_step(request.config),
        step=0,
        num_tokens=0,
    )
