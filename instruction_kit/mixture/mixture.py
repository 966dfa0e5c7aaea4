"""`Mixture`: what goes in, how much of it, how it is prompted, and what is held out.

In: keyword arguments or a YAML file with the same keys. Out: a frozen, checked description. Its verbs `plan`, `build`
and `dataset` import the rooms below where they run, so that describing a mixture reads nothing and loads nothing heavy.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator

from instruction_kit.errors import InstructionKitError, MixtureError
from instruction_kit.holdout import HoldOut, resolve
from instruction_kit.library import search_path
from instruction_kit.mixture.check import name_problems, problems, raise_all
from instruction_kit.mixture.choose import Choice, choose
from instruction_kit.mixture.exemplars import Exemplars
from instruction_kit.mixture.filter import Filter, unverified
from instruction_kit.mixture.rate import Budget, ExamplesProportional, Rates
from instruction_kit.mixture.serve import Readable, all_templates, unserved
from instruction_kit.mixture.told import told
from instruction_kit.mixture.value import (
    FROZEN,
    TASK_OBJECT,
    Count,
    MeasuredSettings,
    Names,
    OptionStyles,
    SettingWeights,
    Tasks,
    refused,
)
from instruction_kit.mixture.written import read
from instruction_kit.render.setting import Setting, serving
from instruction_kit.task.task import Task
from instruction_kit.template.template import Template

if TYPE_CHECKING:
    from datasets import DatasetDict

    from instruction_kit.build.manifest import Manifest
    from instruction_kit.build.plan import Plan


class Mixture(BaseModel):
    """Which tasks, how much of each, in which settings, with what held out.

    Example:
        >>> mixture = Mixture(tasks=["snli", "sst2"], hold_out=["natural_language_inference"], data="sample")
        >>> mixture.held_out.measured, mixture.held_out.training
        (('snli',), ('sst2',))

    """

    model_config = FROZEN

    tasks: Tasks = "all"
    """`all`, or names of tasks and clusters, or Task objects."""
    hold_out: tuple[str, ...] = ()
    """Clusters, tasks or families that are measured and never trained on."""
    paths: tuple[Path, ...] = ()
    """Folders with `tasks/` and `templates/` of the user's own; they add to and override the library."""
    data_dir: Path | None = None
    """What the relative paths of `Files` sources resolve against; enters no hash and no written file."""
    data: Literal["source", "sample"] = "source"
    """Read the sources, or the samples that lie beside the task files; never one in place of the other."""
    licenses: Names | None = None
    """Only tasks under one of these licences; None is any licence."""
    exclude_licenses: Names | None = None
    """No task under one of these licences."""
    languages: Names | None = None
    """Only tasks, and phrasings, that are in these languages alone; None is any language."""
    num_pairs: Count | None = Field(None, ge=1)
    """Training pairs in all, divided by the rates; None is one pass over the rows."""
    rates: Rates = ExamplesProportional()
    num_examples_per_task: Count = Field(30_000, ge=1)
    """A task's rows beyond this many are not drawn."""
    max_repeats: Count = Field(4, ge=1)
    """How often a row may be used, when `num_pairs` asks for more rows or `phrasings` for more templates than a task
    has."""
    settings: SettingWeights = Field(default_factory=lambda: {"zero_shot.options": 1.0})
    """Setting -> weight among training pairs."""
    phrasings: Count = Field(1, ge=1)
    """Phrasings of each used row, all different as far as the task has templates; they never change its share."""
    option_styles: OptionStyles = "all"
    """Styles in which options are listed where a template states none: each use of a row draws one of them."""
    option_order: Literal["permuted", "source"] = "permuted"
    """Permuted for each use of a row, so that no position goes with the right answer; or as the source has them."""
    exemplars: Exemplars = Exemplars()
    """What few-shot settings show before a question."""
    joiner: str = Field("\n", min_length=1)
    """Ends every rendered prompt."""
    budget: Budget | None = None
    num_validation: Count = Field(200, ge=0)
    """Rows of each training task that are measured and never trained on; of train at most a fifth."""
    num_held_out: Count = Field(1_000, ge=1)
    """Measured rows of each held-out task."""
    held_out_settings: MeasuredSettings = ("zero_shot.options",)
    find_overlap: bool = True
    """Look for training rows that share text with held-out rows, on the rows' own fields; they stand in `overlap/`."""
    drop_overlap: bool = False
    """Take such rows out before anything is drawn; each is counted."""
    drop_duplicates: Literal["none", "exact", "near"] = "none"
    """Take out training rows that are copies of others, of whatever task: all words the same, or nearly all."""
    seed: Count = Field(0, ge=0)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise MixtureError(told(error, keys=list(type(self).model_fields))) from error

    @field_validator("exclude_licenses")
    @classmethod
    def _not_both(cls, names: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if both := sorted({*(names or ())} & {*(info.data.get("licenses") or ())}):
            raise refused(f"{', '.join(both)} is among licenses too; take it out of one")
        return names

    @field_validator("rates")
    @classmethod
    def _of_a_size(cls, rates: Rates, info: ValidationInfo) -> Rates:
        if not rates.counts and info.data.get("num_pairs", 0) is None:
            raise refused(f"those of kind {rates.kind} are no counts of rows: give num_pairs")
        return rates

    @classmethod
    def from_yaml(cls, path: str | Path) -> "Mixture":
        """Read a mixture from a file; paths in it are relative to the file.

        Raises:
            MixtureError: the file is missing or no YAML, or keys, values or names are wrong, each with its line.

        """
        return read(Path(path), cls)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Another mixture, checked like any; what was worked out for this one is not carried over."""
        return type(self)(**{name: getattr(self, name) for name in type(self).model_fields} | dict(update or {}))

    def with_data_dir(self, data_dir: str | Path) -> "Mixture":
        """The same mixture over files that lie elsewhere."""
        return self.model_copy(update={"data_dir": Path(data_dir)})

    @cached_property
    def folders(self) -> list[Path]:
        """The search path."""
        problems: list[InstructionKitError] = []
        for path in self.paths:
            try:
                search_path([path])
            except InstructionKitError as error:
                problems.append(MixtureError(f"paths: {error}"))
        raise_all(problems)
        return search_path(self.paths)

    @cached_property
    def choice(self) -> Choice:
        """The tasks by name as far as they can be read, and what is wrong with the others."""
        return choose(self.tasks, folders=self.folders, data=self.data)

    @property
    def chosen(self) -> dict[str, Task]:
        """The tasks by name, in the order of their names, before anything leaves.

        Raises:
            MixtureError: names are neither task nor cluster, or tasks share one.

        """
        tasks, problems = self.choice
        raise_all(problems)
        return tasks

    @cached_property
    def filter(self) -> Filter:
        """What licences and languages may stay."""
        return Filter(self.licenses, self.exclude_licenses, self.languages)

    @cached_property
    def held_out(self) -> HoldOut:
        """What trains, what is measured, what leaves and why."""
        raise_all([MixtureError(why) for why in name_problems(self, self.chosen)])
        trainless = [name for name, task in self.chosen.items() if "train" not in task.reading(self.data).split_names]
        listed = [] if self.tasks == "all" else [task if isinstance(task, str) else task.name for task in self.tasks]
        return resolve(
            self.chosen,
            self.hold_out,
            listed=listed,
            filtered=unverified(self.chosen, {*listed, *self.hold_out}) | self.filter.leaving(self.chosen),
            trainless=trainless,
        )

    @cached_property
    def templates(self) -> dict[str, list[Template]]:
        """The phrasings of every task that trains or is measured, in the languages that may stay.

        Raises:
            MixtureError: no task has a template for a setting, or a task has none for any.
            TemplateError: template files cannot be used.

        """
        found, problems = self._read_templates
        staying = {name: [t for t in of if not self.filter.leaving_templates([t])] for name, of in found.items()}
        raise_all([*problems, *(MixtureError(why) for why in self._unserved(staying))])
        return staying

    @cached_property
    def _read_templates(self) -> Readable:
        tasks = {name: self.chosen[name] for name in (*self.held_out.training, *self.held_out.measured)}
        return all_templates(tasks, folders=self.folders)

    def _unserved(self, templates: Mapping[str, Sequence[Template]]) -> Iterator[str]:
        """Settings without a task and tasks without a setting, as far as templates could be read."""
        sides: dict[Literal["settings", "held_out_settings"], tuple[str, ...]]
        sides = {"settings": self.held_out.training, "held_out_settings": self.held_out.measured}
        for which, names in sides.items():
            tasks = {name: self.chosen[name] for name in names if templates.get(name)}
            yield from unserved(which, list(getattr(self, which)), tasks, templates, self.exemplars.source)
        for name in (name for name, left in templates.items() if not left):
            where = f"templates/{self.chosen[name].schema.folder()}/ or templates/{name}/"
            wanted = " or ".join(self.languages or ())
            yield f"languages: task {name} has no template in {wanted}; write one in {where}, or take the task out"

    def serving(self, task: str, setting: Setting) -> list[Template]:
        """The phrasings in which a task serves a setting."""
        return serving(self.templates[task], setting, task=self.chosen[task], exemplars=self.exemplars.source)

    @cached_property
    def leaving(self) -> dict[str, str]:
        """What leaves -> why: tasks by their names, phrasings as `template <folder>/<name>`."""
        found, _ = self._read_templates
        phrasings = self.filter.leaving_templates([t for templates in found.values() for t in templates])
        return {**self.held_out.leaving, **{f"template {name}": why for name, why in sorted(phrasings.items())}}

    def check(self) -> None:
        """Raise everything that is wrong with the names in this mixture.

        Raises:
            MixtureError: names that mean nothing, nothing left to train on, settings that nobody serves.

        """
        raise_all(problems(self))

    def portable(self) -> dict[str, Any]:
        """The mixture as plain data without what belongs to one machine: for the manifest and for comparison."""
        values = self.model_dump(mode="json", exclude={"paths", "data_dir", "tasks"})
        names = [task if isinstance(task, str) else f"{TASK_OBJECT}{task.name}" for task in self.tasks]
        for key in ("hold_out", "held_out_settings", "licenses", "exclude_licenses", "languages"):
            values[key] = values[key] and sorted(set(values[key]))
        if self.budget and self.budget.tokenizer and Path(self.budget.tokenizer).is_dir():
            values["budget"]["tokenizer"] = Path(self.budget.tokenizer).name
        return {"tasks": "all" if self.tasks == "all" else sorted(set(names)), **values}

    def plan(self) -> "Plan":
        """Expected shares, what leaves and why; reads no rows."""
        from instruction_kit.build.plan import plan

        return plan(self)

    def build(self, out: str | Path, *, progress: bool = False) -> "Manifest":
        """Write the mixture as a folder that `load_dataset` reads; resumes where a stopped build left off."""
        from instruction_kit.build.build import build

        return build(self, Path(out), progress=progress)

    def dataset(self) -> "dict[str, DatasetDict]":
        """Build in memory: `{"train": DatasetDict, "held_out": DatasetDict}` with the rows that `build` would write."""
        from instruction_kit.build.memory import dataset

        return dataset(self)
