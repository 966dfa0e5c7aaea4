"""`Mixture`: what goes in, how much of it, how it is prompted, and what is held out.

In: keyword arguments or a YAML file with the same keys, which stand in `keys.py` and `part.py`. Out: what follows from
them, each worked out once, in a module of its own: tasks in their parts, the two sides, phrasings. The verbs `plan`,
`build` and `dataset` import the rooms below where they run: describing a mixture reads nothing and loads nothing heavy.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import ValidationError

from instruction_kit.errors import InstructionKitError, MixtureError
from instruction_kit.holdout import HoldOut
from instruction_kit.library import search_path
from instruction_kit.mixture import phrasing
from instruction_kit.mixture.check import problems, raise_all
from instruction_kit.mixture.choose import Choice
from instruction_kit.mixture.home import choices, home_of, listed_in, together
from instruction_kit.mixture.keys import Keys
from instruction_kit.mixture.part import Part
from instruction_kit.mixture.portable import portable
from instruction_kit.mixture.recipe import spelled_out
from instruction_kit.mixture.serve import Readable
from instruction_kit.mixture.sides import sides
from instruction_kit.mixture.told import told
from instruction_kit.mixture.written import read
from instruction_kit.render.setting import Setting
from instruction_kit.task.task import Task
from instruction_kit.template.template import Template

if TYPE_CHECKING:
    from datasets import DatasetDict

    from instruction_kit.build.manifest import Manifest
    from instruction_kit.build.plan import Plan


class Mixture(Keys):
    """Which tasks, how much of each, in which settings, with what held out.

    Example:
        >>> mixture = Mixture(tasks=["snli", "sst2"], hold_out=["natural_language_inference"], data="sample")
        >>> mixture.held_out.measured, mixture.held_out.training
        (('snli',), ('sst2',))

    """

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**spelled_out(values))
        except ValidationError as error:
            raise MixtureError(told(error, keys=list(type(self).model_fields))) from error

    @classmethod
    def from_recipe(cls, name: str, **values: Any) -> "Mixture":
        """A recipe of the library, or of the folders in `paths`, with other values for some of its keys.

        Raises:
            MixtureError: there is no such recipe, or keys or values are wrong.

        """
        return cls(recipe=name, **values)

    @classmethod
    def from_yaml(
        cls, path: str | Path, *, paths: Sequence[str | Path] = (), changes: Mapping[str, Any] | None = None
    ) -> "Mixture":
        """Read a mixture from a file; paths in it are relative to the file, and `paths` come behind them.

        `changes` are other values for some of its keys, before any is checked.

        Raises:
            MixtureError: the file is missing or no YAML, or keys, values or names are wrong, each with its line.

        """
        return read(Path(path), cls, paths=[Path(folder).resolve() for folder in paths], changes=changes or {})

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Another mixture, checked like any; what was worked out for this one is not carried over."""
        return type(self)(**self.said() | dict(update or {}))

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
    def homes(self) -> dict[str, Part]:
        """Path -> the part that holds tasks itself; only one, of no name, where a mixture is not made of others."""
        return self.leaves()

    @cached_property
    def _choices(self) -> dict[str, Choice]:
        return choices(self.homes, folders=self.folders, data=self.data)

    @cached_property
    def choice(self) -> Choice:
        """The tasks by name as far as they can be read, and what is wrong with the others."""
        return together(self._choices)

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
    def listed(self) -> list[str]:
        """Tasks and clusters that are asked for by name, and must not leave unnoticed."""
        return listed_in(self.homes)

    def home(self, task: str) -> str:
        """The path of the part that a task stands in."""
        return home_of(self._choices, task) if self.parts else ""

    def part(self, task: str) -> Part:
        """The part that a task stands in: what says how it is prompted; the mixture itself if it has no parts."""
        return self.homes[self.home(task)] if self.parts else self

    def prompts_of(self, task: str) -> Path | None:
        """The folder of prompts from which a task shows exemplars; None where they come from elsewhere."""
        folder = self.part(task).exemplars.folder
        return None if folder is None else (self.data_dir or Path()) / folder

    @cached_property
    def held_out(self) -> HoldOut:
        """What trains, what is measured, what leaves and why."""
        return sides(self)

    @cached_property
    def readable(self) -> Readable:
        """The phrasings of every task that trains or is measured, in any language, and what is wrong with others."""
        return phrasing.readable(self)

    @cached_property
    def templates(self) -> dict[str, list[Template]]:
        """The phrasings of every task that trains or is measured, in the languages that may stay.

        Raises:
            MixtureError: no task has a template for a setting, or a task has none for any.
            TemplateError: template files cannot be used.

        """
        return phrasing.staying(self)

    def serving(self, task: str, setting: Setting, *, measured: bool = False) -> list[Template]:
        """The phrasings in which a task serves a setting, to train or to be measured."""
        return phrasing.in_setting(self, task, self.templates[task], setting, measured=measured)

    @cached_property
    def leaving(self) -> dict[str, str]:
        """What leaves -> why: tasks by their names, phrasings as `template <folder>/<name>`."""
        return {**self.held_out.leaving, **phrasing.leaving(self)}

    @property
    def notices(self) -> list[str]:
        """What is no error and may be a slip: licences that none of the tasks has."""
        return [*self.filter.notices(self.chosen)]

    def check(self) -> None:
        """Raise everything that is wrong with the names in this mixture.

        Raises:
            MixtureError: names that mean nothing, nothing left to train on, settings that nobody serves.

        """
        raise_all(problems(self))

    def portable(self) -> dict[str, Any]:
        """The mixture as plain data without what belongs to one machine: for the manifest and for comparison."""
        return portable(self)

    def plan(self) -> "Plan":
        """Expected shares, what leaves and why; reads no rows."""
        from instruction_kit.build.plan import plan

        return plan(self)

    def build(
        self, out: str | Path, *, only: Literal["held_out"] | None = None, num_proc: int = 1, progress: bool = False
    ) -> "Manifest":
        """Write the mixture as a folder that `load_dataset` reads; resumes where a stopped build left off.

        `num_proc` processes do the work; what is written does not depend on how many.
        """
        from instruction_kit.build.build import build

        mixture = self.model_copy(update={"only": only}) if only else self
        return build(mixture, Path(out), num_proc=num_proc, progress=progress)

    def dataset(self) -> "dict[str, DatasetDict]":
        """Build in memory: `{"train": DatasetDict, "held_out": DatasetDict}` with the rows that `build` would write."""
        from instruction_kit.build.memory import dataset

        return dataset(self)
