"""The kinds of values that a mixture's keys take, each refused in words where it is wrong.

In: what a user wrote. Out: annotated types for pydantic, which collects what they refuse, so that all problems of a
mixture are told at once, each with its key.
"""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, SkipValidation
from pydantic_core import PydanticCustomError

from instruction_kit.errors import MixtureError, nearest
from instruction_kit.render.setting import Setting, parse_setting
from instruction_kit.task.task import Task
from instruction_kit.template.style import STYLES

T = TypeVar("T")
FROZEN = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
TASK_OBJECT = "Task object "
"""How a written mixture names a task that only lives in a program."""
REFUSED = "mixture"
"""Marks what is refused here: its words need no other."""


def refused(why: str, *, keyed: bool = False) -> PydanticCustomError:
    """What pydantic collects; a line for each problem. `keyed` ones begin with the key that they are of."""
    return PydanticCustomError(REFUSED, "{why}", {"why": why, "keyed": keyed})


def _positive(weight: float) -> float:
    if not 0 < weight < math.inf:
        raise refused(f"{weight} is no weight; give a positive number, or leave the name out")
    return weight


def _setting(name: str) -> Setting:
    try:
        return parse_setting(name)
    except MixtureError as error:
        raise refused(str(error)) from error


def _known(name: str) -> str:
    _setting(name)
    return name


def _measurable(name: str) -> str:
    if _setting(name).inverted:
        raise refused(f"{name} cannot be measured: an inverted template's output is not the answer")
    return name


def _in_order(weights: Mapping[str, T]) -> Mapping[str, T]:
    if not weights:
        raise refused("name at least one")
    return dict(sorted(weights.items()))


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names or len(set(names)) != len(names):
        raise refused("name at least one, each once")
    return names


def _styles(styles: Any) -> Any:
    if styles == "all":
        return styles
    if not isinstance(styles, list | tuple) or not styles:
        raise refused(f"give `all`, or a list of names of styles, not {styles!r}")
    if unknown := [name for name in styles if name not in STYLES]:
        raise refused("\n".join(f"there is no style {name}; {nearest(str(name), STYLES)}" for name in unknown))
    return tuple(styles)


def _entries(tasks: Any) -> Any:
    if tasks == "all":
        return tasks
    if not isinstance(tasks, list | tuple):
        raise refused(f"give `all`, or a list of names and Task objects, not {tasks!r}")
    names = Counter(entry for entry in tasks if isinstance(entry, str))
    wrong = [why for entry in tasks if (why := _entry_problem(entry))]
    wrong += [f"{name} stands there {num} times; name it once" for name, num in names.items() if num > 1]
    if wrong:
        raise refused("\n".join(wrong))
    return tuple(tasks)


def _entry_problem(entry: object) -> str | None:
    save = "save it as tasks/<cluster>/<name>.py in a folder of `paths`"
    if isinstance(entry, str) and entry.startswith(TASK_OBJECT):
        name = entry.removeprefix(TASK_OBJECT)
        return f"{name} was a Task object, which lives only in the program that made it; {save}"
    if not isinstance(entry, str | Task):
        return f"{entry!r} is no name and no Task object; only Python can describe a task: {save}"
    return None


Count = Annotated[int, Field(strict=True)]
"""Strict: `"200"`, `1.0` and `true` are slips, not numbers."""
Weight = Annotated[float, Field(strict=True), AfterValidator(_positive)]
Weights = Annotated[Mapping[str, Weight], AfterValidator(_in_order)]
SettingWeights = Annotated[Mapping[Annotated[str, AfterValidator(_known)], Weight], AfterValidator(_in_order)]
MeasuredSettings = Annotated[tuple[Annotated[str, AfterValidator(_measurable)], ...], AfterValidator(_each_once)]
Names = Annotated[tuple[str, ...], AfterValidator(_each_once)]
OptionStyles = Annotated[Literal["all"] | tuple[str, ...], BeforeValidator(_styles)]
Tasks = Annotated[Literal["all"] | tuple[Annotated[str | Task, SkipValidation], ...], BeforeValidator(_entries)]
