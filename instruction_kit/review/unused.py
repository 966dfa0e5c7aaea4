"""Which templates no task on the search path can use.

In: templates by name, the tasks, and the names of those that some task uses. Out: findings.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from instruction_kit.review.finding import Finding
from instruction_kit.task.task import Task
from instruction_kit.template.load import load_template
from instruction_kit.template.template import Template


def unused_findings(templates: Mapping[str, Path], tasks: Collection[Task], used: Collection[str]) -> Iterator[Finding]:
    """One for each template. Of a schema's folder it is but a remark where nothing here is what a phrasing is for: no
    task at all, or no rows with reasons. It waits for somebody's own.
    """
    waiting: dict[Path, str] = {}
    for name, file in templates.items():
        served = [task for task in tasks if name.split("/")[0] in (task.schema.folder(), task.name)]
        if not served:
            waiting[file.parent] = (
                f"no task here is of the schema of these {len([*file.parent.glob('*.jinja')])} templates"
            )
        elif name not in used:
            template = load_template(file, served[0].schema)
            waits = template.cot and name.split("/")[0] == served[0].schema.folder()
            told = f"{_use(template)}: {_why(template)}"
            yield Finding(str(file), 1, "unused", told, "remark" if waits else "rule")
    for folder, why in waiting.items():
        yield Finding(str(folder), None, "unused", why, "remark")


def _use(template: Template) -> str:
    """What it is not good for; reasons that an answer follows are written by the model that is measured."""
    if not template.cot:
        return "no task can use it"
    return "no task can train on it" if template.inverted else "tasks can be measured with it, and none can train on it"


def _why(template: Template) -> str:
    if template.cot:
        return "it prints a rationale, which the rows of none bring"
    return "it needs options, and none has any" if template.needs_options else "none has the fields that it needs"
