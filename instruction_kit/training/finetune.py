"""Tune a language model on a built mixture: the main of `scripts/finetune.py` and of `accelerate launch -m`.

In goes the folder of a built mixture and a model, out comes a folder with the tuned model or an adapter over it, its
tokenizer, its layout (`instruction_kit.json`), a model card and the run's record. The rows become tokens here, before
TRL sees them, and no step is taken before the place of the loss is proved on them.
`python -m instruction_kit.training.finetune --help` lists the flags.
"""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from accelerate import PartialState
from accelerate.utils import set_seed
from datasets import Dataset, concatenate_datasets
from rich.console import Console

from instruction_kit.build.manifest import Manifest, read_manifest
from instruction_kit.errors import InstructionKitError, TrainingError
from instruction_kit.token.encode import encoder_of
from instruction_kit.token.encoder import Encoder
from instruction_kit.token.layout import find_layout, settle
from instruction_kit.token.record import TokenRecord
from instruction_kit.token.shard import Wanted, fitting, identity_of, tokenise
from instruction_kit.training.adapter import put_on
from instruction_kit.training.card import Tuning
from instruction_kit.training.document import COLLATED
from instruction_kit.training.flag import Request, as_arguments, parse
from instruction_kit.training.held_out import held_out_pairs
from instruction_kit.training.look import batch_lines
from instruction_kit.training.model import check_fit, has_encoder, is_finite, load_model, load_tokenizer
from instruction_kit.training.page import write_page
from instruction_kit.training.probe import prove_apart
from instruction_kit.training.resume import (
    FORMAT_VERSION,
    RunRecord,
    check_same,
    check_tokens,
    checkpoint_of,
    is_finished,
    shard_hashes,
    write_run,
)
from instruction_kit.training.sharded import divide_on_cpus
from instruction_kit.training.span import prove_spans
from instruction_kit.training.trainer import KitTrainer, RunTrainer
from instruction_kit.training.two_sided import TwoSidedTrainer, refuse_causal_only
from instruction_kit.training.watch import Watched, check_watched

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel
    from trl.trainer.sft_config import SFTConfig

logger = logging.getLogger("instruction_kit.training.finetune")  # also where it is the main module

TOKENS = "tokens"


def finetune(dataset_name: str | Path, **flags: object) -> Path:
    """Tune a model on a built mixture; keyword arguments are the flags of the command line.

    Args:
        dataset_name: the folder of a built mixture.
        flags: `model_name_or_path`, `output_dir`, and any other flag under its own name.

    Returns:
        The folder with the tuned model.

    Raises:
        InstructionKitError: the flags, the tokens or the model would make the run go wrong.

    """
    return _run(parse(as_arguments({"dataset_name": dataset_name, **flags})))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    logging.basicConfig(format="%(message)s")
    if int(os.environ.get("RANK", "0")) == 0:
        logging.getLogger("instruction_kit").setLevel(logging.INFO)
    try:
        _run(parse(sys.argv[1:] if arguments is None else arguments))
    except InstructionKitError as error:
        sys.stderr.write(f"finetune: {error}\n")
        return 1
    return 0


class Prepared(NamedTuple):
    """A run that stands before its first step."""

    trainer: RunTrainer
    rows: Dataset
    record: TokenRecord
    checkpoint: Path | None


def prepare(request: Request) -> Prepared:
    """Write the token shards, load the model, and set up the trainer."""
    output = Path(str(request.config.output_dir))
    if request.config.n_gpu > 1:
        raise TrainingError(
            f"{request.config.n_gpu} GPUs are visible to one process; start with `accelerate launch`, "
            "or show one of them: CUDA_VISIBLE_DEVICES=0"
        )
    checkpoint = checkpoint_of(request.resume, output)
    manifest = read_manifest(request.built)
    encoder = _encoder(request, manifest)
    before = None if checkpoint is None else _before(request, manifest, encoder, checkpoint)
    record = _tokens(request, _folder(request), encoder)
    if checkpoint is not None:
        check_tokens(checkpoint, record)
    rows = _rows(_folder(request), record)
    tuning = Tuning(manifest, record, request.model, request.config, merged=request.merge_adapter)
    watched = _watched(request, manifest, encoder, tuning.clusters)
    set_seed(request.config.seed)
    model = load_model(request.model)
    _warn_quadratic(model, request)
    check_fit(model, record, encoder)
    divide_on_cpus()
    kind = TwoSidedTrainer if model.config.is_encoder_decoder else KitTrainer
    trainer = kind(
        encoder=encoder,
        run=_run_record(request, record),
        tuning=tuning,
        watched=watched,
        built=request.built,
        model=_adapted(model, request),
        args=request.config,
        train_dataset=rows,
        eval_dataset=None if request.config.eval_strategy == "no" else rows,  # asked for, and never read
    )
    if trainer.accelerator.is_fsdp2:
        logger.info("the model is divided over %d processes by FSDP2", trainer.accelerator.num_processes)
    if before is not None:
        trainer.count_from(before.num_tokens)
    return Prepared(trainer, rows, record, checkpoint)


