"""Task files become tasks: `tasks/<cluster>/<task>.py` on the search path.

In: folders. Out: tasks by name. A task exists because its file lies there; a file that cannot be used is an error
with file and line, never skipped. Task files are code and run as an import would run them, so only folders that the
user named are searched.
"""

import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

import instruction_kit
from instruction_kit import schema
from instruction_kit.errors import InstructionKitError, TaskError, nearest
from instruction_kit.task.check import name_problems
from instruction_kit.task.task import Task


def task_files(folders: Sequence[Path]) -> dict[str, Path]:
    """Name -> file; a later folder overrides an earlier one, two files of one name in one folder are an error."""
    found: dict[str, Path] = {}
    for folder in folders:
        here: dict[str, Path] = {}
        for path in sorted(folder.glob("tasks/*/*.py")):
            if path.stem in here:
                raise TaskError(f"{path}: a task of this name stands in {here[path.stem]} too; rename one")
            here[path.stem] = path
        found |= here
    return found


def load_task(path: Path) -> Task:
    """Run one task file and take its `task`.

    Raises:
        TaskError: the file's name cannot be used, it does not run, or it has no `task`; all at once.

    """
    problems = [f"{path}: {problem}" for problem in name_problems(path.stem, path.parent.name)]
    try:
        task = _run(path).get("task")
    except TaskError as error:
        raise TaskError("\n".join([*problems, str(error)])) from error
    if not isinstance(task, Task):
        raise TaskError("\n".join([*problems, f"{path}: the file defines no `task = Task(…)`"]))
    if problems:
        raise TaskError("\n".join(problems))
    return task.named(name=path.stem, cluster=path.parent.name, path=path)


def _run(path: Path) -> dict[str, Any]:
    """What the file defines."""
    module = ModuleType(f"instruction_kit_task_{path.stem}")
    module.__file__ = str(path)
    try:
        code = compile(path.read_text(encoding="utf-8"), str(path), "exec")
        exec(code, module.__dict__)  # noqa: S102 - a task file is code that the user named, as an import is
    except InstructionKitError as error:
        raise TaskError(f"{line_of(path, error)}: {error}") from error
    except ITS_OWN as error:
        raise TaskError(f"{line_of(path, error)}: {type(error).__name__}: {error}{_meant(error, module)}") from error
    return module.__dict__


def _meant(error: BaseException, module: ModuleType) -> str:
    """A name close to one that is not there: of the file's own, or of what a task file imports."""
    if not isinstance(error, NameError) or not error.name:
        return ""
    told = nearest(error.name, {*module.__dict__, *instruction_kit.__all__, *schema.__all__})
    return f"; {told}" if told.startswith("did you mean") else ""


ITS_OWN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    StopIteration,
    SyntaxError,
    SystemExit,
    TypeError,
    ValueError,
    pl.exceptions.PolarsError,
)
"""What a task file's own code may raise, as it is loaded and in its functions over rows."""


def line_of(path: Path, error: BaseException) -> str:
    """`file:line` of the place in the task file where it went wrong."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)


def load_tasks(folders: Sequence[Path], *, names: Iterable[str] | None = None) -> dict[str, Task]:
    """Load the named tasks, or all.

    Raises:
        TaskError: a name is unknown, or files cannot be used; all of them are told at once.

    """
    files = task_files(folders)
    wanted = list(files) if names is None else list(names)
    tasks, problems = {}, []
    for name in wanted:
        if name not in files:
            problems.append(f"no task {name}; {nearest(name, files)}")
            continue
        try:
            tasks[name] = load_task(files[name])
        except TaskError as error:
            problems.append(str(error))
    if problems:
        raise TaskError("\n".join(problems))
    return tasks
