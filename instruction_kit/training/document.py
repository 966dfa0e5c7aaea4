"""A collated batch cut into its pairs again, by the borders that the model itself is given.

In goes what a collator makes of token rows, out come the pairs in their order. A batch of padded rows is cut by its
mask, a flattened one where its positions begin anew: what a model sees as one text is one document here.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch

Collator = Callable[[list[dict[str, Any]]], Mapping[str, torch.Tensor]]

COLLATED = ("input_ids", "labels", "loss_weights", "seq_lengths", "task_ids", "m_position")
"""Columns of a token row that a collator may read."""


class Document(NamedTuple):
    """One pair of a batch, with the filling after it."""

    ids: list[int]
    labels: list[int]
    mask: list[int]
    """1 for the pair's own tokens, 0 for filling."""


def documents(batch: Mapping[str, torch.Tensor]) -> list[Document]:
    """Cut a batch into documents; filling after a flattened batch becomes documents of one token."""
    ids, labels = batch["input_ids"], batch["labels"]
    if "position_ids" not in batch:
        return [
            Document(*(tensor[row].tolist() for tensor in (ids, labels, batch["attention_mask"])))
            for row in range(len(ids))
        ]
    starts = (batch["position_ids"][0] == 0).nonzero().flatten().tolist()
    ends = [*starts[1:], ids.shape[1]]
    return [
        Document(ids[0, start:end].tolist(), labels[0, start:end].tolist(), [1] * (end - start))
        for start, end in zip(starts, ends, strict=True)
    ]
