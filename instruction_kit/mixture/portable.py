"""A mixture as plain data without what belongs to one machine: for the manifest and for comparison."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from instruction_kit.mixture.part import Part
from instruction_kit.mixture.value import TASK_OBJECT

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


def _places(part: Part) -> dict[str, Any]:
    """Where the tasks of a part stand: its parts with what each of them says, or the tasks' names."""
    if not part.parts:
        names = [task if isinstance(task, str) else f"{TASK_OBJECT}{task.name}" for task in part.tasks]
        return {"tasks": "all" if part.tasks == "all" else sorted(set(names))}
    said = {
        name: own.model_dump(mode="json", include=own.model_fields_set - {"tasks", "parts"})
        for name, own in part.parts.items()
    }
    return {"parts": {name: {**_places(own), **said[name]} for name, own in part.parts.items()}}
