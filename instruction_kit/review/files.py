"""Every task, exemplar file and template of some folders, read without data, and all that keeps one from being used.

In: folders. Out: what can be used of them and of the library, and every problem at once. With folders given, their
files are checked against the library; without, the library's own are.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from instruction_kit.errors import InstructionKitError, TaskError, TemplateError, nearest
from instruction_kit.library import search_path
from instruction_kit.review.finding import Finding, problem
from instruction_kit.schema.field import Label
from instruction_kit.schema.schema import Schema
from instruction_kit.task.check import words_of
from instruction_kit.task.exemplars import read_exemplars
from instruction_kit.task.load import load_task, task_files
from instruction_kit.task.task import Task
from instruction_kit.template.front import read_front
from instruction_kit.template.load import known_schemas, load_template, read_template, template_files
from instruction_kit.template.parse import parse
from instruction_kit.template.template import Template


@dataclass(frozen=True)
class Read:
    """What lies on the search path, as far as it can be used."""

    path: tuple[Path, ...]
    own: tuple[Path, ...]
    """Folders whose files are looked at; the others are there to be used with them."""
    tasks: Mapping[str, Task]
    templates: Mapping[str, Path]
    """`folder/name` -> file, of those that can be used."""
    num_templates: int
    """Files of templates in the folders that are looked at."""
    problems: tuple[Finding, ...]

    def is_own(self, file: Path | None) -> bool:
        """Whether a file is looked at."""
        return file is not None and _within(file, self.own)

    def templates_of(self, task: Task) -> list[Template]:
        """The phrasings of a task: its schema's and its own."""
        folders = (task.schema.folder(), task.name)
        files = [file for name, file in self.templates.items() if name.split("/")[0] in folders]
        return [load_template(file, task.schema) for file in files]


def read_folders(folders: Sequence[Path], *, beside: Sequence[Path] = ()) -> Read:
    """Read the tasks and templates of these folders, or of the library; what lies beside them may be used by them.

    Raises:
        InstructionKitError: a folder does not exist, or holds neither tasks nor templates.

    """
    path = search_path([*beside, *folders])
    own = path[1 + len(beside) :] or path[:1]
    files, task_problems = _files(path)
    tasks, more = _tasks(files)
    told = [problem(why, file) for file, why in [*task_problems, *more] if _within(file, own)]
    templates = template_files(path)
    mine = {name: file for name, file in templates.items() if _within(file, own)}
    bad = {file: list(_template_problems(file, tasks, unusable=files.keys() - tasks)) for file in mine.values()}
    told += [problem(why, file) for file, problems in bad.items() for why in problems]
    my_tasks = [task for task in tasks.values() if task.path and _within(task.path, own)]
    told += [problem(why, file) for task in my_tasks for file, why in _exemplar_problems(task)]
    told += [problem(why, file) for file, why in [*_without_templates(my_tasks, path), *_strays(own)]]
    odd = {file: why for task in my_tasks for file, why in _misfits(task, templates.values(), own)}
    told += [problem(why, Path(why.partition(": ")[0])) for why in dict.fromkeys(odd.values())]
    usable = {name: file for name, file in templates.items() if not bad.get(file) and file not in odd}
    return Read(tuple(path), tuple(own), tasks, usable, len(mine), tuple(told))


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
            problems.append((Path(str(error).partition(": ")[0]), str(error)))
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


Problems = Iterator[tuple[Path, str]]


def _without_templates(tasks: Sequence[Task], path: Sequence[Path]) -> Problems:
    folders = {name.split("/")[0] for name in template_files(path)}
    for task in tasks:
        if task.schema.folder() not in folders and task.name not in folders:
            places = f"templates/{task.schema.folder()}/ or templates/{task.name}/"
            yield task.path or Path(), f"{task.path}: no template serves it; write one in {places}"


def _misfits(task: Task, templates: Iterable[Path], own: Sequence[Path]) -> Problems:
    """Somebody else's phrasings that a task gets with the name that it takes, and that are of another schema."""
    for file in templates:
        if file.parent.name != task.name or _within(file, own):
            continue
        try:
            load_template(file, task.schema)
        except TemplateError:
            told = f"the phrasings in {file.parent} are for a task of this name, and not for {task.schema.__name__}"
            yield file, f"{task.path}: {told}; give the task another name"


def _exemplar_problems(task: Task) -> Problems:
    try:
        read_exemplars(task)
    except TaskError as error:
        for why in str(error).split("\n"):
            yield task.exemplar_path or Path(), why


def _strays(folders: Sequence[Path]) -> Problems:
    """Files that look like a task or a template and lie where none is found."""
    for folder in folders:
        for file in [*folder.glob("tasks/*.py"), *folder.glob("tasks/*/*/*.py")]:
            if "__pycache__" not in file.parts:
                yield file, f"{file}: a task file lies at tasks/<cluster>/<task>.py"
        for file in folder.glob("tasks/**/*.exemplars.jsonl"):
            if not file.with_name(file.name.replace(".exemplars.jsonl", ".py")).is_file():
                yield file, f"{file}: there is no task file of this name beside it, so nothing reads it"
        for file in [*folder.glob("templates/*.jinja"), *folder.glob("templates/*/*/*.jinja")]:
            yield file, f"{file}: a template lies at templates/<schema or task>/<name>.jinja"
        for file in [*folder.glob("templates/*/*.jinja2"), *folder.glob("templates/*/*.j2")]:
            yield file, f"{file}: the suffix of a template is .jinja"
