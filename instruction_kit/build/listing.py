"""How the options of each pair are listed: in which style, and in which order.

In: row hashes and the number of options of each row. Out: one `Listing` a row. Both are choices by hash for each use of
a row, so no position and no mark goes with the right answer; a measured row has the mixture's first style, and one
order in all its phrasings.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from instruction_kit import choice
from instruction_kit.render.listing import Listing
from instruction_kit.schema.field import Choice, Free
from instruction_kit.template.style import DEFAULT, STARTS, STYLES, Style, variants

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture
    from instruction_kit.task.task import Task


class Lister:
    """Draws the listings of one split of one task."""

    def __init__(self, mixture: "Mixture", task: "Task", *, split: str) -> None:
        self._task = task
        self._name = (mixture.seed, "listing", task.name, split)
        part = mixture.part(task.name)
        self._permuted = part.option_order == "permuted"
        self._styles = tuple(STYLES) if part.option_styles == "all" else part.option_styles

    def drawn(self, rows: choice.Keys, values: Sequence[Mapping[str, Any]], use: int) -> list[Listing]:
        """The listings of one use of each row."""
        if isinstance(self._task.schema.target, Free):
            return [Listing()] * len(rows)
        styles = choice.preference(rows, self._styles, *self._name, "style", use)[:, 0].tolist()
        starts = choice.preference(rows, STARTS, *self._name, "start", use)[:, 0].tolist()
        orders = self._orders(rows, values, use)
        return [
            Listing(order, variants(self._styles[style])[start % len(variants(self._styles[style]))])
            for order, style, start in zip(orders, styles, starts, strict=True)
        ]

    def measured(self, rows: choice.Keys, values: Sequence[Mapping[str, Any]]) -> list[Listing]:
        """The listing of each row that is measured."""
        if isinstance(self._task.schema.target, Free):
            return [Listing()] * len(rows)
        style = STYLES[DEFAULT if DEFAULT in self._styles else self._styles[0]]
        return [Listing(order, style) for order in self._orders(rows, values, -1)]

    def beside(self, key: np.uint64, value: Mapping[str, Any], style: Style) -> Listing:
        """The listing of an exemplar: in the style of its question, and in an order of its own."""
        if isinstance(self._task.schema.target, Free):
            return Listing()
        return Listing(self._orders(np.array([key], dtype=np.uint64), [value], "exemplar")[0], style)

    def _orders(self, rows: choice.Keys, values: Sequence[Mapping[str, Any]], use: int | str) -> list[tuple[int, ...]]:
        counts = [self._num_options(value) for value in values]
        if not self._permuted or not counts:
            return [tuple(range(count)) for count in counts]
        keys = np.stack([choice.keys(rows, *self._name, "order", use, place) for place in range(max(counts))], axis=1)
        return [tuple(np.argsort(own[:count]).tolist()) for own, count in zip(keys, counts, strict=True)]

    def _num_options(self, value: Mapping[str, Any]) -> int:
        target = self._task.schema.target
        return len(value[target.options]) if isinstance(target, Choice) else len(self._task.classes)
