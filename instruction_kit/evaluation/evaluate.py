"""The command: `python scripts/evaluate.py`, or `python -m instruction_kit.evaluation.evaluate`.

A built folder and a model go in; tables in the terminal and the files of `instruction_kit.evaluation.files` come out.
Flags that the tuning script has too keep their names. One process measures, on one device.
"""

import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from instruction_kit.build.manifest import read_manifest
from instruction_kit.errors import EvaluationError, InstructionKitError, MissingExtraError
from instruction_kit.evaluation.arguments import EvaluationArguments, parse, settle
from instruction_kit.evaluation.files import REPORT_JSON, write_report
from instruction_kit.evaluation.folder import read_pairs
from instruction_kit.evaluation.report import BASELINE, MODEL, Report, Run
from instruction_kit.evaluation.summary import summarise
from instruction_kit.evaluation.table import report_table
from instruction_kit.token.layout import Asked, Layout, find_layout
from instruction_kit.token.layout import settle as settle_layout

PACKAGES = ("torch", "transformers", "peft", "matplotlib")
"""What must be installed; all of the extra `tune`."""


def evaluate(dataset_name: str | Path, *, console: Console | None = None, **flags: object) -> Report:
    """Measure, write the files into `output_dir`, and return the report.

    Args:
        dataset_name: the folder of a built mixture.
        console: where progress is shown; without it nowhere.
        flags: `model_name_or_path`, `output_dir`, and any other flag under its own name.

    Raises:
        MissingExtraError: the packages of the extra `tune` are not installed.
        BuildError: `dataset_name` is no built folder.
        EvaluationError: wrong flags, nothing to measure, or no model to measure.

    """
    return _run(settle({"dataset_name": dataset_name, **flags}), console)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 1 on an error, which says what to mend."""
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        report = _run(arguments, Console(stderr=True))
    except InstructionKitError as error:
        sys.stderr.write(f"evaluate: {error}\n")
        return 1
    console = Console()
    console.print(report_table(report))
    written = (
        f"\nWritten: {Path(arguments.output_dir) / REPORT_JSON}, with report.md, report.png and rows.parquet beside it"
    )
    console.print(written, markup=False, highlight=False, soft_wrap=True)
    return 0


def _run(arguments: EvaluationArguments, console: Console | None) -> Report:
    _check_surroundings()
    asked = _asked(arguments)
    manifest = read_manifest(arguments.dataset_name)
    splits = dict.fromkeys(arguments.split)
    pairs = pl.concat(
        [read_pairs(arguments.dataset_name, split=split, max_rows=arguments.max_rows) for split in splits]
    )
    device = arguments.device or _device()
    joiner = str(manifest.mixture["joiner"])
    rows, layout = _measure(arguments, pairs, asked, joiner=joiner, device=device, console=console)
    run = Run(
        dataset=manifest.fingerprint,
        models={role: _without_path(name) for role, name in _models(arguments).items()},
        layout=layout.model_dump_json(exclude_defaults=True),
        dtype=arguments.dtype,
        device=device.partition(":")[0],
        max_rows=arguments.max_rows,
        versions=_versions(),
    )
    report = summarise(rows, run=run)
    write_report(arguments.output_dir, report, rows)
    return report


def _measure(
    arguments: EvaluationArguments,
    pairs: pl.DataFrame,
    asked: Asked,
    *,
    joiner: str,
    device: str,
    console: Console | None,
) -> tuple[pl.DataFrame, Layout]:
    """Measure the model, then its baseline in the same layout; only one of them is in memory at a time."""
    from instruction_kit.evaluation.measure import measure, num_sequences
    from instruction_kit.evaluation.model import Loaded, load_model

    def load(name: str, *, revision: str | None) -> Loaded:
        return load_model(
            name,
            dtype=arguments.dtype,
            device=device,
            revision=revision,
            attn_implementation=arguments.attn_implementation,
            trust_remote_code=arguments.trust_remote_code,
        )

    def scored(loaded: Loaded, layout: Layout, *, role: str) -> pl.DataFrame:
        bar = progress.add_task(role, total=num_sequences(pairs))
        return measure(
            *loaded,
            layout,
            pairs,
            batch_size=arguments.per_device_eval_batch_size,
            name=role,
            advance=partial(progress.advance, bar),
        )

    name, revision = arguments.model_name_or_path, arguments.model_revision
    with _progress(console) as progress:
        loaded = load(name, revision=revision)
        recorded = find_layout(name, revision=revision)
        layout = settle_layout(loaded.tokenizer, name=name, joiner=joiner, asked=asked, recorded=recorded)
        template = loaded.tokenizer.chat_template
        frames = [scored(loaded, layout, role=MODEL)]
        del loaded
        if arguments.baseline is not None:
            baseline = load(arguments.baseline, revision=None)
            baseline.tokenizer.chat_template = template  # of the layout that it is measured in
            frames.append(scored(baseline, layout, role=BASELINE))
    return pl.concat(frames), layout


def _asked(arguments: EvaluationArguments) -> Asked:
    asked = Asked(arguments.layout, arguments.system_message, arguments.chat_template_kwargs)
    if asked.problems():
        raise EvaluationError("\n".join(asked.problems()))
    return asked


def _models(arguments: EvaluationArguments) -> dict[str, str]:
    baseline = {} if arguments.baseline is None else {BASELINE: arguments.baseline}
    return {MODEL: arguments.model_name_or_path, **baseline}


def _check_surroundings() -> None:
    if any(find_spec(package) is None for package in PACKAGES):
        raise MissingExtraError("measuring a model", extra="tune")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise EvaluationError(
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']}: a measurement is one process, and several would write the same "
            "files; start it with python, not with accelerate launch or torchrun"
        )


def _progress(console: Console | None) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console or Console(quiet=True), disable=console is None)


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _without_path(name: str) -> str:
    """Name a model without telling where this machine keeps it."""
    return Path(name).resolve().name if Path(name).is_dir() else name


def _versions() -> dict[str, str]:
    found = {}
    for package in ("instruction-kit", "torch", "transformers"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # a checkout that is on the path and not installed
            continue
    return found


if __name__ == "__main__":
    raise SystemExit(main())
