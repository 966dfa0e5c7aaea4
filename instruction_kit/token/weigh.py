"""How much each trained token counts in the loss.

In go a batch in tokens and its rows, out comes a weight for each token: 0 over prompts, and over completions what the
`Weighing` says. Weights matter only against each other, since a loss is divided by their sum. Where an answer stands in
a longer output is known in characters; the tokenizer's own offsets say which tokens hold it. A token that holds a part
of the answer is the answer's, and so is the stop token.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from instruction_kit.errors import TokenError
from instruction_kit.token.conversation import pair_of
from instruction_kit.token.encoder import Batch, Encoder

Floats = npt.NDArray[np.float32]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

SPAN = ("answer_start", "answer_end")
"""Columns that say where the answer stands in the output."""


class Weighing(BaseModel):
    """What weighs how much in the loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per: Literal["token", "pair"] = "token"
    """`token`: each trained token weighs the same. `pair`: each pair does, however long its output is."""
    answer: Positive = 1.0
    """The weight of an answer's tokens and of the stop token."""
    rationale: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """The weight of all else in an output that holds more than its answer."""
    tasks: dict[str, Positive] = {}
    """Task -> what its pairs' weights are multiplied by; 1 where it is not named."""

    @property
    def is_even(self) -> bool:
        """Whether all trained tokens weigh the same."""
        return self.per == "token" and self.answer == self.rationale and len({1.0, *self.tasks.values()}) == 1

    @property
    def columns(self) -> tuple[str, ...]:
        """What it reads of a pair besides its texts."""
        return () if self.answer == self.rationale else SPAN


def weighing_of(words: Sequence[str], *, flag: str, **values: object) -> Weighing:
    """Read what weighs how much; `words` are `task=weight`, as `flag` takes them.

    Raises:
        TokenError: a word is not of that form, or a weight is no weight.

    """
    tasks = dict(word.split("=", 1) for word in words if "=" in word)
    if len(tasks) < len(words):
        raise TokenError(f"{flag} {' '.join(words)}: write each once, as TASK=NUMBER, for example snli=0.5")
    try:
        return Weighing.model_validate({"tasks": tasks, **values})
    except ValidationError as error:
        told = [f"{'.'.join(map(str, one['loc']))} {one['input']}: {one['msg']}" for one in error.errors()]
        raise TokenError("weights: " + "; ".join(told)) from error


def weights(weighing: Weighing, batch: Batch, rows: pa.RecordBatch, encoder: Encoder) -> Floats:
    """Weigh every token of a batch, one pair after the other."""
    sizes = batch.sizes
    starts = np.concatenate([[0], sizes.sum(axis=1).cumsum()])[:-1] + sizes[:, 0]
    loss = np.repeat(np.tile([False, True, False], len(sizes)), sizes.ravel())
    found = loss * np.float32(weighing.answer)
    if weighing.columns:
        _lower(found, starts, weighing, batch, rows, encoder)
    per_pair = np.array([weighing.tasks.get(task, 1.0) for task in rows["task"].to_pylist()])
    if weighing.per == "pair":
        pairs = np.repeat(np.arange(len(sizes)), sizes.sum(axis=1))
        per_pair /= np.maximum(np.bincount(pairs, weights=found, minlength=len(sizes)), np.finfo(np.float32).tiny)
    told: Floats = (found * np.repeat(per_pair, sizes.sum(axis=1))).astype(np.float32)
    return told


def _lower(
    found: Floats,
    starts: npt.NDArray[np.int64],
    weighing: Weighing,
    batch: Batch,
    rows: pa.RecordBatch,
    encoder: Encoder,
) -> None:
    """Give what stands around answers its own weight."""
    partly = [
        (place, row)
        for place, row in enumerate(rows.select([*encoder.columns, *SPAN]).to_pylist())
        if place not in batch.misfits and row["answer_start"] is not None and _is_part(row)
    ]
    offsets = encoder.offsets([pair_of(row) for _, row in partly])
    for (place, row), spans in zip(partly, offsets, strict=True):
        if len(spans) + 1 != batch.sizes[place, 1]:
            raise TokenError(
                f"the output {row['completion'][:80]!r} holds a special token's text, so its answer cannot be found "
                "among its tokens; skip such rows in the task file, or give answers and rationales equal weights"
            )
        for number, (first, last) in enumerate(spans):
            if last <= row["answer_start"] or first >= row["answer_end"]:
                found[starts[place] + number] = weighing.rationale


def _is_part(row: Mapping[str, object]) -> bool:
    return (row["answer_start"], row["answer_end"]) != (0, len(str(row["completion"])))
