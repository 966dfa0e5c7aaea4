"""The arms of a check, one after the other: built, tuned, measured; each step is kept, so that a stop costs only one.

In: a check and the folder of the experiment. Out: files, `CHECK/ARM/` with `built`, `tuned`, `held_out` and `held_in`.
A run that was stopped goes on from its last checkpoint, a measurement from its last part; both end as they would have.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from instruction_kit.build.manifest import read_manifest
from instruction_kit.errors import ExperimentError
from instruction_kit.evaluation.arguments import settle
from instruction_kit.evaluation.evaluate import evaluate
from instruction_kit.evaluation.files import ROWS_PARQUET
from instruction_kit.evaluation.work import weights_of
from instruction_kit.experiment.arm import Arm, Check
from instruction_kit.experiment.keep import kept
from instruction_kit.experiment.scale import Scale
from instruction_kit.training.finetune import finetune
from instruction_kit.training.flag import as_arguments, parse
from instruction_kit.training.resume import RUN_FILE

BUILT, TUNED, HELD_OUT, HELD_IN = "built", "tuned", "held_out", "held_in"
REASONS = "chain_of_thought"
OWN_TUNING = ("dataset_name", "model_name_or_path", "output_dir", "resume_from_checkpoint", "save_strategy", "tokens")
OWN_MEASURING = ("dataset_name", "model_name_or_path", "baseline", "output_dir", "split", "protocol")
"""Flags that the experiment sets itself."""


@dataclass(frozen=True)
class Runner:
    """What is the same for every arm."""

    folder: Path
    model: str
    scale: Scale
    tuning: Mapping[str, Any]
    """Flags of finetune.py."""
    measuring: Mapping[str, Any]
    """Flags of evaluate.py."""
    console: Console

    @cached_property
    def weights(self) -> str:
        """Hash of the base model."""
        return weights_of(self.model)

    def check(self, checks: Sequence[Check]) -> None:
        """Find every flaw of flags and mixtures before any work.

        Raises:
            InstructionKitError: there is one.

        """
        _refuse("--tuning", self.tuning, OWN_TUNING)
        _refuse("--measuring", self.measuring, OWN_MEASURING)
        names = {"dataset_name": self.folder, "model_name_or_path": self.model, "output_dir": self.folder}
        parse(as_arguments({**names, **self.tuning}))
        settle({**names, **self.measuring})
        for arm in (arm for check in checks for arm in check.arms):
            arm.mixture.check()

    def run(self, check: Check) -> None:
        """Do what is not yet done of a check."""
        for number, arm in enumerate(check.arms, 1):
            self.console.print(f"{check.title}, arm {number} of {len(check.arms)}: {arm.title}", highlight=False)
            arm.mixture.build(self.place(check, arm.name) / BUILT)
        for number, arm in enumerate(check.arms, 1):
            self.console.print(f"{check.title}, tuning {number} of {len(check.arms)}", highlight=False)
            if arm.model_of is None:
                self._tune(check, arm)
                self._measure_held_in(check, arm)
            self._measure(check, arm)

    def place(self, check: Check, arm: str) -> Path:
        """Where an arm's files lie."""
        return self.folder / check.name / arm

    def _tune(self, check: Check, arm: Arm) -> None:
        built, output = self.place(check, arm.name) / BUILT, self.place(check, arm.name) / TUNED
        flags = {"max_length": self.scale.max_length, **self.tuning}
        said = {
            "mixture": read_manifest(built).fingerprint,
            "model": self.weights,
            "flags": json.dumps(flags, sort_keys=True),
            "versions": _versions("torch", "transformers", "trl"),
        }
        kept(output, pattern="*.safetensors", said=said, step=lambda: self._finetune(built, output, flags))
        for checkpoint in output.glob("checkpoint-*"):  # as large as the model, and of no more use
            shutil.rmtree(checkpoint)

    def _finetune(self, built: Path, output: Path, flags: Mapping[str, Any]) -> None:
        whole = list(output.glob(f"checkpoint-*/{RUN_FILE}"))
        if output.is_dir() and not whole:
            shutil.rmtree(output)  # stopped before its first checkpoint
        resume = {"resume_from_checkpoint": "true"} if whole else {}
        own = {"model_name_or_path": self.model, "output_dir": output, "save_strategy": "steps"}
        finetune(built, **own, **flags, **resume)

    def _measure(self, check: Check, arm: Arm) -> None:
        """Measure on held-out rows; the first arm of those on the same rows has the untuned model beside it."""
        place = check.place_of(arm)
        first = next(one for one in check.arms if check.place_of(one) == place)
        protocols = ("rank", "zero_shot_cot") if REASONS in check.measures else ("rank",)
        flags = {"split": "held_out", "protocol": protocols, "max_new_tokens": self.scale.max_reasons}
        self._evaluate(check, arm, place=place, baseline=arm == first, output=HELD_OUT, flags=flags)

    def _measure_held_in(self, check: Check, arm: Arm) -> None:
        """Measure rows of the tasks that the arm trains on: has it learnt anything at all?"""
        self._evaluate(check, arm, place=arm.name, baseline=True, output=HELD_IN, flags={"split": "validation"})

    def _evaluate(
        self, check: Check, arm: Arm, *, place: str, baseline: bool, output: str, flags: Mapping[str, Any]
    ) -> None:
        built, tuned = self.place(check, place) / BUILT, self.place(check, arm.model_of or arm.name) / TUNED
        target, how = self.place(check, arm.name) / output, {**flags, **self.measuring}
        models = {"model_name_or_path": tuned, "baseline": self.model if baseline else None}
        said = {
            "mixture": read_manifest(built).fingerprint,
            "model": weights_of(str(tuned)),
            "baseline": self.weights if baseline else "none",
            "flags": json.dumps(how, sort_keys=True),
            "versions": _versions("torch", "transformers"),
        }

        def measured() -> None:
            evaluate(built, output_dir=target, console=self.console, **models, **how)

        kept(target, pattern=ROWS_PARQUET, said=said, step=measured)


def _refuse(flag: str, given: Mapping[str, Any], own: Sequence[str]) -> None:
    if wrong := [name for name in given if name in own]:
        raise ExperimentError(f"{flag}: {', '.join(wrong)}: the experiment sets it itself; leave it out")


def _versions(*packages: str) -> str:
    return ", ".join(f"{package} {version(package)}" for package in packages)
