"""What is measured while a model is tuned, read before its first step.

In go the built folder and the flags, out comes a `Watched`: the token rows of the split `validation`, and pairs of the
held-out tasks. A figure by which a checkpoint is to be chosen is one of theirs, or the run does not begin.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from datasets import Dataset

from instruction_kit.errors import TrainingError, nearest
from instruction_kit.training.held_out import HELD_OUT, figure_names

WAITING = {"lr_scheduler_type": ("reduce_lr_on_plateau", "greedy"), "save_strategy": ("best",)}
"""Values of flags that do nothing before an evaluation."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Watched:
    """What is measured; nothing where a run has no evaluations."""

    validation: Dataset | None = None
    task_names: tuple[str, ...] = ()
    """What the numbers in the `task_ids` of validation rows count in."""
    held_out: pl.DataFrame | None = None

    def names(self, clusters: dict[str, str]) -> list[str]:
        """Name the figures that there can be, without `eval_`."""
        tasks = self.task_names if self.validation is not None else ()
        losses = [f"loss_task/{name}" for name in tasks]
        losses += sorted({f"loss_cluster/{clusters[name]}" for name in tasks})
        ranked = [] if self.held_out is None else figure_names(self.held_out)
        return ["loss"] * bool(tasks) + losses + ranked


def check_watched(watched: Watched, clusters: dict[str, str], *, chosen_by: str | None) -> None:
    """Refuse evaluations of nothing, and a choice by a figure that there will not be.

    Raises:
        TrainingError: either is so.

    """
    names = watched.names(clusters)
    if not names:
        raise TrainingError(
            "--eval_strategy: there is nothing to evaluate: the mixture was built with `num_validation: 0`, and it "
            "holds no task out, or --held_out_rows is 0"
        )
    if chosen_by is None:
        return
    name = chosen_by.removeprefix("eval_")
    if name not in names:
        raise TrainingError(f"--metric_for_best_model {chosen_by}: no such figure; {nearest(name, names)}")
    if name.startswith(HELD_OUT):
        logger.warning(
            "the checkpoint is chosen by rows of held-out tasks: their figures then are no zero-shot result any more, "
            "unless you measure other rows or choose by loss"
        )


def problems_of(values: Mapping[str, Any]) -> list[str]:
    """Say which flags wait for an evaluation that there will not be."""
    rows = values["held_out_rows"]
    problems = [f"--held_out_rows {rows}: it must be 0 or more"] if rows < 0 else []
    if _plain(values["save_strategy"]) == "best" and values["metric_for_best_model"] is None:
        problems.append("--save_strategy best: name what is best: --metric_for_best_model loss, or held_out")
    if _plain(values["eval_strategy"]) != "no":
        return problems
    for name, waits in WAITING.items():
        if _plain(values[name]) in waits:
            problems.append(f"--{name} {_plain(values[name])}: it waits for an evaluation; set --eval_strategy")
    waiting = ("load_best_model_at_end", "metric_for_best_model", "eval_on_start")
    problems += [f"--{name}: nothing is evaluated; set --eval_strategy" for name in waiting if values[name]]
    return problems


def _plain(value: object) -> object:
    return getattr(value, "value", value)


def is_greater_better(metric: str | None) -> bool | None:
    """Say which way a figure is good; None where none is named. Losses of tasks and clusters are losses too."""
    return None if metric is None else not metric.removeprefix("eval_").startswith("loss")
