"""`check`: every problem of every task, exemplar file and template at once, without data.

In: folders. Out: a report. With folders given, their files are checked against the library; without, the library's
own are.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from instruction_kit.cli.catalogue import known_schemas
from instruction_kit.errors import InstructionKitError, TaskError, TemplateError, nearest
from instruction_kit.library import search_path
from instruction_kit.schema.field import Label
from instruction_kit.schema.schema import Schema
from instruction_kit.task.check import words_of
from instruction_kit.task.exemplars import read_exemplars
from instruction_kit.task.load import load_task, task_files
from instruction_kit.task.task import Task
from instruction_kit.template.front import read_front
from instruction_kit.template.load import load_template, read_template, template_files
from instruction_kit.template.parse import parse


@dataclass(frozen=True)
class Report:
    """What was checked, and what is wrong."""

    num_tasks: int
    num_templates: int
    problems: tuple[str, ...]


def check_folders(folders: Sequence[Path]) -> Report:
    """Check the tasks and templates of these folders, or of the library.

    Raises:
        InstructionKitError: a folder does not exist, or holds neither tasks nor templates.

    """
    path = search_path(folders)
    own = path[1:] or path
    files, task_problems = _files(path)
    tasks, more = _tasks(files)
    task_problems += more
    mine = [file for file in files.values() if _within(file, own)]
    templates = {name: file for name, file in template_files(path).items() if _within(file, own)}
    found = [problem for file, problem in task_problems if _within(file, own)]
    for file in templates.values():
        found += _template_problems(file, tasks, unusable=files.keys() - tasks)
    found += [why for task in tasks.values() if task.path in mine for why in _exemplar_problems(task)]
    found += _without_templates([task for task in tasks.values() if task.path in mine], path)
    found += _strays(own)
    return Report(len(mine), len(templates), tuple(found))


def _within(file: Path, folders: Sequence[Path]) -> bool:
    return any(file.is_relative_to(folder) for folder in folders)


def _files(path: Sequence[Path]) -> tuple[dict[str, Path], list[tuple[Path, str]]]:
    """Every folder's task files, also of one in which two share a name."""
    files: dict[str, Path] = {}
    problems: list[tuple[Path, str]] = []
    for folder in path:
        try:
            files |= task_files([folder])
        except TaskError as error:
            problems.append((folder, str(error)))
            files |= {file.stem: file for file in sorted(folder.glob("tasks/*/*.py"))}
    return files, problems


def _tasks(files: Mapping[str, Path]) -> tuple[dict[str, Task], list[tuple[Path, str]]]:
    tasks, problems = {}, []
    for name, file in files.items():
        try:
            tasks[name] = load_task(file)
        except TaskError as error:
            problems += [(file, problem) for problem in _each(error, file)]
    return tasks, problems


def _each(error: InstructionKitError, file: Path) -> list[str]:
    """The problems of one file, which are told together; a text of several lines is one."""
    return re.split(rf"\n(?={re.escape(str(file))}:)", str(error))


def _template_problems(file: Path, tasks: dict[str, Task], *, unusable: AbstractSet[str]) -> Iterator[str]:
    folder, known = file.parent.name, known_schemas(tasks)
    schema = known.get(folder) or (tasks[folder].schema if folder in tasks else None)
    if schema is None:
        if folder not in unusable:
            yield f"{file}: the folder {folder} is neither a schema nor a task; {nearest(folder, [*known, *tasks])}"
        yield from _problems_without_schema(file)
        return
    try:
        load_template(file, schema)
    except TemplateError as error:
        yield from _each(error, file)
    try:
        front = read_front(read_template(file).splitlines(), where=str(file))
    except TemplateError:
        return  # told above
    serves = [tasks[folder]] if folder in tasks else [task for task in tasks.values() if task.schema is schema]
    if said := front.values.answers:
        for problem in _answer_problems(said, schema, serves):
            yield f"{file}:{front.lines['answers']}: {problem}"


def _problems_without_schema(file: Path) -> Iterator[str]:
    try:
        yield from parse(read_template(file), where=str(file)).problems
    except TemplateError as error:
        yield str(error)


def _answer_problems(said: Mapping[str, str], schema: type[Schema], tasks: Sequence[Task]) -> Iterator[str]:
    if not isinstance(schema.target, Label):
        yield f"answers names words for classes, and {schema.__name__} has none; take it out"
        return
    literal = get_args(schema.model_fields[schema.target.field].annotation)
    classes = {name for task in tasks for name in task.classes} | set(literal)
    for name in said:
        if name not in classes:
            yield f"answers has {name}, which is no class here; {nearest(name, classes)}"
    for task in tasks:
        words = words_of(task.classes, {**task.answers, **said})
        if len(set(words)) != len(words):
            yield f"gives two classes of task {task.name} the same words: {', '.join(words)}"


def _without_templates(tasks: Sequence[Task], path: Sequence[Path]) -> Iterator[str]:
    folders = {name.split("/")[0] for name in template_files(path)}
    for task in tasks:
        if task.schema.folder() not in folders and task.name not in folders:
            places = f"templates/{task.schema.folder()}/ or templates/{task.name}/"
            yield f"{task.path}: no template serves it; write one in {places}"


def _exemplar_problems(task: Task) -> list[str]:
    try:
        read_exemplars(task)
    except TaskError as error:
        return str(error).split("\n")
    return []


def _strays(folders: Sequence[Path]) -> Iterator[str]:
    """Files that look like a task or a template and lie where none is found."""
    for folder in folders:
        for file in [*folder.glob("tasks/*.py"), *folder.glob("tasks/*/*/*.py")]:
            if "__pycache__" not in file.parts:
                yield f"{file}: a task file lies at tasks/<cluster>/<task>.py"
        for file in folder.glob("tasks/**/*.exemplars.jsonl"):
            if not file.with_name(file.name.replace(".exemplars.jsonl", ".py")).is_file():
                yield f"{file}: there is no task file of this name beside it, so nothing reads it"
        for file in [*folder.glob("templates/*.jinja"), *folder.glob("templates/*/*/*.jinja")]:
            yield f"{file}: a template lies at templates/<schema or task>/<name>.jinja"
        for file in [*folder.glob("templates/*/*.jinja2"), *folder.glob("templates/*/*.j2")]:
            yield f"{file}: the suffix of a template is .jinja"