def _run(request: Request) -> Path:
    trainer, rows, record, checkpoint = prepare(request)
    output = Path(str(request.config.output_dir))
    if _is_finished(request, trainer):
        logger.info("%s: finished at its last step, %d; nothing is left to do", output, trainer.last_step())
        _leave(trainer)
        return output
    if request.wanted.packing:
        autocast, name = trainer.accelerator.autocast(), request.model.name
        prove_apart(cast("torch.nn.Module", trainer.model), trainer.data_collator, rows, autocast=autocast, name=name)
        logger.info("packed pairs do not see each other: each is scored as it is alone")
    proved = prove_spans(trainer.data_collator, rows, encoder=trainer.encoder, built=request.built)
    logger.info("%d pairs of %d tasks read back: the loss is on the output alone", proved, len(record.tasks))
    if request.inspect:
        _show_batch(trainer, rows)
        return output
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    _save(trainer, output)
    return output


def _is_finished(request: Request, trainer: RunTrainer) -> bool:
    """Whether a run that is to go on by itself has nothing left to do."""
    return (
        (request.resume or "").lower() == "true"
        and not request.inspect
        and is_finished(
            Path(str(request.config.output_dir)),
            trainer.run,
            last_step=trainer.last_step(),
            chosen=bool(request.config.load_best_model_at_end),
            merged=request.merge_adapter,
        )
    )


def _show_batch(trainer: RunTrainer, rows: Dataset) -> None:
    """Show the batch that the first step of this process would take."""
    if trainer.accelerator.is_main_process:
        items = [rows[number] for number in range(min(len(rows), trainer.args.per_device_train_batch_size))]
        batch = trainer.data_collator(
            [{name: item[name] for name in COLLATED if item[name] is not None} for item in items]
        )
        console = Console(highlight=False)
        for line in batch_lines(batch, items, trainer.encoder, colour=console.is_terminal):
            console.print(line, soft_wrap=True)


def _encoder(request: Request, manifest: Manifest) -> Encoder:
    tokenizer, name = load_tokenizer(request.model), request.model.name
    recorded = find_layout(name, revision=request.model.revision)
    joiner = str(manifest.mixture["joiner"])
    two_sided = has_encoder(request.model)
    if two_sided:
        refuse_causal_only(request.config, name=name)
    layout = settle(
        tokenizer, name=name, joiner=joiner, asked=request.layout, recorded=recorded, encoder_decoder=two_sided
    )
    return encoder_of(tokenizer, layout)


def _folder(request: Request) -> Path:
    return request.tokens or Path(str(request.config.output_dir)) / TOKENS


def _tokens(request: Request, folder: Path, encoder: Encoder) -> TokenRecord:
    """Write the token shards of what is trained on, or find those that are there."""
    if request.tokens is None:
        record = _written(request, folder, encoder, request.wanted)
    else:
        record = fitting(request.tokens, identity_of(read_manifest(request.built), encoder, request.wanted))
    if PartialState().is_main_process:
        _tell(record)
    return record


