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
    """One for each template; where a schema has no task at all, one remark, since it waits for somebody's own."""
    waiting: dict[Path, str] = {}
    for name, file in templates.items():
        served = [task for task in tasks if name.split("/")[0] in (task.schema.folder(), task.name)]
        if not served:
            waiting[file.parent] = (
                f"no task here is of the schema of these {len([*file.parent.glob('*.jinja')])} templates"
            )
        elif name not in used:
            yield Finding(str(file), 1, "unused", f"no task can use it: {_why(load_template(file, served[0].schema))}")
    for folder, why in waiting.items():
        yield Finding(str(folder), None, "unused", why, "remark")


def _why(template: Template) -> str:
    if template.cot:
        return "it prints a rationale, which the rows of none bring"
    return "it needs options, and none has any" if template.needs_options else "none has the fields that it needs"
