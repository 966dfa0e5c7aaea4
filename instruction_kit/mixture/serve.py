"""Which templates a mixture has for its tasks, and whether they serve its settings.

In: tasks, settings, and the templates that the filters leave. Out: what nobody serves, in words.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from instruction_kit.errors import InstructionKitError, TemplateError, nearest
from instruction_kit.render.setting import ExemplarSource, has_exemplars, parse_setting, serving
from instruction_kit.task.task import Task
from instruction_kit.template.fields import Wording, fields_template
from instruction_kit.template.language import RATIONALE
from instruction_kit.template.load import template_files, templates_of
from instruction_kit.template.template import Template

Readable = tuple[dict[str, list[Template]], list[InstructionKitError]]


def all_templates(
    tasks: Mapping[str, Task], *, folders: Sequence[Path], wording: Mapping[str, Wording] | None = None
) -> Readable:
    """The templates of each task as far as they can be read, and what is wrong with the others."""
    found: dict[str, list[Template]] = {}
    problems: list[InstructionKitError] = []
    files = template_files(folders)
    for name, task in tasks.items():
        if (words := (wording or {}).get(name, "templates")) != "templates":
            own = fields_template(task.schema, task=name, cluster=task.cluster, named=words == "name")
            found[name] = [own]
            continue
        try:
            found[name] = templates_of(folders, schema=task.schema, task=name, files=files)
        except TemplateError as error:
            problems.append(error)
    return found, problems


def unserved(
    which: str,
    settings: Sequence[str],
    tasks: Mapping[str, Task],
    templates: Mapping[str, Sequence[Template]],
    exemplars: ExemplarSource,
    *,
    measured: bool = False,
) -> Iterator[str]:
    """Settings that no task serves, and tasks that serve none of those that others do."""
    served = _served(settings, tasks, templates, exemplars, measured=measured)
    lost = _lost(settings, served)
    yield from (_no_task(which, key, tasks, templates, exemplars) for key in lost)
    for name, keys in served.items():
        if not keys and len(lost) < len(settings):
            lacking = _lacking_here(settings, tasks[name], templates[name], exemplars)
            yield f"{which}: task {name} has {lacking}, or take the task out"


def served_by_none(
    which: str,
    settings: Sequence[str],
    tasks: Mapping[str, Task],
    templates: Mapping[str, Sequence[Template]],
    exemplars: ExemplarSource,
) -> Iterator[str]:
    """Settings that no task serves."""
    for key in _lost(settings, _served(settings, tasks, templates, exemplars)):
        yield _no_task(which, key, tasks, templates, exemplars)


def _served(
    settings: Sequence[str],
    tasks: Mapping[str, Task],
    templates: Mapping[str, Sequence[Template]],
    exemplars: ExemplarSource,
    *,
    measured: bool = False,
) -> dict[str, set[str]]:
    find = partial(serving, exemplars=exemplars, measured=measured)
    return {
        name: {key for key in settings if find(templates[name], parse_setting(key), task=task)}
        for name, task in tasks.items()
    }


def _lost(settings: Sequence[str], served: Mapping[str, set[str]]) -> list[str]:
    return [key for key in settings if served and not any(key in keys for keys in served.values())]


def _no_task(
    which: str,
    key: str,
    tasks: Mapping[str, Task],
    templates: Mapping[str, Sequence[Template]],
    exemplars: ExemplarSource,
) -> str:
    lacking = _lacking(key, tasks, templates, exemplars)
    return f"{which}: no task of this mixture has {lacking} or take the setting out"


def unlike(task: Task, field: str | None, settings: Sequence[str]) -> Iterator[str]:
    """A task that shows exemplars, and has not the field in which these are to be alike."""
    fields = task.schema.model_fields
    if field and field not in fields and any(parse_setting(key).few_shot for key in settings):
        yield f"exemplars: task {task.name} has no field {field} to be alike in; {nearest(field, fields)}"


_MEND: dict[ExemplarSource, str] = {
    "rows": "give it a train split, or write <task>.exemplars.jsonl beside its file and say `source: file`",
    "file": "write <task>.exemplars.jsonl beside its file",
    "prompts": "say in its file which columns prompts fill: prompts={…}",
}
"""What gives a task exemplars."""


def _shows(key: str, task: Task, exemplars: ExemplarSource) -> bool:
    return has_exemplars(task, exemplars, reasoned=parse_setting(key).cot)


def _mend(key: str, exemplars: ExemplarSource) -> str:
    return _MEND["file" if exemplars == "rows" and parse_setting(key).cot else exemplars]


def _lacking(
    key: str, tasks: Mapping[str, Task], templates: Mapping[str, Sequence[Template]], exemplars: ExemplarSource
) -> str:
    if parse_setting(key).few_shot and not any(_shows(key, task, exemplars) for task in tasks.values()):
        return f"anything to show exemplars from for {key}; {_mend(key, exemplars)}"
    if any(_lacks_reasons(key, task, templates[name], exemplars) for name, task in tasks.items()):
        return f"rows with reasons for {key}; {_REASONS},"
    return f"a template for {key}; write one"


def _lacking_here(settings: Sequence[str], task: Task, templates: Sequence[Template], exemplars: ExemplarSource) -> str:
    if all(parse_setting(key).few_shot and not _shows(key, task, exemplars) for key in settings):
        return f"nothing to show exemplars from; {_mend(settings[0], exemplars)}"
    if all(_lacks_reasons(key, task, templates, exemplars) for key in settings):
        return f"no rows with reasons for {' or '.join(settings)}; {_REASONS}"
    where = f"templates/{task.schema.folder()}/ or templates/{task.name}/"
    return f"no template for {' or '.join(settings)}; write one in {where}"


_REASONS = f"say in a task file which column holds them ({RATIONALE}=…)"


def _lacks_reasons(key: str, task: Task, templates: Sequence[Template], exemplars: ExemplarSource) -> bool:
    """Whether only reasons are missing: a measured task, whose model writes them, would serve the setting."""
    return RATIONALE not in task.columns and bool(
        serving(templates, parse_setting(key), task=task, exemplars=exemplars, measured=True)
    )