def _watched(request: Request, manifest: Manifest, encoder: Encoder, clusters: dict[str, str]) -> Watched:
    """Read what is measured while the model is tuned; nothing where nothing is to be evaluated."""
    if request.config.eval_strategy == "no":
        return Watched()
    validation: Dataset | None = None
    names: tuple[str, ...] = ()
    if manifest.splits.get("train", {}).get("validation"):
        folder = Path(str(request.config.output_dir)) / TOKENS / "validation"
        record = _written(request, folder, encoder, request.wanted._replace(split="validation"))
        validation, names = _rows(folder, record), tuple(record.task_names)
    held_out = held_out_pairs(request.built, manifest, rows_per_task=request.held_out_rows)
    watched = Watched(validation, names, held_out)
    check_watched(watched, clusters, chosen_by=request.config.metric_for_best_model)
    return watched


def _written(request: Request, folder: Path, encoder: Encoder, wanted: Wanted) -> TokenRecord:
    """Write token shards: one process of each machine does, the others find them there."""
    state = PartialState()

    def written() -> TokenRecord:
        return tokenise(
            request.built,
            folder,
            wanted,
            encoder=encoder,
            accept_dropped=request.accept_dropped,
            show_progress=state.is_local_main_process and not request.config.disable_tqdm,
        )

    if state.is_main_process:
        written()
    state.wait_for_everyone()
    with state.local_main_process_first():  # machines that do not share the folder write their own
        return written()


def _before(request: Request, manifest: Manifest, encoder: Encoder, checkpoint: Path) -> RunRecord:
    """Hold the checkpoint against this run, before a token is written."""
    identity = identity_of(manifest, encoder, request.wanted)
    rows_per_step = _rows_per_step(request.config)
    return check_same(checkpoint, identity=identity, rows_per_step=rows_per_step, adapter=request.adapter)


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


def _rows_per_step(config: "SFTConfig") -> int:
    return int(config.per_device_train_batch_size * config.gradient_accumulation_steps * config.world_size)


def _run_record(request: Request, record: TokenRecord) -> RunRecord:
    return RunRecord(
        format_version=FORMAT_VERSION,
        identity=record.identity,
        shards=shard_hashes(record),
        adapter=request.adapter,
        rows_per_step=_rows_per_step(request.config),
        step=0,
        num_tokens=0,
    )


def _tell(record: TokenRecord) -> None:
    """Log what became of each task's pairs; losses are a warning."""
    mixing, rows = record.mixing, "packs" if record.identity.packing else "rows"
    logger.info(
        "%d pairs in %d %s, filled to %.1f%%, task entropy %.2f of %.2f bits, ids by %s %s",
        record.pairs, record.rows, rows, 100 * mixing.fill, mixing.task_entropy, mixing.task_entropy_of_all,
        record.engine.name, record.engine.version,
    )  # fmt: skip
    for name, task in record.tasks.items():
        logger.info("%s: %d pairs, %d loss tokens, longest %d", name, task.pairs, task.loss_tokens, task.longest)
        whole = task.pairs + sum(task.dropped.values())
        for reason, pairs in task.dropped.items():
            logger.warning("%s: %d of %d pairs dropped, %s", name, pairs, whole, reason)


def _rows(folder: Path, record: TokenRecord) -> Dataset:
    """Map the token shards into memory, in their order."""
    return concatenate_datasets([Dataset.from_file(str(folder / shard.path)) for shard in record.shards])


def _save(trainer: RunTrainer, output: Path) -> None:
    if not is_finite(cast("torch.nn.Module", trainer.model)):
        raise TrainingError(
            "the last step left weights that are no numbers, so nothing was saved; lower --learning_rate "
            "and go on from the last checkpoint"
        )
    if trainer.run.adapter is None or not trainer.tuning.merged:
        trainer.save_model()
    elif trainer.args.should_save:
        trainer.save_merged(output)
    trainer.save_state()
    if trainer.args.should_save:
        write_run(output, trainer.run_so_far())
        for path in write_page(output):
            logger.info("written: %s", path)
    _leave(trainer)


def _leave(trainer: RunTrainer) -> None:
    """Take the process group down, the wrapped model before it.

    Where the wrapper (torch's DistributedDataParallel) goes last, it ends the group with Python's lock held, and waits
    for a thread of gloo's that needs the lock to free the last gathered tensors: some runs never ended.
    """
    trainer.model_wrapped = cast("torch.nn.Module", trainer.model)
    trainer.accelerator.free_memory()
    trainer.end()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    sys.exit(main())
