"""Which tasks a mixture chooses: names of tasks and clusters on the search path, and Task objects.

In: the entries of `tasks`. Out: the tasks by name as far as they can be read, and everything that is wrong with the
others.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from instruction_kit.errors import InstructionKitError, MixtureError, TaskError, nearest
from instruction_kit.source import Frame
from instruction_kit.task.check import name_problems
from instruction_kit.task.load import load_task, task_files
from instruction_kit.task.task import Task

Choice = tuple[dict[str, Task], list[InstructionKitError]]


def choose(
    entries: Literal["all"] | Sequence[str | Task], *, folders: Sequence[Path], data: Literal["source", "sample"]
) -> Choice:
    """The tasks in the order of their names, and what is wrong."""
    try:
        files = task_files(folders)
    except TaskError as error:
        return {}, [error]
    objects = [entry for entry in entries if isinstance(entry, Task)]
    names = list(files) if entries == "all" else [entry for entry in entries if isinstance(entry, str)]
    told = [*_object_problems(objects, data), *_name_problems(names, files)]
    wanted = _wanted(names, files)
    told += [
        f"{task.name} stands there twice, as a name and as a Task object; rename the object"
        for task in objects
        if task.name in wanted
    ]
    if not entries:
        told.append("the list is empty; name tasks or clusters, or leave it out for all")
    tasks, problems = _loaded({name: files[name] for name in wanted})
    tasks |= {task.name: task for task in objects}
    if "all" in tasks:
        told.append("one is called all, which `load_dataset` takes for every split at once; rename it")
    wrong = [MixtureError(f"tasks: {why}") for why in dict.fromkeys(told)]
    return dict(sorted(tasks.items())), [*wrong, *problems]


def _object_problems(objects: Sequence[Task], data: Literal["source", "sample"]) -> Iterator[str]:
    names = [task.name for task in objects]
    for task in objects:
        if wrong := "; ".join(name_problems(task.name, task.cluster)):
            yield f"a Task object needs name= and cluster=: {wrong}"
        elif names.count(task.name) > 1:
            yield f"two Task objects are called {task.name}; rename one"
        if data == "sample" and not isinstance(task.source, Frame):
            yield (
                f"{task.name} is a Task object over files or a hub, and has no sample; "
                "build it with data: source, or write it as a task file with a sample beside it"
            )


def _name_problems(names: Sequence[str], files: Mapping[str, Path]) -> Iterator[str]:
    known = {*files, *(path.parent.name for path in files.values())}
    for name in names:
        if name not in known:
            yield f"{name} is neither a task nor a cluster; {nearest(name, known)}"


def _wanted(names: Sequence[str], files: Mapping[str, Path]) -> list[str]:
    """Names of tasks, those of clusters resolved; a task comes before a cluster of its name."""
    found: list[str] = []
    for name in names:
        found += [name] if name in files else [task for task, path in files.items() if path.parent.name == name]
    return list(dict.fromkeys(found))


def _loaded(files: Mapping[str, Path]) -> Choice:
    tasks: dict[str, Task] = {}
    problems: list[InstructionKitError] = []
    for name, path in files.items():
        try:
            tasks[name] = load_task(path)
        except TaskError as error:
            problems.append(error)
    return tasks, problems
