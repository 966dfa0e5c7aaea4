"""`Part`: the keys of a mixture that may differ from task to task, and the mixtures that a mixture is made of.

In: keyword arguments. Out: a frozen, checked description. A part has either tasks or parts of its own, each with a
weight. What a part does not say it takes from the one around it, so a mixture of mixtures says what is common once.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field, field_validator

from instruction_kit.mixture.exemplars import Exemplars
from instruction_kit.mixture.rate import ExamplesProportional, Rates
from instruction_kit.mixture.value import FROZEN, Count, Names, OptionStyles, SettingWeights, Tasks, Weight, refused
from instruction_kit.template.fields import Wording

OF_TASKS = ("tasks", "order", "num_clusters", "num_tasks", "num_tasks_per_cluster")
"""Keys that say which tasks: they mean nothing beside `parts`."""


class Part(BaseModel):
    """Some tasks, how much of each, and how they are prompted."""

    model_config = FROZEN

    parts: Mapping[str, "Weighted"] | None = None
    """Mixtures that this one is made of, each with its weight."""
    tasks: Tasks = "all"
    """`all`, or names of tasks and clusters, or Task objects."""
    may_leave: bool = False
    """Tasks that are named leave with what is held out, as those of `all` do; else one that must is an error."""
    order: Names | None = None
    """Clusters and tasks that come before the others where only the first are taken; the others follow by hash."""
    num_clusters: Count | None = Field(None, ge=1)
    """Only the first so many clusters train."""
    num_tasks_per_cluster: Count | None = Field(None, ge=1)
    """Only the first so many tasks of each cluster train."""
    num_tasks: Count | None = Field(None, ge=1)
    """Only so many tasks train, one of each cluster in turn."""
    rates: Rates = ExamplesProportional()
    num_examples_per_task: Count = Field(30_000, ge=1)
    """A task's rows beyond this many are not drawn."""
    num_examples_per_phrasing: Count | None = Field(None, ge=1)
    """A task's rows beyond this many for each of its phrasings are not drawn."""
    settings: SettingWeights = Field(default_factory=lambda: {"zero_shot.options": 1.0})
    """Setting -> weight among training pairs."""
    wording: Wording = "templates"
    """What words training pairs: the templates, the `fields` alone, or the dataset's `name` before these."""
    num_templates: Count | None = Field(None, ge=1)
    """Of each training task only the first so many phrasings in each setting."""
    phrasings: Count = Field(1, ge=1)
    """Phrasings of each used row, all different as far as the task has templates; they never change its share."""
    option_styles: OptionStyles = "all"
    """Styles in which options are listed where a template states none: each use of a row draws one of them."""
    option_order: Literal["permuted", "source"] = "permuted"
    """Permuted for each use of a row, so that no position goes with the right answer; or as the source has them."""
    exemplars: Exemplars = Exemplars()
    """What few-shot settings show before a question."""

    @field_validator("parts")
    @classmethod
    def _some(cls, parts: Mapping[str, "Weighted"] | None) -> Mapping[str, "Weighted"] | None:
        if parts is not None and not parts:
            raise refused("name at least one, or leave the key out")
        return parts and dict(sorted(parts.items()))

    def leaves(self, path: str = "") -> dict[str, "Part"]:
        """Path -> what holds tasks itself, with all that it takes over; a part without parts is its only one."""
        if not self.parts:
            return {path: self}
        found: dict[str, Part] = {}
        for name, part in self.parts.items():
            found |= part.within(self).leaves(f"{path}.{name}" if path else name)
        return found

    def within(self, outer: "Part") -> "Part":
        """The same part with what it does not say taken from the one around it."""
        return Part(**{key: getattr(outer, key) for key in _COMMON} | self.said(leave=("weight",)))

    def said(self, *, leave: Iterable[str] = ()) -> dict[str, Any]:
        """The keys that were given, and no default."""
        return {key: getattr(self, key) for key in type(self).model_fields if key in self.model_fields_set - {*leave}}


class Weighted(Part):
    """A part of a mixture."""

    weight: Weight
    """Its share of the whole is this by the sum of all weights beside it."""


def misplaced(said: Mapping[str, Any], path: str = "") -> dict[str, str]:
    """Keys beside `parts` that say which tasks -> why they are refused."""
    if not said.get("parts"):
        return {}
    found = {}
    for key in OF_TASKS:
        if said.get(key, Part.model_fields[key].default) != Part.model_fields[key].default:
            found[f"{path}{key}"] = "means nothing beside `parts`; say it in them"
    for name, part in said["parts"].items():
        found |= misplaced(dict(part), f"{path}parts.{name}.")
    return found


_COMMON = tuple(key for key in Part.model_fields if key not in (*OF_TASKS, "parts"))
"""Keys that a part takes from the one around it."""
Part.model_rebuild()
Weighted.model_rebuild()
