"""`Mixture`: what goes in, how much of it, how it is prompted, and what is held out.

In: keyword arguments or a YAML file with the same keys. Out: a frozen, checked description. Its verbs `plan`, `build`
and `dataset` import the rooms below where they run, so that describing a mixture reads nothing and loads nothing heavy.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, SkipValidation, ValidationError, field_validator, model_validator

from instruction_kit.errors import InstructionKitError, MixtureError, nearest
from instruction_kit.holdout import HoldOut, resolve
from instruction_kit.library import search_path
from instruction_kit.mixture.rate import FROZEN, Budget, Count, ExamplesProportional, FixedWeights, Rates, Weight
from instruction_kit.mixture.told import told
from instruction_kit.render.setting import Setting, parse_setting, serving
from instruction_kit.source import Frame
from instruction_kit.task.check import name_problems
from instruction_kit.task.load import load_tasks, task_files
from instruction_kit.task.task import Task
from instruction_kit.template.load import templates_of
from instruction_kit.template.template import Template
from instruction_kit.yamlfile import line_of, parse_yaml

if TYPE_CHECKING:
    from datasets import DatasetDict

    from instruction_kit.build.manifest import Manifest
    from instruction_kit.build.plan import Plan

_OBJECT = "Task object "
"""How a written mixture names a task that only lives in a program."""


class Mixture(BaseModel):
    """Which tasks, how much of each, in which settings, with what held out.

    Example:
        >>> mixture = Mixture(tasks=["snli", "sst2"], hold_out=["natural_language_inference"], data="sample")
        >>> mixture.held_out.measured, mixture.held_out.training
        (('snli',), ('sst2',))

    """

    model_config = FROZEN

    tasks: Literal["all"] | tuple[Annotated[str | Task, SkipValidation], ...] = "all"
    """`all`, or names of tasks and clusters, or Task objects."""
    hold_out: tuple[str, ...] = ()
    """Clusters, tasks or families that are measured and never trained on."""
    paths: tuple[Path, ...] = ()
    """Folders with `tasks/` and `templates/` of the user's own; they add to and override the library."""
    data_dir: Path | None = None
    """What the relative paths of `Files` sources resolve against; enters no hash and no written file."""
    data: Literal["source", "sample"] = "source"
    """Read the sources, or the samples that lie beside the task files; never one in place of the other."""
    rates: Rates = ExamplesProportional()
    num_examples_per_task: Count = Field(30_000, ge=1)
    """A task's rows beyond this many are not drawn."""
    num_pairs: Count | None = Field(None, ge=1)
    """Training pairs in all, divided by the rates; None is one pass over the rows."""
    max_repeats: Count = Field(4, ge=1)
    """How often a row may be used, when `num_pairs` asks for more rows or `phrasings` for more templates than a task
    has."""
    settings: Mapping[str, Weight] = Field(default_factory=lambda: {"zero_shot.options": 1.0})
    """Setting -> weight among training pairs."""
    phrasings: Count = Field(1, ge=1)
    """Phrasings of each used row, all different as far as the task has templates; they never change its share."""
    joiner: str = Field("\n", min_length=1)
    """Ends every rendered prompt."""
    budget: Budget | None = None
    num_validation: Count = Field(200, ge=0)
    """Rows of each training task that are measured and never trained on; of train at most a fifth."""
    num_held_out: Count = Field(1_000, ge=1)
    """Measured rows of each held-out task."""
    held_out_settings: tuple[str, ...] = ("zero_shot.options",)
    seed: Count = Field(0, ge=0)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise MixtureError(told(error, keys=list(type(self).model_fields))) from error

    @field_validator("tasks", mode="before")
    @classmethod
    def _tasks_named(cls, tasks: Any) -> Any:
        if tasks == "all":
            return tasks
        if not isinstance(tasks, list | tuple):
            raise MixtureError(f"tasks: give `all`, or a list of names and Task objects, not {tasks!r}")
        for entry in tasks:
            if isinstance(entry, str) and entry.startswith(_OBJECT):
                name = entry.removeprefix(_OBJECT)
                raise MixtureError(
                    f"tasks: {name} was a Task object, which lives only in the program that made it; {_SAVE}"
                )
            if not isinstance(entry, str | Task):
                raise MixtureError(
                    f"tasks: {entry!r} is no name and no Task object; only Python can describe a task: {_SAVE}"
                )
        return tuple(tasks)

    @field_validator("settings")
    @classmethod
    def _settings_known(cls, settings: Mapping[str, float]) -> Mapping[str, float]:
        for name in settings:
            _parsed(name, key="settings")
        if not settings:
            raise MixtureError("settings: name at least one")
        return dict(sorted(settings.items()))

    @field_validator("held_out_settings")
    @classmethod
    def _measurable(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            setting = _parsed(name, key="held_out_settings")
            if setting.inverted or setting.cot:
                output = "an inverted template's output is not the answer"
                why = output if setting.inverted else "it must be generated and read back"
                raise MixtureError(f"held_out_settings: {name} cannot be measured by rank classification: {why}")
        if not names or len(set(names)) != len(names):
            raise MixtureError("held_out_settings: name at least one, each once")
        return names

    @model_validator(mode="after")
    def _size_known(self) -> "Mixture":
        if not self.rates.counts and self.num_pairs is None:
            raise MixtureError(f"rates of kind {self.rates.kind} are no counts of rows: give num_pairs")
        return self

    @classmethod
    def from_yaml(cls, path: str | Path) -> "Mixture":
        """Read a mixture from a file; paths in it are relative to the file.

        Raises:
            MixtureError: the file is missing or no YAML, or a key or value is wrong.

        """
        path = Path(path)
        if not path.is_file():
            raise MixtureError(f"{path}: is a folder; name a YAML file" if path.is_dir() else f"{path}: no such file")
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise MixtureError(f"{path}: not UTF-8 ({error.reason} at byte {error.start})") from error
        values = parse_yaml(text, where=str(path), error=MixtureError)
        for key in ("paths", "data_dir"):
            if isinstance(values.get(key), str):
                values[key] = str(path.parent / values[key])
            elif isinstance(values.get(key), list):
                values[key] = [str(path.parent / str(entry)) for entry in values[key]]
        try:
            made = cls(**values)
            _ = made.templates  # names that do not exist, while their line is known
        except MixtureError as error:
            told = [(line_of(text, problem.partition(": ")[0]), problem) for problem in str(error).split("\n")]
            raise MixtureError("\n".join(f"{path}:{line}: {problem}" for line, problem in told)) from error
        return made

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Another mixture, checked like any; what was worked out for this one is not carried over."""
        return type(self)(**{name: getattr(self, name) for name in type(self).model_fields} | dict(update or {}))

    def with_data_dir(self, data_dir: str | Path) -> "Mixture":
        """The same mixture over files that lie elsewhere."""
        return self.model_copy(update={"data_dir": Path(data_dir)})

    @cached_property
    def folders(self) -> list[Path]:
        """The search path."""
        try:
            return search_path(self.paths)
        except InstructionKitError as error:
            raise MixtureError(f"paths: {error}") from error

    @cached_property
    def chosen(self) -> dict[str, Task]:
        """The tasks by name, in the order of their names.

        Raises:
            MixtureError: a name is neither task nor cluster, or two tasks share one.

        """
        objects = self._objects()
        files = task_files(self.folders)
        names = list(files) if self.tasks == "all" else self._named(files)
        if both := sorted(set(names) & set(objects)):
            raise MixtureError(
                f"tasks: {both[0]} stands there twice, as a name and as a Task object; rename the object"
            )
        tasks = load_tasks(self.folders, names=names) | objects
        if not tasks:
            raise MixtureError("tasks: the list is empty; name tasks or clusters, or leave it out for all")
        if "all" in tasks:
            raise MixtureError(
                "tasks: one is called all, which `load_dataset` takes for every split at once; rename it"
            )
        return dict(sorted(tasks.items()))

    def _objects(self) -> dict[str, Task]:
        found: dict[str, Task] = {}
        for task in self.tasks:
            if isinstance(task, Task):
                if wrong := "; ".join(name_problems(task.name, task.cluster)):
                    raise MixtureError(f"tasks: a Task object needs name= and cluster=: {wrong}")
                if task.name in found:
                    raise MixtureError(f"tasks: two Task objects are called {task.name}; rename one")
                if self.data == "sample" and not isinstance(task.source, Frame):
                    raise MixtureError(
                        f"tasks: {task.name} is a Task object over files or a hub, and has no sample; "
                        "build it with data: source, or write it as a task file with a sample beside it"
                    )
                found[task.name] = task
        return found

    def _named(self, files: Mapping[str, Path]) -> list[str]:
        clusters: dict[str, list[str]] = {}
        for name, path in files.items():
            clusters.setdefault(path.parent.name, []).append(name)
        names: list[str] = []
        for entry in self.tasks:
            if isinstance(entry, str):
                if entry not in files and entry not in clusters:
                    raise MixtureError(
                        f"tasks: {entry} is neither a task nor a cluster; {nearest(entry, [*files, *clusters])}"
                    )
                names += [entry] if entry in files else clusters[entry]
        return list(dict.fromkeys(names))

    @cached_property
    def held_out(self) -> HoldOut:
        """What trains, what is measured, what leaves and why."""
        listed = [] if self.tasks == "all" else [task if isinstance(task, str) else task.name for task in self.tasks]
        found = resolve(self.chosen, self.hold_out, listed=listed)
        trainless = {
            name: f"{name} has no train split, so it can only be held out"
            for name in found.training
            if "train" not in self.chosen[name].reading(self.data).split_names
        }
        if not trainless:
            return found
        for name in listed:
            if name in trainless:
                raise MixtureError(f"tasks: {trainless[name]}; add it to hold_out, or take it out")
        training = tuple(name for name in found.training if name not in trainless)
        if not training:
            raise MixtureError(f"tasks: nothing is left to train on: {'; '.join(trainless.values())}; add tasks")
        return HoldOut(training, found.measured, {**found.leaving, **trainless})

    @cached_property
    def templates(self) -> dict[str, list[Template]]:
        """The phrasings of every task that trains or is measured.

        Raises:
            MixtureError: no task has a template for a setting, or a task has none for any.

        """
        self._check_weights()
        active = (*self.held_out.training, *self.held_out.measured)
        found = {name: templates_of(self.folders, schema=self.chosen[name].schema, task=name) for name in active}
        self._check_served("settings", self.held_out.training, found)
        self._check_served("held_out_settings", self.held_out.measured, found)
        return found

    def _check_weights(self) -> None:
        if isinstance(self.rates, FixedWeights):
            clusters = {name: task.cluster for name, task in self.chosen.items()}
            if problems := list(self.rates.problems(clusters, self.held_out.training)):
                raise MixtureError("\n".join(problems))

    def _check_served(
        self,
        which: Literal["settings", "held_out_settings"],
        names: tuple[str, ...],
        found: Mapping[str, list[Template]],
    ) -> None:
        settings: tuple[str, ...] = tuple(getattr(self, which))
        served = {
            name: {key for key in settings if serving(found[name], parse_setting(key), task=self.chosen[name])}
            for name in names
        }
        for key in settings:
            if names and not any(key in keys for keys in served.values()):
                raise MixtureError(
                    f"{which}: no task of this mixture has a template for {key}; write one or take the setting out"
                )
        for name, keys in served.items():
            if not keys:
                raise MixtureError(
                    f"{which}: task {name} has no template for {' or '.join(settings)}; write one in "
                    f"templates/{self.chosen[name].schema.folder()}/ or templates/{name}/, or take the task out"
                )

    def portable(self) -> dict[str, Any]:
        """The mixture as plain data without what belongs to one machine: for the manifest and for comparison."""
        values = self.model_dump(mode="json", exclude={"paths", "data_dir", "tasks"})
        names = [task if isinstance(task, str) else f"{_OBJECT}{task.name}" for task in self.tasks]
        for key in ("hold_out", "held_out_settings"):
            values[key] = sorted(set(values[key]))
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


_SAVE = "save it as tasks/<cluster>/<name>.py in a folder of `paths`"


def _parsed(name: str, *, key: str) -> Setting:
    try:
        return parse_setting(name)
    except MixtureError as error:
        raise MixtureError(f"{key}: {error}") from error
