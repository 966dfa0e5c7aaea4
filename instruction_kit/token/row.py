"""Token rows: the pairs of a window in tokens become the rows that a trainer reads.

In go a window, its pairs in tokens and which of them share a row, out comes a record batch of rows:

    input_ids     list of int32    its pairs one after the other
    labels        list of int32    as `input_ids` over the outputs and their stop tokens, -100 elsewhere
    loss_weights  list of float32  of each token in the loss, 0 where the label is -100; null in every row where all
                                   trained tokens weigh the same (`record.identity.weighing.is_even`)
    seq_lengths   list of int32    of each pair, in tokens: the borders, which TRL reads under this name
    task_ids      list of int32    of each pair: the place of its task in the record's `task_names`
    m_task, m_template, m_split, m_row (lists of text), m_round (list of int64)
                                   of each pair: where it comes from
    m_position    list of int64    of each pair: its place among all pairs of the split, dropped ones and those of
                                   other clusters included

What begins with `m_` no trainer reads. Everything is laid out by columns; no pair is a Python object.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from instruction_kit.token.encoder import Batch
from instruction_kit.token.engine import IDS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

IGNORED = -100  # the label that a cross-entropy leaves out
ORIGIN = {"m_task": "task", "m_template": "template", "m_split": "split", "m_row": "row", "m_round": "round"}
SCHEMA = pa.schema(
    [
        pa.field("input_ids", IDS, nullable=False),
        pa.field("labels", IDS, nullable=False),
        pa.field("loss_weights", pa.list_(pa.float32())),
        pa.field("seq_lengths", IDS, nullable=False),
        pa.field("task_ids", IDS, nullable=False),
        *(pa.field(name, pa.list_(pa.int64() if name == "m_round" else pa.string())) for name in ORIGIN),
        pa.field("m_position", pa.list_(pa.int64())),
    ]
)


class Window(NamedTuple):
    """Pairs as they were read, and in tokens."""

    pairs: pa.RecordBatch
    batch: Batch
    tasks: Ints
    """Of each pair: the place of its task in the record's `task_names`."""

    @property
    def lengths(self) -> Ints:
        """Tokens of each pair."""
        found: Ints = self.batch.sizes.sum(axis=1)
        return found


def token_rows(window: Window, kept: Ints, packs: Ints, weights: Floats | None) -> pa.RecordBatch:
    """Lay pairs out in rows.

    Args:
        window: the pairs.
        kept: which of them stay.
        packs: for each of these the place of its row; no place is left out.
        weights: of every token of the window; None where all that is learnt weighs the same.

    """
    order = kept[np.argsort(packs, kind="stable")]
    borders = np.concatenate([[0], np.bincount(packs).cumsum()])
    lengths = window.lengths
    spread = np.concatenate([[0], lengths[order].cumsum()])[borders]
    ids = window.batch.ids(order)
    columns = [
        _lists(ids, spread),
        _lists(_labels(ids, window.batch.sizes[order]), spread),
        _weights(weights, lengths, order, spread),
        _lists(pa.array(lengths[order], pa.int32()), borders),
        _lists(pa.array(window.tasks[order], pa.int32()), borders),
        *(_lists(window.pairs[column].take(pa.array(order)), borders) for column in ORIGIN.values()),
        _lists(window.pairs["position"].take(pa.array(order)), borders),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _labels(ids: pa.Array, sizes: Ints) -> pa.Array:
    """Leave out of the loss all but the completions."""
    learnt = np.repeat(np.tile([False, True, False], len(sizes)), sizes.ravel())
    return pa.array(np.where(learnt, ids.to_numpy(), np.int32(IGNORED)), pa.int32())


def _weights(weights: Floats | None, lengths: Ints, order: Ints, spread: Ints) -> pa.Array:
    if weights is None:
        return pa.nulls(len(spread) - 1, SCHEMA.field("loss_weights").type)
    pairs = _lists(pa.array(weights, pa.float32()), np.concatenate([[0], lengths.cumsum()]))
    return _lists(pairs.take(pa.array(order)).flatten(), spread)


def _lists(values: pa.Array, borders: Ints) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(borders, pa.int32()), values)
