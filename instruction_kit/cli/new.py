"""`new`: the file of a new template or task, begun so that it can be used at once.

In: a schema, a name, and the folder of the user's own. Out: a file that was not there before, and what to do with it.
"""

from pathlib import Path

from instruction_kit.cli.starter import task_text, template_text
from instruction_kit.errors import InstructionKitError, TaskError, TemplateError, nearest
from instruction_kit.library import library_folder
from instruction_kit.schema.schema import Schema
from instruction_kit.task.check import name_problems
from instruction_kit.task.load import load_tasks
from instruction_kit.task.task import Task
from instruction_kit.template.load import known_schemas


def new_template(about: str, name: str, *, folder: Path) -> Path:
    """Begin a phrasing of a schema, or of one task.

    Raises:
        TemplateError: there is no such schema or task, the name cannot be one, or the file is there.

    """
    tasks = _tasks(folder)
    schemas = known_schemas(tasks)
    if about in tasks:
        schema, where = tasks[about].schema, about
    else:
        schema = _schema(about, schemas, [*tasks])
        where = schema.folder()
    for problem in name_problems(name, "x"):
        raise TemplateError(problem.replace("task name", "template's name"))
    return _written(folder / "templates" / where / f"{name}.jinja", template_text(schema), TemplateError)


def new_task(name: str, *, schema: str, cluster: str, folder: Path) -> Path:
    """Begin a task.

    Raises:
        TaskError: there is no such schema, a name cannot be one, or the folder has a task of this name.

    """
    for problem in name_problems(name, cluster):
        raise TaskError(problem)
    for there in folder.glob(f"tasks/*/{name}.py"):
        raise TaskError(f"{there}: is there already; give another name")
    found = _schema(schema, known_schemas({}), [])
    return _written(folder / "tasks" / cluster / f"{name}.py", task_text(name, found), TaskError)


def _tasks(folder: Path) -> dict[str, Task]:
    """Those of the library, and those of the user's folder where it has any."""
    mine = [folder] if (folder / "tasks").is_dir() and folder.resolve() != library_folder() else []
    return load_tasks([library_folder(), *mine])


def _schema(said: str, schemas: dict[str, type[Schema]], tasks: list[str]) -> type[Schema]:
    for folder, schema in schemas.items():
        if said in (folder, schema.__name__):
            return schema
    near = nearest(said, [*(schema.__name__ for schema in schemas.values()), *tasks])
    raise InstructionKitError(f"no schema{' or task' if tasks else ''} {said}; {near}")


def _written(path: Path, text: str, error: type[InstructionKitError]) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as there:
        raise error(f"{path}: is there already; give another name") from there
    return path
