"""FLAN's four directional checks as one command: the main of `scripts/experiments/flan.py`.

In: a base model and a scale. Out: a folder with every arm's mixture, model and measurements, and beside them
`experiment.json`, `experiment.md` and `experiment.png`. Started again it goes on where it was stopped. It says which
way each check points, whichever that is.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from instruction_kit.build.commit import committed, owned, write_text
from instruction_kit.command import Output, run_alone
from instruction_kit.errors import ExperimentError, nearest
from instruction_kit.experiment.arm import CHECKS, Arms, Check, CheckName
from instruction_kit.experiment.scale import SCALES, Scale, ScaleName
from instruction_kit.library import library_folder

if TYPE_CHECKING:
    from instruction_kit.experiment.outcome import CheckOutcome
    from instruction_kit.experiment.run import Runner

JSON, MARKDOWN, PICTURE = "experiment.json", "experiment.md", "experiment.png"
TOY_MODEL, WORK = "toy_model", ".work"

out = Output()
err = Output(stderr=True)


def flan(  # noqa: PLR0913, PLR0917 - one for each option of the command
    output_dir: Annotated[Path, typer.Option("--output_dir", help="Where everything is written.")],
    model_name_or_path: Annotated[
        str | None, typer.Option("--model_name_or_path", help="The base model; at the toy scale made on the spot.")
    ] = None,
    scale: Annotated[ScaleName, typer.Option("--scale", help="How much of everything.")] = "small",
    data: Annotated[
        Literal["source", "sample"] | None,
        typer.Option("--data", help="Sources, or samples; without it sources, and at the toy scale samples."),
    ] = None,
    check: Annotated[list[str] | None, typer.Option("--check", help=f"Only this one of {', '.join(CHECKS)}.")] = None,
    task: Annotated[list[str] | None, typer.Option("--task", help="Only this one of the recipes' tasks.")] = None,
    path: Annotated[list[Path] | None, typer.Option("--path", help="A folder of your own tasks and recipes.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data_dir", help="What relative paths of Files sources resolve against.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the mixtures and of tuning.")] = 0,
    tuning: Annotated[str, typer.Option("--tuning", help="Flags of finetune.py, as JSON.")] = "{}",
    measuring: Annotated[str, typer.Option("--measuring", help="Flags of evaluate.py, as JSON.")] = "{}",
) -> None:
    """Build, tune and measure every arm of the four checks, and say which way each points.

    Raises:
        InstructionKitError: what is asked for cannot be.

    """
    from instruction_kit.experiment.run import Runner

    size, names = SCALES[scale], _named(check)
    tuned = {**size.tuning, "seed": seed, "save_total_limit": 1, "disable_tqdm": True, **_flags(tuning, "--tuning")}
    how = {**size.measuring, **_flags(measuring, "--measuring")}
    if model_name_or_path is None and scale != "toy":
        raise ExperimentError("--model_name_or_path: it must be given; only --scale toy makes a model of its own")
    with owned(output_dir / WORK):
        model = model_name_or_path or _toy_model(output_dir / TOY_MODEL, size)
        values: dict[str, Any] = {
            "data": data or ("sample" if scale == "toy" else "source"),
            "seed": seed,
            "budget": {"tokens": tuned.get("max_length", size.max_length), "tokenizer": model},
            **({"paths": path} if path else {}),
            **({"data_dir": data_dir} if data_dir else {}),
        }
        arms = Arms(size, values, tasks=task or size.tasks)
        checks = [arms.check(name) for name in names]
        runner = Runner(output_dir, model, size, tuned, how, err)
        runner.check(checks)
        told = _run(runner, checks, scale=scale, data=values["data"])
    for line in told:
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    out.print(f"Written: {output_dir / MARKDOWN}, with {JSON} and {PICTURE} beside it", highlight=False, soft_wrap=True)


def _run(runner: "Runner", checks: Sequence[Check], *, scale: str, data: str) -> list[str]:
    """Run the checks; after each, what is known so far is written."""
    from instruction_kit.experiment.markdown import verdicts
    from instruction_kit.experiment.outcome import outcome

    found: list[CheckOutcome] = []
    for check in checks:
        runner.run(check)
        found.append(outcome(check, runner))
        _write(runner, found, scale=scale, data=data)
    return [line for check in found for line in verdicts(check)]


def _write(runner: "Runner", checks: "Sequence[CheckOutcome]", *, scale: str, data: str) -> None:
    from instruction_kit.experiment.markdown import markdown
    from instruction_kit.experiment.outcome import FORMAT_VERSION, Experiment
    from instruction_kit.experiment.picture import draw

    named = Path(runner.model).resolve().name if Path(runner.model).is_dir() else runner.model
    steps = int(runner.tuning["max_steps"])
    experiment = Experiment(
        format_version=FORMAT_VERSION, model=named, scale=scale, data=data, max_steps=steps, checks=tuple(checks)
    )
    with committed(runner.folder / PICTURE) as beside:
        draw(experiment, beside)
    write_text(runner.folder / MARKDOWN, markdown(experiment, picture=PICTURE))
    written = json.dumps(experiment.model_dump(mode="json"), indent=2, ensure_ascii=False)
    write_text(runner.folder / JSON, written + "\n")


def _named(checks: Sequence[str] | None) -> list[CheckName]:
    """Which checks, each once and in their order."""
    for name in checks or ():
        if name not in CHECKS:
            raise ExperimentError(f"--check {name}: no such check; {nearest(name, CHECKS)}")
    return [name for name in CHECKS if not checks or name in checks]


def _flags(text: str, flag: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ExperimentError(f'{flag}: no JSON: {error}; write it as {{"learning_rate": 1e-4}}') from error
    if not isinstance(found, dict):
        raise ExperimentError(f'{flag} {text}: no JSON object; write it as {{"learning_rate": 1e-4}}')
    return cast("dict[str, Any]", found)


def _toy_model(folder: Path, size: Scale) -> str:
    """A small model of random weights, its tokenizer trained on the samples; the same every time."""
    from instruction_kit.training.toy import make_toy

    if not folder.is_dir():
        beside = folder.with_name(f".{folder.name}.part")
        make_toy(beside, _texts(size), hidden_size=32, num_layers=1, max_positions=size.max_length)
        beside.replace(folder)
    return str(folder)


def _texts(size: Scale) -> Iterator[str]:
    for file in sorted(library_folder().glob("tasks/*/*.sample.jsonl")):
        if file.name.partition(".")[0] in (size.tasks or ()):
            yield file.read_text(encoding="utf-8")


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    run_alone(flan)


if __name__ == "__main__":
    main()
