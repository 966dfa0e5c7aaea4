"""Where a task stands: the parts of a mixture that hold tasks themselves, and what each of them chooses.

In: parts by their paths; only one, of no name, where a mixture is not made of others. Out: their tasks, what is wrong
with them, and the part of each. A task stands in one part: in two it would be counted twice, and drawn alike in both.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from instruction_kit.errors import MixtureError
from instruction_kit.mixture.choose import Choice, choose
from instruction_kit.mixture.part import Part


def choices(
    homes: Mapping[str, Part], *, folders: Sequence[Path], data: Literal["source", "sample"]
) -> dict[str, Choice]:
    """Path -> the tasks of the part that stands there, and what is wrong with them."""
    return {path: choose(part.tasks, folders=folders, data=data) for path, part in homes.items()}


def together(choices: Mapping[str, Choice]) -> Choice:
    """The tasks of all parts, and what is wrong with any."""
    tasks = {name: task for found, _ in choices.values() for name, task in found.items()}
    wrong = [problem for _, problems in choices.values() for problem in problems]
    return dict(sorted(tasks.items())), [*wrong, *map(MixtureError, _twice(choices))]


def _twice(choices: Mapping[str, Choice]) -> Iterator[str]:
    places: dict[str, list[str]] = {}
    for path, (found, _) in choices.items():
        for name in found:
            places.setdefault(name, []).append(path)
    for name, paths in places.items():
        if len(paths) > 1:
            yield f"parts: {name} stands in {' and in '.join(paths)}; take it out of all but one"


def home_of(choices: Mapping[str, Choice], task: str) -> str:
    """The path of the part that a task stands in."""
    return next((path for path, (found, _) in choices.items() if task in found), "")


def listed_in(homes: Mapping[str, Part]) -> list[str]:
    """Tasks and clusters that are asked for by name, and must not leave unnoticed."""
    named = [part.tasks for part in homes.values() if part.tasks != "all" and not part.may_leave]
    return [task if isinstance(task, str) else task.name for tasks in named for task in tasks]
