"""The proof that packed pairs do not see each other, for the model at hand, before the first step.

In go the model, the collator and the token rows; nothing comes out, or a `TrainingError`. Three short pieces of pairs
are laid into one batch as training would, two of them in one row. Each must be scored as it is alone, and other tokens
in the first must leave the scores of the others as they are. The second holds however little the model makes of what it
should not see, and needs no tolerance for the shapes of kernels; the first finds positions that do not begin anew.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from datasets import Dataset

from instruction_kit.errors import TrainingError
from instruction_kit.training.collate import apart
from instruction_kit.training.document import Collator

PIECES = 3
PIECE_TOKENS = 64
TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 1e-2}
"""Of the largest score: what other shapes of the same sums may change. A leak changes far more."""

Item = dict[str, Any]


def prove_apart(
    model: torch.nn.Module, collate: Collator, rows: Dataset, *, autocast: AbstractContextManager[Any], name: str
) -> None:
    """Prove that a model scores packed pairs as it scores each of them alone.

    Raises:
        TrainingError: it does not, or it cannot score them at all.

    """
    pieces = _pieces(rows)
    if len(pieces) < PIECES:
        return  # fewer pairs than that are one batch, or none
    changed = [pieces[0][::-1] if pieces[0] != pieces[0][::-1] else [*pieces[0][1:], pieces[1][-1]], *pieces[1:]]
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), autocast:
            together = _scores(model, collate([_item(pieces[:2]), _item(pieces[2:])]), pieces)
            other = _scores(model, collate([_item(changed[:2]), _item(changed[2:])]), pieces)
            alone = [_scores(model, collate([_item([piece])]), [piece])[0] for piece in pieces]
    except (TypeError, ValueError, RuntimeError, NotImplementedError, ImportError) as error:
        raise TrainingError(f"model {name}: it cannot read packed rows ({error}); leave out --packing") from error
    finally:
        model.train(was_training)
    scale = max(float(scores.abs().max()) for scores in alone)
    allowed = scale * TOLERANCE.get(together[0].dtype, TOLERANCE[torch.float16])
    _refuse(name, "other tokens in one pair change the scores of the next", together[1:], other[1:], allowed)
    _refuse(name, "a pair is scored otherwise than alone", together, alone, allowed)


def _refuse(
    name: str, what: str, first: Sequence[torch.Tensor], second: Sequence[torch.Tensor], allowed: float
) -> None:
    found = max(float((a - b).abs().max()) for a, b in zip(first, second, strict=True))
    if not found <= allowed:
        raise TrainingError(
            f"model {name}: packed pairs see each other: {what} (by {found:.3g}, where {allowed:.3g} could be "
            "rounding). Leave out --packing, or take another --attn_implementation"
        )


def _pieces(rows: Dataset) -> list[list[int]]:
    """Take the beginnings of the first pairs."""
    found: list[list[int]] = []
    for number in range(min(len(rows), PIECES)):
        row, start = rows[number], 0
        for length in row["seq_lengths"]:
            found.append(row["input_ids"][start : start + min(length, PIECE_TOKENS)])
            start += length
    return found[:PIECES]


def _item(pieces: Sequence[list[int]]) -> Item:
    ids = [token for piece in pieces for token in piece]
    return {
        "input_ids": ids,
        "labels": ids,
        "loss_weights": [1.0] * len(ids),
        "seq_lengths": [len(piece) for piece in pieces],
        "task_ids": [0] * len(pieces),
    }


def _scores(model: torch.nn.Module, batch: Mapping[str, Any], pieces: Sequence[list[int]]) -> tuple[torch.Tensor, ...]:
    """Score a flattened batch and cut the scores at the pieces."""
    device = next(model.parameters()).device
    inputs = {key: _on(value, device) for key, value in apart(batch)[0].items() if key != "labels"}
    logits: torch.Tensor = model(**inputs, use_cache=False).logits[0]  # as in training: a cache hides the borders
    lengths = [len(piece) for piece in pieces]
    return torch.split(logits[: sum(lengths)], lengths)


def _on(value: Any, device: torch.device) -> Any:
    return value.to(device) if isinstance(value, torch.Tensor) else value
