"""The user's own folders on the search path: what they override, and those that the environment names, said aloud.

In: folders. Out: a line each on standard error; none for a folder that was typed and only adds. What the files hold is
not looked into here.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from instruction_kit.cli.console import err
from instruction_kit.cli.option import ENVIRONMENT
from instruction_kit.library import library_folder

TASKS, TEMPLATES = "tasks/*/*.py", "templates/*/*.jinja"


def say_folders(folders: Sequence[Path]) -> None:
    """What stands in place of something of the library or of an earlier folder, by name."""
    before = _names(library_folder())
    named = {Path(part) for part in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if part}
    for folder in folders:
        mine = _names(folder) if folder.resolve() != library_folder() else set()
        said = [f"by {ENVIRONMENT}"] if folder in named else []
        said += [f"in place of others of these names: {', '.join(sorted(mine & before))}"] if mine & before else []
        if said:
            err.print(f"{folder}: {'; '.join(said)}", highlight=False, markup=False, soft_wrap=True)
        before |= mine


def _names(folder: Path) -> set[str]:
    """A task by its name alone, a template with its folder's, as they are found on the search path."""
    tasks = {file.stem for file in folder.glob(TASKS)}
    return tasks | {f"{file.parent.name}/{file.stem}" for file in folder.glob(TEMPLATES)}
