"""The command: `python scripts/evaluate.py`, or `python -m instruction_kit.evaluation.evaluate`.

A built folder and a model go in; tables in the terminal and the files of `instruction_kit.evaluation.files` come out.
Flags that the tuning script has too keep their names. One process measures, on one device.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from instruction_kit.build.manifest import read_manifest
from instruction_kit.errors import EvaluationError, InstructionKitError, MissingExtraError
from instruction_kit.evaluation.arguments import EvaluationArguments, parse, settle
from instruction_kit.evaluation.files import REPORT_JSON, write_report
from instruction_kit.evaluation.report import BASELINE, MODEL, Report, Run
from instruction_kit.evaluation.summary import summarise
from instruction_kit.evaluation.table import report_table
from instruction_kit.evaluation.work import Work, weights_of
from instruction_kit.token.settle import Asked

PACKAGES = ("torch", "transformers", "peft", "matplotlib")
"""What must be installed; all of the extra `tune`."""
INTERRUPTED = 130
"""What a shell expects of a command that Ctrl-C ended: 128 and the number of the signal."""


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
    """Run the command; 1 on an error, which says what to mend, 130 where it was stopped by Ctrl-C."""
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        report = _run(arguments, Console(stderr=True))
    except InstructionKitError as error:
        sys.stderr.write(f"evaluate: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("evaluate: stopped; the same command goes on from what is measured\n")
        return INTERRUPTED
    console = Console()
    console.print(report_table(report))
    others = "report.html, report.md, report.png and rows.parquet"
    written = f"\nWritten: {Path(arguments.output_dir) / REPORT_JSON}, with {others} beside it"
    console.print(written, markup=False, highlight=False, soft_wrap=True)
    return 0


def _run(arguments: EvaluationArguments, console: Console | None) -> Report:
    _check_surroundings()
    asked, device = _asked(arguments), arguments.device or _device()
    manifest = read_manifest(arguments.dataset_name)
    models = _models(arguments)
    work = Work(arguments.output_dir, manifest.fingerprint, *_decisive(arguments, device), *_weights(models))
    from instruction_kit.evaluation.run import measure_models

    joiner = str(manifest.mixture["joiner"])
    rows, layout = measure_models(arguments, work, asked=asked, joiner=joiner, device=device, console=console)
    run = Run(
        dataset=manifest.fingerprint,
        models={role: _without_path(name) for role, name in models.items()},
        layout=layout.model_dump_json(exclude_defaults=True),
        dtype=arguments.dtype,
        device=device.partition(":")[0],
        rows_per_task=arguments.num_rows,
        generation=json.dumps(arguments.generation),
        versions=_versions(),
    )
    report = summarise(rows, run=run)
    write_report(arguments.output_dir, report, rows)
    work.end()
    return report


def _decisive(arguments: EvaluationArguments, device: str) -> list[str]:
    """What decides the figures, beside the data and the weights."""
    others = {"dataset_name", "model_name_or_path", "baseline", "output_dir", "device"}
    return [arguments.model_dump_json(exclude=others), device.partition(":")[0], json.dumps(_versions())]


def _weights(models: Mapping[str, str]) -> list[str]:
    return [f"{role} {weights_of(name)}" for role, name in models.items()]


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
