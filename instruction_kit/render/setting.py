"""Settings: how a pair is prompted, `<zero_shot|few_shot>.<options|no_options>[.cot][.inverted]`.

In: a setting's name. Out: its parts, and whether a template serves it for a task. A phrasing serves a few-shot setting
if it serves the zero-shot one, for a task that has something to show exemplars from.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from instruction_kit.errors import MixtureError, TemplateError, nearest
from instruction_kit.source.raw import EXEMPLARS
from instruction_kit.task.task import Task
from instruction_kit.template.language import RATIONALE
from instruction_kit.template.template import Template

ExemplarSource = Literal["rows", "file", "prompts"]
"""Where exemplars come from: rows of the task, the file that lies beside the task, or prompts of the user's own."""


@dataclass(frozen=True, order=True)
class Setting:
    """The parts of one setting."""

    options: bool
    cot: bool = False
    inverted: bool = False
    few_shot: bool = False

    def __str__(self) -> str:
        tail = ".cot" * self.cot + ".inverted" * self.inverted
        shots = "few_shot" if self.few_shot else "zero_shot"
        return f"{shots}.{'options' if self.options else 'no_options'}{tail}"


_BOTH = (False, True)
SETTINGS: dict[str, Setting] = {
    str(setting): setting
    for setting in (Setting(o, c, i, f) for f in _BOTH for o in (True, False) for c in _BOTH for i in _BOTH)
}


def parse_setting(name: str) -> Setting:
    """Read a setting's name.

    Raises:
        MixtureError: there is no such setting.

    """
    if name not in SETTINGS:
        raise MixtureError(f"no setting {name}; {nearest(name, SETTINGS)}")
    return SETTINGS[name]


def serves(
    template: Template, setting: Setting, *, task: Task, exemplars: ExemplarSource = "rows", measured: bool = False
) -> bool:
    """Whether this phrasing can stand in this setting for this task, whose exemplars come from where it is said.

    A task without options serves `options` settings with none to list. Where it is measured, the model writes the
    reasons: rows need none of their own.
    """
    if setting.few_shot and not has_exemplars(task, exemplars, reasoned=setting.cot):
        return False
    if template.inverted != setting.inverted or template.cot != setting.cot:
        return False
    asked = measured and setting.cot and not setting.inverted
    if RATIONALE in template.reads and RATIONALE not in task.columns and not asked:
        return False
    if not task.has_options:
        return not template.needs_options
    return template.shows_options if setting.options else not template.needs_options


def has_exemplars(task: Task, source: ExemplarSource, *, reasoned: bool = False) -> bool:
    """Whether there is anything to show exemplars from: rows, a file of hand-written ones, or prompts.

    `reasoned` ones come from rows that carry reasons, else from the file too.
    """
    written = task.exemplar_path is not None
    rows = {"train", EXEMPLARS} & {*task.source.split_names} != set()
    if source == "prompts":
        return bool(task.prompts)
    if source == "file":
        return written
    return (rows and RATIONALE in task.columns) or written if reasoned else rows


def serving(
    templates: Iterable[Template],
    setting: Setting,
    *,
    task: Task,
    exemplars: ExemplarSource = "rows",
    measured: bool = False,
) -> list[Template]:
    """The templates that serve a setting, in their order."""
    return [t for t in templates if serves(t, setting, task=task, exemplars=exemplars, measured=measured)]


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
        served = [str(s) for s in SETTINGS.values() if not s.few_shot and serving(templates, s, task=task)]
        wanted = ", ".join(map(str, settings))
        bare = all(setting.few_shot for setting in settings) and not has_exemplars(task, "rows")
        why = f"it has no rows of train to serve {wanted} with" if bare else f"none of these templates serves {wanted}"
        raise TemplateError(f"task {task.name}: {why}; {nearest(wanted, served)}")
    return list(found.values())
