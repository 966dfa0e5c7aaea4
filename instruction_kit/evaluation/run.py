"""The model, then its baseline, measured part by part; only one of them is in memory at a time.

In: the flags, and the folder in which parts are kept. Out: the rows of both, and the layout in which both were asked.
"""

from collections.abc import Callable
from functools import partial

import polars as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.arguments import EvaluationArguments
from instruction_kit.evaluation.folder import answer_places, read_choosing, read_pairs
from instruction_kit.evaluation.generate import Generation
from instruction_kit.evaluation.measure import How, amount, asked_of, measure_asked
from instruction_kit.evaluation.metrics import metric
from instruction_kit.evaluation.model import Loaded, load_model
from instruction_kit.evaluation.report import BASELINE, MODEL
from instruction_kit.evaluation.rows import PAIR, ROWS
from instruction_kit.evaluation.work import Work, parts
from instruction_kit.token.encode import encoder_of
from instruction_kit.token.layout import Layout, find_layout
from instruction_kit.token.settle import Asked, settle


def measure_models(
    arguments: EvaluationArguments, work: Work, *, asked: Asked, joiner: str, device: str, console: Console | None
) -> tuple[pl.DataFrame, Layout]:
    """Measure the model, and its baseline in the same layout."""
    how = How(arguments.protocol, Generation(**arguments.generation), answer_places(arguments.dataset_name))
    pairs = asked_of(_pairs(arguments), how.protocols)
    _check_metrics(pairs)
    name, revision = arguments.model_name_or_path, arguments.model_revision
    with _progress(console) as progress:
        loaded = _load(arguments, name, revision=revision, device=device)
        recorded = find_layout(name, revision=revision)
        two_sided = bool(loaded.model.config.is_encoder_decoder)
        layout = settle(
            loaded.tokenizer, name=name, joiner=joiner, asked=asked, recorded=recorded, encoder_decoder=two_sided
        )
        template = loaded.tokenizer.chat_template
        measured = partial(_measured, pairs=pairs, how=how, work=work, layout=layout, arguments=arguments)
        frames = [measured(loaded, role=MODEL, advance=_bar(progress, MODEL, pairs))]
        del loaded
        if arguments.baseline is not None:
            before = _load(arguments, arguments.baseline, revision=None, device=device)
            _check_alike(arguments, two_sided=two_sided, baseline=before)
            before.tokenizer.chat_template = template  # of the layout that it is measured in
            frames.append(measured(before, role=BASELINE, advance=_bar(progress, BASELINE, pairs)))
    return pl.concat(frames), layout


def _check_metrics(pairs: pl.DataFrame) -> None:
    """Name a library that is absent before answers are generated that nothing could measure."""
    generated = pairs.filter(pl.col("dropped").is_null(), ~pl.col("protocol").is_in(["rank", "likelihood"]))
    for name in generated["metrics"].explode().drop_nulls().unique().sort():
        metric(name)


def _check_alike(arguments: EvaluationArguments, *, two_sided: bool, baseline: Loaded) -> None:
    """Refuse a baseline that cannot be asked in the layout of the other model."""
    if baseline.model.config.is_encoder_decoder != two_sided:
        one = arguments.model_name_or_path if two_sided else arguments.baseline
        raise EvaluationError(
            f"--baseline {arguments.baseline}: of it and {arguments.model_name_or_path} only {one} is an "
            "encoder-decoder, so they cannot be asked in one layout; measure each by itself"
        )


def _measured(
    loaded: Loaded,
    *,
    role: str,
    pairs: pl.DataFrame,
    how: How,
    work: Work,
    layout: Layout,
    arguments: EvaluationArguments,
    advance: Callable[[int], None],
) -> pl.DataFrame:
    """Measure one model, but for the parts that are done."""
    encoder, size = encoder_of(loaded.tokenizer, layout), arguments.per_device_eval_batch_size
    frames = []
    for number, part in parts(pairs):
        found = work.done(role, number)
        if found is None:
            found = measure_asked(loaded.model, encoder, part, batch_size=size, how=how, name=role, advance=advance)
            work.keep(role, number, found)
        else:
            advance(amount(part))
        frames.append(found)
    keys = list(PAIR)
    return pairs.select(keys).join(pl.concat(frames), on=keys, maintain_order="left").select(ROWS.names())


def _pairs(arguments: EvaluationArguments) -> pl.DataFrame:
    """Read what is measured: the splits, and of held-out tasks the rows that a template is chosen on."""
    splits, num_rows = dict.fromkeys(arguments.split), arguments.num_rows
    frames = [read_pairs(arguments.dataset_name, split=split, rows_per_task=num_rows) for split in splits]
    if "held_out" in splits:
        frames.append(read_choosing(arguments.dataset_name, rows_per_task=num_rows))
    return pl.concat(frames)


def _load(arguments: EvaluationArguments, name: str, *, revision: str | None, device: str) -> Loaded:
    return load_model(
        name,
        dtype=arguments.dtype,
        device=device,
        revision=revision,
        attn_implementation=arguments.attn_implementation,
        trust_remote_code=arguments.trust_remote_code,
    )


def _bar(progress: Progress, role: str, pairs: pl.DataFrame) -> Callable[[int], None]:
    return partial(progress.advance, progress.add_task(role, total=amount(pairs)))


def _progress(console: Console | None) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console or Console(quiet=True), disable=console is None)
