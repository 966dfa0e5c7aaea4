"""How large an experiment is: toy shows that the path works, small fits one machine, full is near the papers.

Every arm takes the same number of steps of the same size, so that arms differ in their mixture alone. What decides a
scale is written out here, and its flags of tuning and measuring can each be given another value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

ScaleName = Literal["toy", "small", "full"]


@dataclass(frozen=True)
class Scale:
    """How much of everything."""

    mixture: Mapping[str, Any]
    """Keys of every mixture."""
    num_pairs: int
    """Training pairs of a mixture of mixtures, which needs a total; the others are one pass over their rows."""
    max_length: int
    """The longest pair in tokens; exemplars and fields beyond it are left out by the mixture's budget."""
    tuning: Mapping[str, Any]
    """Flags of finetune.py."""
    measuring: Mapping[str, Any]
    """Flags of evaluate.py."""
    max_reasons: int
    """Tokens of reasons before an answer."""
    shares: tuple[str, ...] = ("0", "0.05", "0.5", "0.9", "1")
    """Shares of few-shot pairs."""
    every_arm: bool = True
    """Else only the first and the last number of clusters, and no arm of chain of thought alone."""
    tasks: tuple[str, ...] | None = None
    """Only these of the recipes' tasks."""


SCALES: dict[ScaleName, Scale] = {
    "toy": Scale(
        mixture={"num_validation": 1, "num_held_out": 2, "num_examples_per_task": 12},
        num_pairs=24,
        max_length=512,
        tuning={
            "max_steps": 4,
            "per_device_train_batch_size": 4,
            "learning_rate": 3e-2,
            "lr_scheduler_type": "constant",
            "save_steps": 2,
        },
        measuring={"per_device_eval_batch_size": 64, "rows_per_task": 2},
        max_reasons=4,
        shares=("0", "0.5"),
        every_arm=False,
        tasks=("samsum", "sst2", "rte", "arc_easy", "cot_gsm8k"),
    ),
    "small": Scale(
        mixture={"num_validation": 20, "num_held_out": 300, "num_examples_per_task": 300},
        num_pairs=8_000,
        max_length=1_024,
        tuning={"max_steps": 500, "per_device_train_batch_size": 16, "learning_rate": 1e-4, "save_steps": 100},
        measuring={"per_device_eval_batch_size": 64, "rows_per_task": 100},
        max_reasons=128,
    ),
    "full": Scale(
        mixture={"num_validation": 50, "num_held_out": 1_000},
        num_pairs=100_000,
        max_length=2_048,
        tuning={
            "max_steps": 6_000,
            "per_device_train_batch_size": 8,
            "gradient_accumulation_steps": 8,
            "learning_rate": 2e-5,
            "save_steps": 500,
        },
        measuring={"per_device_eval_batch_size": 64},
        max_reasons=256,
    ),
}
