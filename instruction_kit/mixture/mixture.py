"""`Mixture`: what goes in, how much of it, how it is prompted, and what is held out.

In: keyword arguments or a YAML file with the same keys. Out: a frozen, checked description. Its verbs `plan`, `build`
and `dataset` import the rooms below where they run, so that describing a mixture reads nothing and loads nothing heavy.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from instruction_kit import choice
from instruction_kit.errors import InstructionKitError, MixtureError
from instruction_kit.holdout import HoldOut, resolve
from instruction_kit.library import search_path
from instruction_kit.mixture.check import name_problems, problems, raise_all
from instruction_kit.mixture.choose import Choice, choose
from instruction_kit.mixture.filter import Filter, unverified
from instruction_kit.mixture.part import Part, misplaced
from instruction_kit.mixture.rate import Budget
from instruction_kit.mixture.recipe import spelled_out
from instruction_kit.mixture.serve import Readable, all_templates, unlike, unserved
from instruction_kit.mixture.subset import leaving as not_first
from instruction_kit.mixture.told import told
from instruction_kit.mixture.value import (
    TASK_OBJECT,
    Count,
    MeasuredSettings,
    Names,
    refused,
)
from instruction_kit.mixture.written import read
from instruction_kit.render.setting import Setting, parse_setting, serving
from instruction_kit.task.task import Task
from instruction_kit.template.fields import Wording
from instruction_kit.template.template import Template

if TYPE_CHECKING:
    from datasets import DatasetDict

    from instruction_kit.build.manifest import Manifest
    from instruction_kit.build.plan import Plan


class Mixture(Part):
    """Which tasks, how much of each, in which settings, with what held out.

    Example:
        >>> mixture = Mixture(tasks=["snli", "sst2"], hold_out=["natural_language_inference"], data="sample")
        >>> mixture.held_out.measured, mixture.held_out.training
        (('snli',), ('sst2',))

    """

    hold_out: tuple[str, ...] = ()
    """Clusters, tasks or families that are measured and never trained on."""
    rotation: Count | None = Field(None, ge=0)
    """Of every cluster of two tasks or more hold out one, too: the one whose turn it is."""
    paths: tuple[Path, ...] = ()
    """Folders with `tasks/` and `templates/` of the user's own; they add to and override the library."""
    data_dir: Path | None = None
    """What the relative paths of `Files` sources resolve against; enters no hash and no written file."""
    only: Literal["held_out"] | None = None
    """`held_out` builds what is measured and no training side: the same pairs, without reading what would train."""
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
    num_tokens: Count | None = Field(None, ge=1, validate_default=True)
    """Training tokens in all, four bytes each, in place of `num_pairs`: the rates divide these."""
    max_repeats: Count = Field(4, ge=1)
    """How often a row may be used, when `num_pairs` or `num_tokens` ask for more rows, or `phrasings` for more
    templates, than a task has."""
    joiner: str = Field("\n", min_length=1)
    """Ends every rendered prompt."""
    budget: Budget | None = None
    num_validation: Count = Field(200, ge=0)
    """Rows of each training task that are measured and never trained on: of train at most a fifth,
    and a quarter of the rows that the task can use."""
    num_held_out: Count = Field(1_000, ge=1)
    """Measured rows of each held-out task."""
    held_out_settings: MeasuredSettings = ("zero_shot.options",)
    held_out_wording: Wording = "templates"
    """What words held-out pairs, as `wording` does those that are trained on."""
    find_overlap: bool = True
    """Look for training rows that share text with held-out rows, on the rows' own fields; they stand in `overlap/`."""
    drop_overlap: bool = False
    """Take such rows out before anything is drawn; each is counted."""
    drop_duplicates: Literal["none", "exact", "near"] = "none"
    """Take out training rows that are copies of others, of whatever task: all words the same, or nearly all."""
    seed: Count = Field(0, ge=0)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**spelled_out(values))
        except ValidationError as error:
            raise MixtureError(told(error, keys=list(type(self).model_fields))) from error

    @field_validator("exclude_licenses")
    @classmethod
    def _not_both(cls, names: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if both := sorted({*(names or ())} & {*(info.data.get("licenses") or ())}):
            raise refused(f"{', '.join(both)} is among licenses too; take it out of one")
        return names

    @field_validator("num_tokens")
    @classmethod
    def _of_a_size(cls, num_tokens: int | None, info: ValidationInfo) -> int | None:
        """The last of the keys that say how much, so that it sees the others, as far as they can be read."""
        parts, rates, num_pairs = (info.data.get(key) for key in ("parts", "rates", "num_pairs"))
        told = [f"{key}: {why}" for key, why in misplaced(info.data).items()]
        if num_pairs and num_tokens:
            told.append("num_tokens: num_pairs says how much already; give one of the two")
        if not num_pairs and not num_tokens and "num_pairs" in info.data:
            why = "no counts of rows: give num_pairs or num_tokens"
            if parts:
                told.append(f"parts: their weights are {why}")
            elif rates and not rates.counts:
                told.append(f"rates: those of kind {rates.kind} are {why}")
        if told:
            raise refused("\n".join(told), keyed=True)
        return num_tokens

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

    @property
    def total(self) -> int | None:
        """What the rates divide, pairs or tokens; None under one pass."""
        return self.num_pairs if self.num_tokens is None else self.num_tokens

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
        return {path: choose(p.tasks, folders=self.folders, data=self.data) for path, p in self.homes.items()}

    @cached_property
    def choice(self) -> Choice:
        """The tasks by name as far as they can be read, and what is wrong with the others."""
        tasks = {name: task for found, _ in self._choices.values() for name, task in found.items()}
        wrong = [problem for _, problems in self._choices.values() for problem in problems]
        return dict(sorted(tasks.items())), [*wrong, *map(MixtureError, self._twice())]

    def _twice(self) -> Iterator[str]:
        """A task in two parts would be counted twice, and drawn alike in both."""
        places: dict[str, list[str]] = {}
        for path, (found, _) in self._choices.items():
            for name in found:
                places.setdefault(name, []).append(path)
        for name, paths in places.items():
            if len(paths) > 1:
                yield f"parts: {name} stands in {' and in '.join(paths)}; take it out of all but one"

    def part(self, task: str) -> Part:
        """The part that a task stands in: what says how it is prompted; the mixture itself if it has no parts."""
        return self.homes[self.home(task)] if self.parts else self

    def prompts_of(self, task: str) -> Path | None:
        """The folder of prompts from which a task shows exemplars; None where they come from elsewhere."""
        folder = self.part(task).exemplars.folder
        return None if folder is None else (self.data_dir or Path()) / folder

    def home(self, task: str) -> str:
        """The path of the part that a task stands in."""
        return next((path for path, (found, _) in self._choices.items() if task in found), "") if self.parts else ""

    @cached_property
    def listed(self) -> list[str]:
        """Tasks and clusters that are asked for by name, and must not leave unnoticed."""
        named = [p.tasks for p in self.homes.values() if p.tasks != "all" and not p.may_leave]
        return [task if isinstance(task, str) else task.name for tasks in named for task in tasks]

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
        unseen = unverified(self.chosen, {*self.listed, *self.hold_out})
        found = resolve(
            self.chosen,
            self.hold_out,
            rotation=self.rotation,
            listed=self.listed,
            filtered=unseen | self.filter.leaving(self.chosen),
            trainless=trainless,
            only_held_out=self.only == "held_out",
        )
        if self.only == "held_out":
            return found
        return found.less(self._not_first(found.training))

    def _not_first(self, training: Sequence[str]) -> dict[str, str]:
        """Task -> why it is not among the first that are taken."""
        gone: dict[str, str] = {}
        problems = []
        for path, part in self.homes.items():
            mine = {name: self.chosen[name].cluster for name in training if self.home(name) == path}
            where = f"parts.{path}." if path else ""
            if not mine:
                problems.append(MixtureError(f"parts.{path}: none of its tasks trains; take it out, or hold out less"))
            try:
                gone |= not_first(part, mine, seed=self.seed)
            except MixtureError as error:
                problems += [MixtureError(f"{where}{line}") for line in str(error).split("\n")]
        raise_all(problems)
        return gone

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
        return {name: self._first(name, templates) for name, templates in staying.items()}

    def _first(self, name: str, templates: list[Template]) -> list[Template]:
        """Those that stand among the first in any setting."""
        if not self._bound(name):
            return templates
        trained = [(parse_setting(key), False) for key in self.part(name).settings]
        asked = [*trained, *((parse_setting(key), True) for key in self.held_out_settings)]
        kept = {t.name for key, measured in asked for t in self._in_setting(name, templates, key, measured=measured)}
        return [t for t in templates if t.name in kept]

    def _bound(self, name: str) -> int | None:
        return None if name in self.held_out.measured else self.part(name).num_templates

    def _in_setting(
        self, name: str, templates: Sequence[Template], setting: Setting, *, measured: bool
    ) -> list[Template]:
        task, part = self.chosen[name], self.part(name)
        found = serving(templates, setting, task=task, exemplars=part.exemplars.source, measured=measured)
        if (bound := self._bound(name)) is None:
            return found
        keys = choice.keys(choice.row_hashes([t.name for t in found]), self.seed, "template order", name)
        return [found[place] for place in sorted(choice.smallest(keys, bound).tolist())]

    @cached_property
    def _read_templates(self) -> Readable:
        tasks = {name: self.chosen[name] for name in (*self.held_out.training, *self.held_out.measured)}
        wording = {name: self.part(name).wording for name in self.held_out.training}
        wording |= dict.fromkeys(self.held_out.measured, self.held_out_wording)
        return all_templates(tasks, folders=self.folders, wording=wording)

    def _unserved(self, templates: Mapping[str, Sequence[Template]]) -> Iterator[str]:
        """Settings without a task and tasks without a setting, as far as templates could be read."""
        held = self.held_out
        for path, part in self.homes.items():
            mine = {n: self.chosen[n] for n in held.training if templates.get(n) and self.home(n) == path}
            where = f"parts.{path}.settings" if path else "settings"
            yield from unserved(where, list(part.settings), mine, templates, part.exemplars.source)
        for source in sorted({self.part(name).exemplars.source for name in held.measured}):
            mine = {n: self.chosen[n] for n in held.measured if templates.get(n)}
            mine = {n: task for n, task in mine.items() if self.part(n).exemplars.source == source}
            keys = list(self.held_out_settings)
            yield from unserved("held_out_settings", keys, mine, templates, source, measured=True)
        for name in (*held.training, *held.measured):
            keys = [*self.held_out_settings, *(self.part(name).settings if name in held.training else ())]
            yield from unlike(self.chosen[name], self.part(name).exemplars.alike, keys)
        for name in (name for name, left in templates.items() if not left):
            where = f"templates/{self.chosen[name].schema.folder()}/ or templates/{name}/"
            wanted = " or ".join(self.languages or ())
            yield f"languages: task {name} has no template in {wanted}; write one in {where}, or take the task out"

    def serving(self, task: str, setting: Setting, *, measured: bool = False) -> list[Template]:
        """The phrasings in which a task serves a setting, to train or to be measured."""
        return self._in_setting(task, self.templates[task], setting, measured=measured)

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
        values = self.model_dump(mode="json", exclude={"paths", "data_dir", "tasks", "parts"})
        for key in ("hold_out", "held_out_settings", "licenses", "exclude_licenses", "languages"):
            values[key] = values[key] and sorted(set(values[key]))
        if self.budget and self.budget.tokenizer and Path(self.budget.tokenizer).is_dir():
            values["budget"]["tokenizer"] = Path(self.budget.tokenizer).name
        return {**_places(self), **values}

    def plan(self) -> "Plan":
        """Expected shares, what leaves and why; reads no rows."""
        from instruction_kit.build.plan import plan

        return plan(self)

    def build(self, out: str | Path, *, only: Literal["held_out"] | None = None, progress: bool = False) -> "Manifest":
        """Write the mixture as a folder that `load_dataset` reads; resumes where a stopped build left off."""
        from instruction_kit.build.build import build

        return build(self.model_copy(update={"only": only}) if only else self, Path(out), progress=progress)

    def dataset(self) -> "dict[str, DatasetDict]":
        """Build in memory: `{"train": DatasetDict, "held_out": DatasetDict}` with the rows that `build` would write."""
        from instruction_kit.build.memory import dataset

        return dataset(self)


def _places(part: Part) -> dict[str, Any]:
    """Where the tasks of a part stand, as plain data: its parts with what each of them says, or the tasks' names."""
    if not part.parts:
        names = [task if isinstance(task, str) else f"{TASK_OBJECT}{task.name}" for task in part.tasks]
        return {"tasks": "all" if part.tasks == "all" else sorted(set(names))}
    said = {
        name: own.model_dump(mode="json", include=own.model_fields_set - {"tasks", "parts"})
        for name, own in part.parts.items()
    }
    return {"parts": {name: {**_places(own), **said[name]} for name, own in part.parts.items()}}
