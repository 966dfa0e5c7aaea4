"""How much of each task: rate rules, and the budget of a prompt.

A rate rule takes what there is of every training task and gives the rates, which say only how much of one task comes
with so much of another. A further rule is a further class here, and a word in `Rates`.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

FROZEN = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
Count = Annotated[int, Field(strict=True)]
"""Strict: `"200"`, `1.0` and `true` are slips, not numbers."""
Weight = Annotated[float, Field(strict=True)]
Rate = int | float | Fraction


class Stock(NamedTuple):
    """What a rule sees of a training task."""

    rows: int
    """Rows that may be drawn."""
    cluster: str


class ExamplesProportional(BaseModel):
    """A task's rate is its number of rows, up to a maximum (Raffel et al. 2020, section 3.5.2,
    https://jmlr.org/papers/v21/20-074.html; FLAN's maximum is 3,000, Wei et al. 2022, section 2.2,
    https://arxiv.org/abs/2109.01652).
    """

    model_config = FROZEN
    kind: Literal["examples_proportional"] = "examples_proportional"
    maximum: Count = Field(3_000, ge=1)

    counts: ClassVar[bool] = True

    def of(self, tasks: Mapping[str, Stock]) -> dict[str, Rate]:
        """The rate of each task."""
        return {name: min(task.rows, self.maximum) for name, task in tasks.items()}


class Equal(BaseModel):
    """Every task has the same rate. It is no count of rows, so it needs `num_pairs`."""

    model_config = FROZEN
    kind: Literal["equal"] = "equal"

    counts: ClassVar[bool] = False

    def of(self, tasks: Mapping[str, Stock]) -> dict[str, Rate]:
        """1 for a task that has rows at all."""
        return {name: int(task.rows > 0) for name, task in tasks.items()}


Rates = Annotated[ExamplesProportional | Equal, Field(discriminator="kind")]


class Budget(BaseModel):
    """The most that a prompt with its output may hold."""

    model_config = FROZEN
    characters: Count = Field(ge=100)
