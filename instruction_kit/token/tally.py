"""What is counted while pairs become rows, and when too much is lost.

In go the tokens of each window, out come the counts of each task, how full and how mixed the rows are, and the errors
that stop a run: nothing to train on, or more than one pair in a hundred of a task dropped.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from instruction_kit.errors import NoPairsError, TokenError
from instruction_kit.token.pack import entropy
from instruction_kit.token.record import Mixing, TaskTokens
from instruction_kit.token.row import Ints, Window

TOO_LONG = "longer than max_length"
MAX_DROPPED = 0.01  # of a task's pairs


class Tally:
    """All that is counted while rows are written.

    Attributes:
        position: how many pairs were read.
        largest_id: the largest token id so far.

    """

    def __init__(self, names: Sequence[str], *, max_length: int, cluster: str | None = None) -> None:
        self.names = list(names)
        self.max_length = max_length
        self._of = "" if cluster is None else f" of the cluster {cluster}"
        self.position = 0
        self.largest_id = 0
        self._pairs, self._prompt, self._loss, self._longest = np.zeros((4, len(names)), dtype=np.int64)
        self._dropped: list[Counter[str]] = [Counter() for _ in names]
        self._fewest_characters = float("inf")  # for each token in the densest of the dropped pairs
        self._rows, self._entropies = 0, 0.0

    def keep(self, window: Window) -> npt.NDArray[np.bool_]:
        """Count the pairs of a window, and say which of them stay."""
        batch, tasks, lengths = window.batch, window.tasks, window.lengths
        misfit = np.zeros(len(tasks), dtype=bool)
        misfit[list(batch.misfits)] = True
        long = lengths > self.max_length
        keeps: npt.NDArray[np.bool_] = ~misfit & ~long
        for place, reason in batch.misfits.items():
            self._dropped[tasks[place]][reason] += 1
        for task in tasks[long].tolist():
            self._dropped[task][TOO_LONG] += 1
        if long.any():
            texts = window.pairs.filter(pa.array(long))
            characters = sum(pc.utf8_length(texts[side]).to_numpy() for side in ("prompt", "completion"))
            self._fewest_characters = min(self._fewest_characters, float((characters / lengths[long]).min()))
        np.maximum.at(self._longest, tasks, lengths)
        np.add.at(self._pairs, tasks[keeps], 1)
        np.add.at(self._prompt, tasks[keeps], (lengths - batch.sizes[:, 1])[keeps])
        np.add.at(self._loss, tasks[keeps], batch.sizes[keeps, 1])
        self.position += len(tasks)
        return keeps

    def filled(self, window: Window, kept: Ints, packs: Ints, rows: pa.RecordBatch) -> None:
        """Count rows: which pack each pair stands in."""
        found = entropy(packs, window.tasks[kept], window.lengths[kept])
        self._rows += len(found)
        self._entropies += float(found.sum())
        self.largest_id = max(self.largest_id, pc.max(rows["input_ids"].values).as_py())

    @property
    def pairs(self) -> int:
        """How many pairs stayed."""
        return int(self._pairs.sum())

    def tasks(self) -> dict[str, TaskTokens]:
        """Tell what became of each task's pairs."""
        return {
            name: TaskTokens(
                pairs=int(self._pairs[task]),
                prompt_tokens=int(self._prompt[task]),
                loss_tokens=int(self._loss[task]),
                longest=int(self._longest[task]),
                dropped=dict(sorted(self._dropped[task].items())),
            )
            for task, name in enumerate(self.names)
            if self._seen(task)
        }

    def mixing(self) -> Mixing:
        """Tell how full and how mixed the rows are."""
        tokens = self._prompt + self._loss
        there = np.flatnonzero(tokens)
        of_all = entropy(np.zeros(len(there), np.int64), there, tokens[there])
        return Mixing(
            fill=round(float(tokens.sum()) / (self._rows * self.max_length), 4),
            task_entropy=round(self._entropies / self._rows, 4),
            task_entropy_of_all=round(float(of_all.sum()), 4),
        )

    def refuse_empty(self, built: Path) -> None:
        """Refuse a mixture, or a cluster, of which nothing stays."""
        if not self.position:
            raise NoPairsError(f"{built}: the config `train` has no rows{self._of}, so there is nothing to tune on")
        if self.pairs:
            return
        reasons = sum(self._dropped, Counter[str]())
        if TOO_LONG in reasons:
            raise NoPairsError(
                f"{built}: every pair{self._of} is longer than max_length {self.max_length}, the longest has "
                f"{self._longest.max()} tokens; raise `max_length`"
            )
        raise NoPairsError(f"{built}: no pair{self._of} fits the layout: {_told(reasons)}; take another --layout")

    def refuse_dropped(self) -> None:
        """Refuse to lose much of a task."""
        problems = [*self._too_long(), *self._misfits()]
        if problems:
            raise TokenError("\n".join(f"{problem}, or lose these pairs with `accept_dropped`" for problem in problems))

    def _seen(self, task: int) -> int:
        return int(self._pairs[task]) + self._dropped[task].total()

    def _too_long(self) -> Iterator[str]:
        """Say which tasks lose much to `max_length`, and which budget would spare it."""
        over = [
            task for task, dropped in enumerate(self._dropped) if dropped[TOO_LONG] > MAX_DROPPED * self._seen(task)
        ]
        if over:
            tasks = ", ".join(
                f"{self.names[task]} {self._dropped[task][TOO_LONG]:,} of {self._seen(task):,}" for task in over
            )
            budget = int(self.max_length * self._fewest_characters)
            yield (
                f"pairs of more than max_length {self.max_length} tokens would be dropped: {tasks}. Nothing is cut "
                f"here. Set `budget: {{characters: {budget}}}` in the mixture and build again, "
                f"or raise `max_length` (the longest pair has {self._longest[over].max()} tokens)"
            )

    def _misfits(self) -> Iterator[str]:
        """Say which tasks lose much to the layout."""
        for task, name in enumerate(self.names):
            reasons = Counter({reason: n for reason, n in self._dropped[task].items() if reason != TOO_LONG})
            if reasons.total() > MAX_DROPPED * self._seen(task):
                yield (
                    f"the layout cannot take {reasons.total():,} of {self._seen(task):,} pairs of {name}: "
                    f"{_told(reasons)}. Skip or mend such rows in the task file, take another --layout"
                )


def _told(reasons: Counter[str]) -> str:
    return "; ".join(f"{reason} ({pairs:,})" for reason, pairs in reasons.most_common())
