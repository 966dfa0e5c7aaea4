"""Which templates a mixture has for its tasks, and whether they serve its settings.

In: tasks, settings, and the templates that the filters leave. Out: what nobody serves, in words.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from instruction_kit.errors import InstructionKitError, TemplateError
from instruction_kit.render.setting import parse_setting, serving
from instruction_kit.task.task import Task
from instruction_kit.template.load import templates_of
from instruction_kit.template.template import Template

Readable = tuple[dict[str, list[Template]], list[InstructionKitError]]


def all_templates(tasks: Mapping[str, Task], *, folders: Sequence[Path]) -> Readable:
    """The templates of each task as far as they can be read, and what is wrong with the others."""
    found: dict[str, list[Template]] = {}
    problems: list[InstructionKitError] = []
    for name, task in tasks.items():
        try:
            found[name] = templates_of(folders, schema=task.schema, task=name)
        except TemplateError as error:
            problems.append(error)
    return found, problems


def unserved(
    which: Literal["settings", "held_out_settings"],
    settings: Sequence[str],
    tasks: Mapping[str, Task],
    templates: Mapping[str, Sequence[Template]],
) -> Iterator[str]:
    """Settings that no task serves, and tasks that serve none of those that others do."""
    served = {
        name: {key for key in settings if serving(templates[name], parse_setting(key), task=task)}
        for name, task in tasks.items()
    }
    lost = [key for key in settings if served and not any(key in keys for keys in served.values())]
    for key in lost:
        yield f"{which}: no task of this mixture has a template for {key}; write one or take the setting out"
    for name, keys in served.items():
        if not keys and len(lost) < len(settings):
            yield (
                f"{which}: task {name} has no template for {' or '.join(settings)}; write one in "
                f"templates/{tasks[name].schema.folder()}/ or templates/{name}/, or take the task out"
            )
