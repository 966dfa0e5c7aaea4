"""A mixture as plain data: for the manifest and for comparison, and for another process on this machine.

In: a mixture. Out: what YAML or JSON can hold. The portable form leaves out what belongs to one machine, and says the
same for two mixtures that mean the same; the local one keeps it. A Task object has only its name in either, so nothing
makes it again.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from instruction_kit.mixture.exemplars import LOCAL
from instruction_kit.mixture.part import Part
from instruction_kit.mixture.value import TASK_OBJECT
from instruction_kit.task.task import Task

if TYPE_CHECKING:
    from instruction_kit.mixture.mixture import Mixture


def portable(mixture: "Mixture") -> dict[str, Any]:
    """Key -> value, where the tasks stand before the others; what only lists names lists them in order."""
    values = mixture.model_dump(mode="json", exclude={"paths", "data_dir", "tasks", "parts"})
    for key in ("hold_out", "held_out_settings", "licenses", "exclude_licenses", "languages"):
        values[key] = values[key] and sorted(set(values[key]))
    if mixture.budget and mixture.budget.tokenizer and Path(mixture.budget.tokenizer).is_dir():
        values["budget"]["tokenizer"] = Path(mixture.budget.tokenizer).name
    return {**_places(mixture), **values}


def local(mixture: "Mixture") -> dict[str, Any]:
    """The keys of a mixture that is the same, for a process that stands in the same folder."""
    values = mixture.model_dump(mode="json", exclude={"tasks", "parts"}, context=LOCAL)
    return {**_places(mixture, LOCAL), **values}


def task_objects(mixture: "Mixture") -> list[str]:
    """Names of the Task objects in it."""
    entries = [entry for part in mixture.homes.values() if part.tasks != "all" for entry in part.tasks]
    return sorted({entry.name for entry in entries if isinstance(entry, Task)})


def _places(part: Part, context: str | None = None) -> dict[str, Any]:
    """Where the tasks of a part stand: its parts with what each of them says, or the tasks' names."""
    if not part.parts:
        names = [task if isinstance(task, str) else f"{TASK_OBJECT}{task.name}" for task in part.tasks]
        return {"tasks": "all" if part.tasks == "all" else sorted(set(names))}
    said = {
        name: own.model_dump(mode="json", include=own.model_fields_set - {"tasks", "parts"}, context=context)
        for name, own in part.parts.items()
    }
    return {"parts": {name: {**_places(own, context), **said[name]} for name, own in part.parts.items()}}
