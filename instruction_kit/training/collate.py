"""TRL's batches, with what TRL leaves out: each token's weight and task, and which pairs a batch holds.

In go token rows, out comes the batch of the collator that is wrapped, unchanged, and beside it `BESIDE`. Weights and
tasks have the shape of the labels, so that they stand right wherever a pair lies in a pack; a model reads none of them.
"""

from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from typing import Any

import torch
from torch.nn.functional import pad

from instruction_kit.training.document import Collator

BESIDE = ("loss_weights", "task_ids", "positions")
"""What stands in a batch beside what a model reads."""

Item = Mapping[str, Any]


def beside(items: list[dict[str, Any]], *, collate: Collator) -> dict[str, Any]:
    """Collate items by another collator and add `BESIDE`; no weights where all tokens weigh the same."""
    batch = dict(collate(items))
    shape = batch["labels"].shape
    batch["task_ids"] = _laid_out([_task_of_each(item) for item in items], shape, torch.int64)
    if items[0].get("loss_weights") is not None:
        batch["loss_weights"] = _laid_out([item["loss_weights"] for item in items], shape, torch.float32)
    batch["positions"] = torch.tensor(list(chain.from_iterable(item.get("m_position", []) for item in items)))
    return batch


def apart(batch: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Part a batch into what a model reads and what stands beside it."""
    read = {name: value for name, value in batch.items() if name not in BESIDE}
    return read, {name: value for name, value in batch.items() if name in BESIDE}


def _task_of_each(item: Item) -> list[int]:
    pairs = zip(item["task_ids"], item["seq_lengths"], strict=True)
    return list(chain.from_iterable(repeat(task, length) for task, length in pairs))


def _laid_out(rows: Sequence[Sequence[float]], shape: torch.Size, dtype: torch.dtype) -> torch.Tensor:
    """Lay values out as the labels are: one row an item, or all in one where the batch is flattened."""
    if len(rows) != shape[0]:
        rows = [list(chain.from_iterable(rows))]
    return torch.stack([pad(found := torch.tensor(row, dtype=dtype), (0, shape[1] - len(found))) for row in rows])
