"""The whole path on one machine, in minutes: mixture, small model, tuning, measurement before and after.

In: a mixture file. Out: a folder with the built mixture, the tuned model and a report with a picture. It shows that
the path works and that the loss is where it belongs: rows seen in training must be answered. A model this small says
nothing of generalisation.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pyarrow.parquet as pq
import typer

from instruction_kit.build.manifest import Manifest
from instruction_kit.command import Output, run_alone
from instruction_kit.errors import BuildError, EvaluationError
from instruction_kit.library import PACKAGE
from instruction_kit.mixture import Mixture

if TYPE_CHECKING:
    from instruction_kit.evaluation.report import Report

MIXTURE = PACKAGE.parent / "examples" / "demo" / "mixture.yaml"
MARK = "demo.txt"
LAST_LINE = "This shows that the path works, and nothing about generalisation."
MAX_TOKENS = 4096
"""More than any pair has: real files hold long documents, and scripts that a small tokenizer spells byte by byte."""
RECIPE = {
    "per_device_train_batch_size": 16,
    "lr_scheduler_type": "cosine",
    "warmup_steps": 20,
    "logging_steps": 50,
    "save_strategy": "no",
    "max_length": MAX_TOKENS,
}

out = Output()
err = Output(stderr=True)


def demo(  # noqa: PLR0913, PLR0917 - one for each option of the command
    mixture: Annotated[Path, typer.Argument(metavar="[MIXTURE.yaml]")] = MIXTURE,
    folder: Annotated[
        Path, typer.Option("--out", help="Where everything is written; an earlier demo there is replaced.")
    ] = Path("runs/demo"),
    data_dir: Annotated[Path | None, typer.Option(help="What relative paths of Files sources resolve against.")] = None,
    num_pairs: Annotated[
        int | None, typer.Option(min=1, help="Training pairs in all; by default what the mixture says.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1)] = 11,
    learning_rate: Annotated[float, typer.Option(min=0)] = 2e-3,
    hidden_size: Annotated[int, typer.Option(help="Width of the model, a multiple of 16.")] = 128,
    rows_per_task: Annotated[int, typer.Option(min=1, help="Measured rows of each task.")] = 8,
    expect_seen: Annotated[float, typer.Option(help="Fail below this rank accuracy on rows seen in training.")] = 0.0,
) -> None:
    """Build, tune, measure.

    Raises:
        EvaluationError: the rank accuracy on rows seen in training is below `expect_seen`.

    """
    described = Mixture.from_yaml(mixture)
    if data_dir is not None:
        described = described.with_data_dir(data_dir)
    if num_pairs is not None:
        described = described.model_copy(update={"num_pairs": num_pairs})
    built = _emptied(folder) / "built"
    _step(1, "the mixture")
    _tell(described.build(built, progress=True))
    _step(2, "a small model from config, with a tokenizer trained on the spot")
    untuned = make_model(built, folder / "untuned", hidden_size=hidden_size)
    _step(3, "tuning, with the loss on the output alone")
    tuned = tune(built, untuned, folder / "tuned", epochs=epochs, learning_rate=learning_rate)
    _step(4, "measuring, before and after")
    report = measure(built, untuned, tuned, folder / "report", rows_per_task=rows_per_task)
    out.print(
        f"Report: {folder / 'report' / 'report.md'} and report.png, report.json, rows.parquet beside it",
        highlight=False,
    )
    check_seen(report, expect_seen)
    out.print(LAST_LINE)


def _emptied(folder: Path) -> Path:
    """Take an earlier demo away; never anything else."""
    if folder.exists():
        if not (folder / MARK).is_file() and any(folder.iterdir()):
            raise BuildError(f"{folder}: holds something that is no earlier demo; name another folder with --out")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).write_text(
        "Everything in this folder was written by the demo, which replaces it.\n", encoding="utf-8"
    )
    return folder


def make_model(built: Path, folder: Path, *, hidden_size: int) -> Path:
    """A model of random weights, and a tokenizer trained on the mixture's own texts."""
    from instruction_kit.training.toy import make_toy

    texts = _texts(built)
    return make_toy(folder, texts, vocab_size=2048, hidden_size=hidden_size, num_layers=2, max_positions=MAX_TOKENS)


def _texts(built: Path) -> Iterator[str]:
    for path in sorted((built / "train").glob("train-*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(columns=["prompt", "completion"]):
            for row in batch.to_pylist():
                yield row["prompt"] + row["completion"]


def tune(built: Path, untuned: Path, folder: Path, *, epochs: int, learning_rate: float) -> Path:
    """Tune through the same door as `scripts/finetune.py`."""
    from instruction_kit.training.finetune import finetune

    size = {"num_train_epochs": epochs, "learning_rate": learning_rate}
    return finetune(built, model_name_or_path=untuned, output_dir=folder, **RECIPE, **size)


def measure(built: Path, untuned: Path, tuned: Path, folder: Path, *, rows_per_task: int) -> "Report":
    """Measure through the same door as `scripts/evaluate.py`, and print the three lines."""
    from instruction_kit.evaluation.evaluate import evaluate
    from instruction_kit.evaluation.table import overview_table

    report = evaluate(
        built,
        model_name_or_path=tuned,
        baseline=untuned,
        output_dir=folder,
        split=("seen", "validation", "held_out"),
        per_device_eval_batch_size=64,
        rows_per_task=rows_per_task,
        console=err,
    )
    out.print(overview_table(report))
    return report


def check_seen(report: "Report", expected: float) -> None:
    """Rows seen in training must be answered: else the loss, the data or the measurement is not what it should be.

    Raises:
        EvaluationError: they are not.

    """
    reached = report.overall("seen")
    if reached is None or not reached >= expected:
        raise EvaluationError(
            f"rank accuracy on rows seen in training is {reached}, expected at least {expected}: "
            "look at the loss in the log above and at the report, or tune for more --epochs"
        )


def _step(number: int, what: str) -> None:
    err.print(f"[bold]{number} of 4[/bold] {what}", highlight=False)


def _tell(manifest: Manifest) -> None:
    trained = [name for name, task in manifest.tasks.items() if task.role == "train"]
    measured = [name for name, task in manifest.tasks.items() if task.role == "held_out"]
    pairs = manifest.splits["train"]["train"]
    out.print(f"{pairs:,} training pairs of {len(trained)} tasks: {', '.join(trained)}", highlight=False)
    out.print(f"held out: {', '.join(measured)}", highlight=False)


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # on a busy machine waiting threads would burn the other's time
    run_alone(demo)
