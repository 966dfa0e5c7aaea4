"""What a run reads before its model is loaded: its token rows, what is measured meanwhile, where it goes on.

In go a settled request and the checkpoint to go on from, out comes a `Feed`. The token shards are written here, or
found; a checkpoint of something else is refused before that. All of it is the same on every process.
"""

import logging
from pathlib import Path
from typing import NamedTuple

from accelerate import PartialState
from datasets import Dataset, concatenate_datasets
from trl.trainer.sft_config import SFTConfig

from instruction_kit.build.manifest import Manifest, read_manifest
from instruction_kit.errors import NoPairsError
from instruction_kit.token.encode import encoder_of
from instruction_kit.token.encoder import Encoder
from instruction_kit.token.found import fitting
from instruction_kit.token.layout import find_layout
from instruction_kit.token.record import TokenRecord
from instruction_kit.token.settle import settle
from instruction_kit.token.shard import Wanted, identity_of, names_of, num_pairs, tokenise
from instruction_kit.training.held_out import held_out_pairs
from instruction_kit.training.model import has_encoder, load_tokenizer
from instruction_kit.training.request import Request
from instruction_kit.training.resume import RunRecord, check_same, check_tokens
from instruction_kit.training.two_sided import refuse_causal_only
from instruction_kit.training.watch import Watched, check_watched

logger = logging.getLogger(__name__)

TOKENS = "tokens"


class Feed(NamedTuple):
    """What a run is trained on and measured by."""

    manifest: Manifest
    encoder: Encoder
    record: TokenRecord
    rows: Dataset
    watched: Watched
    checkpoint: Path | None
    before: RunRecord | None
    """The checkpoint's own record."""


def read_feed(request: Request, *, checkpoint: Path | None) -> Feed:
    """Write or find the token shards, and read all else that a run takes from the built folder.

    Raises:
        InstructionKitError: the mixture, the tokenizer or the checkpoint is not what such a run can take.

    """
    manifest = read_manifest(request.built)
    encoder = _encoder(request, manifest)
    before = None if checkpoint is None else _before(request, manifest, encoder, checkpoint)
    record = _tokens(request, encoder)
    if checkpoint is not None:
        check_tokens(checkpoint, record)
    rows = _rows(_folder(request), record)
    watched = _watched(request, manifest, encoder)
    return Feed(manifest, encoder, record, rows, watched, checkpoint, before)


def rows_per_step(config: SFTConfig) -> int:
    """Count the rows of one optimiser step over all processes."""
    return int(config.per_device_train_batch_size * config.gradient_accumulation_steps * config.world_size)


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


def _before(request: Request, manifest: Manifest, encoder: Encoder, checkpoint: Path) -> RunRecord:
    """Hold the checkpoint against this run, before a token is written."""
    identity = identity_of(manifest, encoder, request.wanted)
    rows = rows_per_step(request.config)
    return check_same(checkpoint, identity=identity, rows_per_step=rows, adapter=request.adapter)


def _folder(request: Request) -> Path:
    return request.tokens or request.output / TOKENS


def _tokens(request: Request, encoder: Encoder) -> TokenRecord:
    """Write the token shards of what is trained on, or find those that are there."""
    if request.tokens is None:
        record = _written(request, _folder(request), encoder, request.wanted)
    else:
        record = fitting(request.tokens, identity_of(read_manifest(request.built), encoder, request.wanted))
    if PartialState().is_main_process:
        _tell(record)
    return record


def _written(request: Request, folder: Path, encoder: Encoder, wanted: Wanted) -> TokenRecord:
    """Write token shards: one process of each machine does, the others find them there."""
    state = PartialState()

    def written() -> TokenRecord | NoPairsError:
        try:
            return tokenise(
                request.built,
                folder,
                wanted,
                encoder=encoder,
                accept_dropped=request.accept_dropped,
                show_progress=state.is_local_main_process and not request.config.disable_tqdm,
            )
        except NoPairsError as error:  # every process finds it, and none may wait for another that has gone on
            return error

    if state.is_main_process:
        written()
    state.wait_for_everyone()
    with state.local_main_process_first():  # machines that do not share the folder write their own
        found = written()
    if isinstance(found, NoPairsError):
        raise found
    return found


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
    """Map token shards into memory, in their order."""
    return concatenate_datasets([Dataset.from_file(str(folder / shard.path)) for shard in record.shards])


def _watched(request: Request, manifest: Manifest, encoder: Encoder) -> Watched:
    """Read what is measured while the model is tuned; nothing where nothing is to be evaluated."""
    if request.config.eval_strategy == "no":
        return Watched()
    validation: Dataset | None = None
    names: tuple[str, ...] = ()
    if num_pairs(manifest, names_of(manifest, request.wanted.cluster), split="validation"):
        folder = request.output / TOKENS / "validation"
        record = _written(request, folder, encoder, request.wanted._replace(split="validation"))
        validation, names = _rows(folder, record), tuple(record.task_names)
    held_out = held_out_pairs(request.built, manifest, rows_per_task=request.held_out_rows)
    watched = Watched(validation, names, held_out)
    clusters = {name: task.cluster for name, task in manifest.tasks.items()}
    check_watched(watched, clusters, chosen_by=request.config.metric_for_best_model)
    return watched
