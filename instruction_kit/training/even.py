"""Rows that can be dealt out evenly: what the last rows of an epoch lack so that every process takes as many batches.

In go token rows and the run's settings, out come the same rows and behind them as many as are lacking, of two tokens
and no loss. Without them accelerate would give the first rows of the epoch once more, and train on them twice: several
processes would not take the steps that one takes.
"""

from typing import Any

from datasets import Dataset, concatenate_datasets
from trl.trainer.sft_config import SFTConfig

from instruction_kit.token.row import IGNORED

WIDTH = 2
"""Tokens of a row without loss: one alone would leave no label to predict, and some collators no column."""


def evened(rows: Dataset, config: SFTConfig) -> Dataset:
    """Add rows without loss where processes would not take as many batches; one alone takes the rows as they are."""
    lacking = -len(rows) % (config.per_device_train_batch_size * config.world_size) if config.world_size > 1 else 0
    if not lacking:
        return rows
    added = Dataset.from_list([_without_loss(rows[0])] * lacking, features=rows.features)
    return concatenate_datasets([rows, added])


def _without_loss(row: dict[str, Any]) -> dict[str, Any]:
    """Cut a row to its first tokens, which stand in for any others."""
    weights = row["loss_weights"]
    return {
        **{name: value[:1] for name, value in row.items() if name not in ("input_ids", "labels", "loss_weights")},
        "input_ids": row["input_ids"][:WIDTH],
        "labels": [IGNORED] * WIDTH,
        "loss_weights": None if weights is None else [0.0] * WIDTH,
        "seq_lengths": [WIDTH],
    }
