"""Settings: how a pair is prompted, `<zero_shot|few_shot>.<options|no_options>[.cot][.inverted]`.

In: a setting's name. Out: its parts, and whether a template serves it for a task. `few_shot` needs exemplars and comes
with them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from instruction_kit.errors import MixtureError, TemplateError, nearest
from instruction_kit.task.task import Task
from instruction_kit.template.language import RATIONALE
from instruction_kit.template.template import Template


@dataclass(frozen=True, order=True)
class Setting:
    """The parts of one setting."""

    options: bool
    cot: bool = False
    inverted: bool = False

    def __str__(self) -> str:
        tail = ".cot" * self.cot + ".inverted" * self.inverted
        return f"zero_shot.{'options' if self.options else 'no_options'}{tail}"


SETTINGS: dict[str, Setting] = {
    str(setting): setting
    for setting in (Setting(o, c, i) for o in (True, False) for c in (False, True) for i in (False, True))
}


def parse_setting(name: str) -> Setting:
    """Read a setting's name.

    Raises:
        MixtureError: there is no such setting.

    """
    if name.startswith("few_shot"):
        raise MixtureError(
            f"setting {name}: few-shot prompts need exemplars, which this version does not have yet; use zero_shot.…"
        )
    if name not in SETTINGS:
        raise MixtureError(f"no setting {name}; {nearest(name, SETTINGS)}")
    return SETTINGS[name]


def serves(template: Template, setting: Setting, *, task: Task) -> bool:
    """Whether this phrasing can stand in this setting for this task.

    A task without options serves `options` settings with none to list.
    """
    if template.inverted != setting.inverted or template.cot != setting.cot:
        return False
    if RATIONALE in template.reads and RATIONALE not in task.columns:
        return False
    if not task.has_options:
        return not template.needs_options
    return template.shows_options if setting.options else not template.needs_options


def serving(templates: Iterable[Template], setting: Setting, *, task: Task) -> list[Template]:
    """The templates that serve a setting, in their order."""
    return [template for template in templates if serves(template, setting, task=task)]


def once_each(
    templates: Sequence[Template], settings: Sequence[Setting], *, task: Task
) -> list[tuple[Template, Setting]]:
    """Each template in the first setting that it serves.

    Raises:
        TemplateError: none of them serves any.

    """
    found: dict[str, tuple[Template, Setting]] = {}
    for setting in settings:
        for template in serving(templates, setting, task=task):
            found.setdefault(template.name, (template, setting))
    if not found:
        served = [str(s) for s in SETTINGS.values() if serving(templates, s, task=task)]
        wanted = ", ".join(map(str, settings))
        raise TemplateError(f"task {task.name}: none of these templates serves {wanted}; {nearest(wanted, served)}")
    return list(found.values())
