"""A collated batch cut into its pairs again, by the borders that the model itself is given.

In goes what a collator makes of token rows, out come the pairs in their order. A batch of padded rows is cut by its
mask, a flattened one where its positions begin anew: what a model sees as one text is one document here. Of an
encoder-decoder a document is what the encoder sees of a pair, then what the decoder does.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch

from instruction_kit.token.row import IGNORED

Collator = Callable[[list[dict[str, Any]]], Mapping[str, torch.Tensor]]

COLLATED = ("input_ids", "labels", "loss_weights", "seq_lengths", "task_ids", "m_position")
"""Columns of a token row that a collator may read."""


SIDES = ("input_ids", "attention_mask", "decoder_input_ids", "decoder_attention_mask", "labels")
"""What an encoder-decoder's batch has of each pair."""


class Document(NamedTuple):
    """One pair of a batch, with the filling after it."""

    ids: list[int]
    labels: list[int]
    mask: list[int]
    """1 for the pair's own tokens, 0 for filling."""


def documents(batch: Mapping[str, torch.Tensor]) -> list[Document]:
    """Cut a batch into documents; filling after a flattened batch becomes documents of one token."""
    ids, labels = batch["input_ids"], batch["labels"]
    if "decoder_input_ids" in batch:
        return [
            _of_two_sides({name: tensor[row].tolist() for name, tensor in batch.items() if name in SIDES})
            for row in range(len(ids))
        ]
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


def _of_two_sides(row: Mapping[str, list[int]]) -> Document:
    """Put the sides of a pair behind each other, without the token that the decoder begins with, filling last."""
    prompt = [IGNORED] * len(row["input_ids"])
    both = list(
        zip(
            row["input_ids"] + row["decoder_input_ids"][1:],
            prompt + row["labels"][1:],
            row["attention_mask"] + row["decoder_attention_mask"][1:],
            strict=True,
        )
    )
    ordered = [one for one in both if one[2]] + [one for one in both if not one[2]]
    return Document(*(list(side) for side in zip(*ordered, strict=True)))
