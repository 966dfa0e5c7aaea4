"""One adapter for each trained cluster, over one base that is loaded once and stays as it is.

In goes a request with `--adapter_per cluster`, out comes a folder for each cluster, as a run over its pairs alone would
leave it, and a table of them all. What every run reads is read before the first of them begins, so that what is wrong
with the last cluster is told at once. Each adapter is taken off again before the next is put on, and whatever a run
changed on the base goes with it. A run that was killed goes on with the cluster that was not finished.
"""

import copy
import dataclasses
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from accelerate import PartialState

from instruction_kit.build.manifest import Manifest, read_manifest
from instruction_kit.errors import NoPairsError, TrainingError
from instruction_kit.token.shard import names_of, num_pairs
from instruction_kit.training.adapter import take_off
from instruction_kit.training.cluster_table import write_table
from instruction_kit.training.feed import Feed, read_feed, rows_per_step
from instruction_kit.training.request import Request
from instruction_kit.training.resume import ADAPTERS_FILE, RUN_FILE, checkpoint_of, newest
from instruction_kit.training.run import has_nothing_left, leave, release, run
from instruction_kit.training.start import load_base, prepare_on, refuse_several_gpus

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

    from instruction_kit.training.trainer import RunTrainer

logger = logging.getLogger(__name__)

NO_PAIRS = "the mixture has no pairs of it to train on"


def tune_clusters(request: Request) -> None:
    """Tune one adapter for each cluster that the mixture trains on.

    Raises:
        InstructionKitError: one of the runs would go wrong, or there is nothing to go on with.

    """
    refuse_several_gpus(request)
    manifest = read_manifest(request.built)
    _refuse_other_run(request, manifest)
    left_out = {cluster: NO_PAIRS for cluster in _clusters(manifest) if not _pairs(manifest, cluster)}
    runs: dict[str, tuple[Request, Feed]] = {}
    for cluster in _clusters(manifest):
        if cluster not in left_out:
            own = of_cluster(request, cluster, manifest)
            try:
                runs[cluster] = own, read_feed(own, checkpoint=_checkpoint(own))
            except NoPairsError as error:
                if not request.accept_dropped:
                    raise
                left_out[cluster] = str(error).removeprefix(f"{request.built}: ")  # no file names a folder of a machine
    if not runs:
        raise TrainingError("no cluster has a pair to train on; " + "; ".join(f"{c}: {r}" for c, r in left_out.items()))
    if PartialState().is_main_process:
        _tell(runs, left_out)
    model = load_base(request, [feed for _, feed in runs.values()])
    trainer = None
    for number, (cluster, (own, feed)) in enumerate(runs.items(), start=1):
        logger.info("cluster %s, %d of %d", cluster, number, len(runs))
        trainer = _tune(model, own, feed)
    if trainer is not None:
        if trainer.args.should_save and not request.inspect:
            records = {cluster: feed.record for cluster, (_, feed) in runs.items()}
            write_table(request.output, request.model, records, left_out)
            logger.info("written: %s", request.output / ADAPTERS_FILE)
        leave(trainer)


def of_cluster(request: Request, cluster: str, manifest: Manifest) -> Request:
    """Make the request of one cluster's run: its pairs, its folder, the weights of its own tasks."""
    others = set(names_of(manifest)) - set(names_of(manifest, cluster))
    weighing = request.wanted.weighing
    own_tasks = {name: weight for name, weight in weighing.tasks.items() if name not in others}
    config = copy.copy(request.config)
    config.output_dir = str(request.output / cluster)
    return dataclasses.replace(
        request,
        wanted=request.wanted._replace(cluster=cluster, weighing=weighing.model_copy(update={"tasks": own_tasks})),
        tokens=None if request.tokens is None else request.tokens / cluster,
        config=config,
    )


def _tune(model: "PreTrainedModel", request: Request, feed: Feed) -> "RunTrainer":
    """Tune one adapter, and leave the base as it was."""
    with _forward_kept(model):
        prepared = prepare_on(model, request, feed)
        trainer = prepared.trainer
        if feed.checkpoint is None and (request.output / RUN_FILE).is_file() and not has_nothing_left(request, trainer):
            checkpoint_of("true", request.output)  # which tells that there is none
        run(request, prepared)
        release(trainer)
        take_off(cast("PeftModel", trainer.model))
    return trainer


@contextmanager
def _forward_kept(model: "PreTrainedModel") -> Iterator[None]:
    """Undo that TRL puts its own `forward` on a model: one more with each trainer, around the one before."""
    there, forward = "forward" in vars(model), model.forward
    yield
    if there:
        vars(model)["forward"] = forward
    else:
        vars(model).pop("forward", None)


def _clusters(manifest: Manifest) -> list[str]:
    """Name the clusters that have a task to train on."""
    return sorted({manifest.tasks[name].cluster for name in names_of(manifest)})


def _pairs(manifest: Manifest, cluster: str) -> int:
    return num_pairs(manifest, names_of(manifest, cluster))


def _checkpoint(request: Request) -> Path | None:
    """Find where a cluster's run goes on; it begins anew where it was not come to yet."""
    return checkpoint_of(None, request.output) if request.resume is None else newest(request.output)


def _refuse_other_run(request: Request, manifest: Manifest) -> None:
    """Refuse a folder that holds another kind of run, and to go on where nothing has begun."""
    folders = [request.output / cluster for cluster in _clusters(manifest)]
    if request.resume is None:
        checkpoint_of(None, request.output)
    elif not any(newest(folder) or (folder / RUN_FILE).is_file() for folder in folders):
        raise TrainingError(
            f"{request.output}: no cluster has a whole checkpoint to go on from; leave out --resume_from_checkpoint"
        )


def _tell(runs: dict[str, tuple[Request, Feed]], left_out: dict[str, str]) -> None:
    """Warn of clusters that get no adapter, and of those whose rows do not fill one step."""
    for cluster, reason in left_out.items():
        logger.warning("cluster %s gets no adapter: %s", cluster, reason)
    for cluster, (request, feed) in runs.items():
        rows, wanted = feed.record.rows, rows_per_step(request.config)
        if rows < wanted:
            tokens = sum(task.loss_tokens for task in feed.record.tasks.values())
            logger.warning(
                "cluster %s: %d rows with %d loss tokens, where a step takes %d rows: each of its steps sees them all",
                cluster, rows, tokens, wanted,
            )  # fmt: skip
