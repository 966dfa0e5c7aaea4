"""The loss on rows that are never trained on: a mean over tokens, whatever they are batched with.

In go a model and token rows, out come the sum of the losses and the number of the tokens of each task. TRL would give
the mean of the means of batches, which changes with the batch size. No random number is drawn, so a run that is
evaluated trains exactly as one that is not. Processes divide the batches; each takes as many, the last ones of some
uncounted, because models that are divided over processes must be called together.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from datasets import Dataset

from instruction_kit.training.collate import apart
from instruction_kit.training.document import COLLATED
from instruction_kit.training.loss import TaskLosses


class Share(NamedTuple):
    """Which of several processes this is."""

    process: int
    of: int


def add_losses(
    model: Callable[..., Any],
    collate: Callable[[list[dict[str, Any]]], dict[str, Any]],
    rows: Dataset,
    losses: TaskLosses,
    *,
    batch_size: int,
    share: Share,
    device: torch.device,
) -> None:
    """Add what a model gives the rows of this process's share; it is called as TRL calls it."""
    starts = range(0, len(rows), batch_size)
    for first in range(0, len(starts), share.of):
        place = first + share.process
        start = starts[min(place, len(starts) - 1)]
        inputs, others = apart(collate(_items(rows, start, min(start + batch_size, len(rows)))))
        read = {name: value.to(device) if isinstance(value, torch.Tensor) else value for name, value in inputs.items()}
        outputs = model(**read, use_cache=False, fused_lm_head=True)
        if place < len(starts):
            losses.add(outputs.log_probs, read["labels"], others["task_ids"].to(device))


def _items(rows: Dataset, start: int, end: int) -> list[dict[str, Any]]:
    return [{name: rows[number][name] for name in COLLATED} for number in range(start, end)]
