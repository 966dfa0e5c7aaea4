"""The phrasings of one row, in the order in which it takes them.

In: how the row is rendered, its templates by preference, and which of them serve which settings. Out: pair after pair:
phrasings that were taken least often first, those of the drawn setting before others. What the row cannot stand in is
not tried again.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from instruction_kit.build.few_shot import Shots
from instruction_kit.render.listing import Listing
from instruction_kit.render.pair import Pair
from instruction_kit.render.setting import Setting
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.template import Template


@dataclass(frozen=True)
class Drawing:
    """What one use of a row draws beside its setting and phrasing."""

    reference: int = 0
    """Which of its right texts it is trained on."""
    listing: Listing = field(default_factory=Listing)
    row: str = ""
    shots: Shots | None = None
    """None where no setting shows exemplars."""


class Phrasing:
    """Hands out the pairs of one row."""

    def __init__(
        self,
        render: Callable[[Template, Setting, Drawing], Pair],
        preferred: Sequence[str],
        served: Mapping[Setting, Sequence[Template]],
    ) -> None:
        self._render, self._served = render, served
        self._rank = {name: rank for rank, name in enumerate(preferred)}
        self._taken: Counter[str] = Counter()
        self._barred: set[tuple[str, Setting]] = set()
        self._orders: dict[Setting, list[tuple[Template, Setting]]] = {}
        self.reason = ""
        """Why the first phrasing that the row cannot stand in is none for it."""

    def next(self, drawn: Setting, turn: int, drawing: Drawing) -> tuple[Template, Setting, Pair] | None:
        """The next pair of this row; None if no phrasing can take it, or all that can have had their turn."""
        for taken in range(turn + 1):
            for template, setting in self._order(drawn):
                if self._taken[template.name] == taken and (pair := self._pair(template, setting, drawing)):
                    self._taken[template.name] += 1
                    return template, setting, pair
        return None

    def _order(self, drawn: Setting) -> list[tuple[Template, Setting]]:
        if drawn not in self._orders:
            every = [(template, setting) for setting, templates in self._served.items() for template in templates]
            every.sort(key=lambda offer: (offer[1] != drawn, self._rank[offer[0].name]))
            self._orders[drawn] = every
        return self._orders[drawn]

    def _pair(self, template: Template, setting: Setting, drawing: Drawing) -> Pair | None:
        if (template.name, setting) in self._barred:
            return None
        try:
            return self._render(template, setting, drawing)
        except RowProblem as problem:
            self._barred.add((template.name, setting))
            self.reason = self.reason or str(problem)
            return None
