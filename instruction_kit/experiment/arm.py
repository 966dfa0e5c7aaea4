"""The four checks as data: each is a few arms, and an arm is a recipe with other values for some of its keys.

In: a scale, and what holds for every mixture (model, data, folders, tasks). Out: checks. The arms of a check differ in
one thing; they hold out the same, take the same number of steps, and are measured on the held-out rows of one of them.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

from instruction_kit.errors import ExperimentError
from instruction_kit.experiment.scale import Scale
from instruction_kit.mixture import Mixture
from instruction_kit.mixture.recipe import spelled_out

CheckName = Literal["clusters", "templates", "few_shot", "chain_of_thought"]
CHECKS: tuple[CheckName, ...] = ("clusters", "templates", "few_shot", "chain_of_thought")
HELD_OUT = ("natural_language_inference", "commonsense", "closed_book_qa")
"""FLAN's ablations measure these three: section 4.1 of https://arxiv.org/abs/2109.01652."""
HELD_OUT_OF_REASONS = ("natural_language_inference", "closed_book_qa")
"""Commonsense stays, as three of the nine chain-of-thought tasks are in it."""


class Arm(NamedTuple):
    """One mixture, tuned on and measured."""

    name: str
    title: str
    mixture: Mixture
    model_of: str | None = None
    """The arm whose model it measures, on held-out rows of its own; None where it tunes one."""


class Check(NamedTuple):
    """What is varied, and by what the arms are measured."""

    name: CheckName
    title: str
    arms: tuple[Arm, ...]
    measured: str
    """The arm on whose held-out rows all are measured."""
    measures: tuple[str, ...] = ("zero_shot",)

    def place_of(self, arm: Arm) -> str:
        """The arm in whose folder lie the held-out rows that this one is measured on."""
        return arm.name if arm.model_of else self.measured


class Arms:
    """Makes the checks."""

    def __init__(self, scale: Scale, values: Mapping[str, Any], *, tasks: Sequence[str] | None) -> None:
        self.scale, self.values, self.only = scale, values, tasks

    def check(self, name: CheckName) -> Check:
        """Make one check."""
        match name:
            case "clusters":
                return self._clusters()
            case "templates":
                return self._templates()
            case "few_shot":
                return self._few_shot()
            case "chain_of_thought":
                return self._chain_of_thought()

    def _clusters(self) -> Check:
        said = self._said("flan2021_clusters", hold_out=HELD_OUT)
        order, all_of = said.pop("order"), self._held({key: said[key] for key in said if key != "num_clusters"})
        there = {all_of.chosen[name].cluster for name in all_of.held_out.training}
        first = [cluster for cluster in order if cluster in there]
        if not first:
            raise ExperimentError(f"--task: no task that could train is in {', '.join(order)}; name some that are")
        wanted = range(1, len(first) + 1) if self.scale.every_arm else (1, len(first))
        arms = [
            Arm(str(number), _counted(number, first), self._held(said | {"order": first, "num_clusters": number}))
            for number in wanted
        ]
        return Check("clusters", "Number of training clusters", tuple(arms), arms[-1].name)

    def _templates(self) -> Check:
        held: dict[str, Any] = {"hold_out": HELD_OUT}
        plain = {**held, "settings": {"zero_shot.options": 1}}
        so = {**held, "held_out_wording": "name"}
        arms = (
            Arm("templates", "templates", self._mixture("flan2021", **plain)),
            Arm("fields", "no templates", self._mixture("flan2021_no_template", **held)),
            Arm("name", "the dataset's name", self._mixture("flan2021_dataset_name", **held)),
            Arm("name_measured_so", "the same, measured so", self._mixture("flan2021_dataset_name", **so), "name"),
        )
        return Check("templates", "Templates against none", arms, "templates")

    def _few_shot(self) -> Check:
        arms = [
            Arm(share, f"{float(share):.0%} few-shot", self._mixture("flan2022_zs_opt", **self._mixed(float(share))))
            for share in self.scale.shares
        ]
        return Check("few_shot", "Share of few-shot pairs", tuple(arms), arms[0].name, ("zero_shot", "few_shot"))

    def _mixed(self, share: float) -> dict[str, Any]:
        weights = {"zero_shot.options": 1 - share, "few_shot.options": share}
        return {
            "settings": {name: weight for name, weight in weights.items() if weight},
            "held_out_settings": list(weights),
            "exemplars": {"num": [1, 5]},
            "hold_out": HELD_OUT,
        }

    def _chain_of_thought(self) -> Check:
        said = self._said("flan2022", hold_out=HELD_OUT_OF_REASONS)
        said["num_pairs"] = self.scale.num_pairs
        parts = said.pop("parts")
        both = self._held({**said, "parts": parts})
        plain, reasons = (_within(parts[name], both) for name in ("flan2021", "cot"))
        arms = [
            Arm("without", "without chain of thought", self._held({**said, "parts": {"flan2021": plain}})),
            Arm("with", "with chain of thought", both),
        ]
        if self.scale.every_arm:
            arms.append(Arm("only", "chain of thought alone", self._held({**said, "parts": {"cot": reasons}})))
        measures = ("zero_shot", "chain_of_thought")
        return Check("chain_of_thought", "With and without chain of thought", tuple(arms), "with", measures)

    def _mixture(self, recipe: str, **values: Any) -> Mixture:
        return self._held(self._said(recipe, **values))

    def _said(self, recipe: str, **values: Any) -> dict[str, Any]:
        """The keys of a recipe, with ours over them, and with only those tasks that are wanted."""
        ours = {**self.values, **self.scale.mixture, "drop_overlap": True}
        said = spelled_out({"recipe": recipe, **ours, **values})
        for part in (said, *said.get("parts", {}).values()) if self.only else ():
            if "tasks" in part:
                part["tasks"] = [name for name in part["tasks"] if name in self._wanted]
        return said

    def _held(self, said: Mapping[str, Any]) -> Mixture:
        """The mixture, holding out those clusters that it has tasks of."""
        parts = (said, *said.get("parts", {}).values())
        chosen = Mixture(**{**self.values, "tasks": [name for part in parts for name in part.get("tasks", ())]}).chosen
        wanted, there = said["hold_out"], {task.cluster for task in chosen.values()}
        if not there & {*wanted}:
            raise ExperimentError(f"--task: nothing to measure, no task is in {', '.join(wanted)}; name some that are")
        return Mixture(**{**said, "hold_out": [name for name in wanted if name in there]})

    @cached_property
    def _wanted(self) -> set[str]:
        """The tasks that are wanted, by name."""
        return {*Mixture(**{**self.values, "tasks": list(self.only or ())}).chosen}


def _within(part: Mapping[str, Any], whole: Mixture) -> dict[str, Any]:
    """A part alone, without what leaves where it is not: a family that is measured there would train here."""
    staying = {*whole.held_out.training, *whole.held_out.measured}
    return {**part, "tasks": [name for name in part["tasks"] if name in staying]}


def _counted(number: int, clusters: Sequence[str]) -> str:
    """Say how many clusters there are, and which came last.

    >>> _counted(2, ["translation", "struct_to_text"])
    '2 (+ struct to text)'
    """
    return f"{number} ({'+ ' if number > 1 else ''}{clusters[number - 1].replace('_', ' ')})"
