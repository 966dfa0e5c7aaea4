"""How much of each task: rate rules, and the budget of a prompt.

A rate rule takes what there is of every training task and gives the rates, which say only how much of one task comes
with so much of another. A further rule is a further class here, and a word in `Rates`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Context, Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import BaseModel, Field, model_validator

from instruction_kit.errors import nearest
from instruction_kit.mixture.value import FROZEN, Count, Weights, refused

Rate = int | float | Fraction
_DECIMALS = Context(prec=28)


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


class Temperature(BaseModel):
    """A task's rate is its number of rows, up to a maximum, to the power of 1 / temperature (Raffel et al. 2020,
    section 3.5.2, https://jmlr.org/papers/v21/20-074.html, where the maximum is 2^21). At 1 the rates are in proportion
    to the rows; the higher the temperature, the nearer they are to equal. They are no counts, so it needs `num_pairs`.
    """

    model_config = FROZEN
    kind: Literal["temperature"] = "temperature"
    temperature: float = Field(strict=True, ge=1, allow_inf_nan=False)
    maximum: Count = Field(2**21, ge=1)
    """Of the rows, before the power is taken. Rows beyond `num_examples_per_task` do not count at all."""

    counts: ClassVar[bool] = False

    def of(self, tasks: Mapping[str, Stock]) -> dict[str, Rate]:
        """The rate of each task; in decimals, because a machine's own power may differ in the last bit."""
        power = _DECIMALS.divide(1, Decimal(self.temperature))
        return {name: Fraction(_DECIMALS.power(min(task.rows, self.maximum), power)) for name, task in tasks.items()}


class FixedWeights(BaseModel):
    """Each task or cluster has the weight that the mixture states. It is no count of rows, so it needs `num_pairs`."""

    model_config = FROZEN
    kind: Literal["fixed_weights"] = "fixed_weights"
    weights: Weights
    """Task or cluster -> weight. A cluster's is divided equally among its tasks without a weight of their own."""

    counts: ClassVar[bool] = False

    def of(self, tasks: Mapping[str, Stock]) -> dict[str, Rate]:
        """The rate of each task; 0 for a task without rows, which the others of its cluster stand in for."""
        sharing = Counter(task.cluster for name, task in tasks.items() if task.rows and name not in self.weights)
        own = {name: self.weights[name] if task.rows else 0 for name, task in tasks.items() if name in self.weights}
        rest = {
            name: Fraction(self.weights[task.cluster]) / sharing[task.cluster] if task.rows else 0
            for name, task in tasks.items()
            if name not in own
        }
        return own | rest

    def groups(self, tasks: Mapping[str, Stock]) -> dict[str, str]:
        """What each task shares a weight with: itself, or its cluster."""
        return {
            name: f"task {name}" if name in self.weights else f"cluster {task.cluster}" for name, task in tasks.items()
        }

    def unknown(self, clusters: Mapping[str, str]) -> Iterator[str]:
        """Weights of nothing among these tasks, given the cluster of each."""
        for name in self.weights:
            if name not in {*clusters, *clusters.values()}:
                known = nearest(name, [*clusters, *clusters.values()])
                yield f"rates.weights.{name}: neither a task nor a cluster of this mixture; {known}"
            elif name not in clusters and all(task in self.weights for task in clusters if clusters[task] == name):
                yield f"rates.weights.{name}: every task of this cluster has a weight of its own; take this one out"

    def missing(self, clusters: Mapping[str, str]) -> Iterator[str]:
        """Tasks that train without a weight, given the cluster of each that trains."""
        if names := [name for name, cluster in clusters.items() if not {name, cluster} & set(self.weights)]:
            told = ", ".join(f"{name} (cluster {clusters[name]})" for name in names)
            yield f"rates.weights: no weight for {told}; give each task or its cluster one, or take it out of `tasks`"


Rates = Annotated[ExamplesProportional | Equal | Temperature | FixedWeights, Field(discriminator="kind")]


class Budget(BaseModel):
    """The most that a prompt with its output may hold."""

    model_config = FROZEN
    characters: Count | None = Field(None, ge=100)
    tokens: Count | None = Field(None, ge=32)
    """Of prompt and output, and the two that begin and end a pair."""
    tokenizer: str | None = None
    """Which counts them: a folder, or a repository of the hub."""

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.characters is None) == (self.tokens is None):
            raise refused("give `characters`, or `tokens` with a `tokenizer`")
        if (self.tokens is None) != (self.tokenizer is None):
            raise refused("tokens are counted by a tokenizer: give both, or neither")
        return self
