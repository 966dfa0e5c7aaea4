"""Filters: which tasks leave for their licence, their language or their status, and which templates for theirs.

In: the chosen tasks and what a mixture allows. Out: what leaves, each with the reason, and names that filter nothing. A
task stays if its licence is allowed and every language of it is, so that a translation needs both of its languages.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from instruction_kit.errors import nearest
from instruction_kit.task.task import Task
from instruction_kit.template.template import Template


@dataclass(frozen=True)
class Filter:
    """What a mixture allows; None is anything."""

    licenses: Sequence[str] | None = None
    exclude_licenses: Sequence[str] | None = None
    languages: Sequence[str] | None = None

    def leaving(self, tasks: Mapping[str, Task]) -> dict[str, str]:
        """Task -> why it leaves."""
        reasons = {name: " and ".join(self._reasons(task)) for name, task in tasks.items()}
        return {name: why for name, why in reasons.items() if why}

    def _reasons(self, task: Task) -> Iterator[str]:
        if self.licenses is not None and task.license not in self.licenses:
            yield f"its licence {task.license} is not among licenses"
        if task.license in (self.exclude_licenses or ()):
            yield f"its licence {task.license} is among exclude_licenses"
        if self.languages is not None and not task.languages:
            yield "it states no language"
        yield from self._foreign(task.languages)

    def _foreign(self, spoken: Sequence[str]) -> Iterator[str]:
        foreign = [] if self.languages is None else [name for name in spoken if name not in self.languages]
        if foreign:
            yield f"its language {' and '.join(foreign)} is not among languages"

    def leaving_templates(self, templates: Sequence[Template]) -> dict[str, str]:
        """Template -> why it leaves; one that states no language is taken for one of the task's own."""
        return {t.name: why for t in templates for why in self._foreign(t.front.languages)}

    def notices(self, tasks: Mapping[str, Task]) -> Iterator[str]:
        """Licences that none of these tasks has: no error, so that one list of what is allowed serves every mixture."""
        licenses = {task.license for task in tasks.values()}
        for key, names in (("licenses", self.licenses), ("exclude_licenses", self.exclude_licenses)):
            for name in names or ():
                if name not in licenses:
                    yield f"{key}: no task of this mixture has the licence {name}; {nearest(name, licenses)}"

    def problems(self, tasks: Mapping[str, Task], templates: Callable[[], Sequence[Template]]) -> Iterator[str]:
        """Languages that none of these tasks has; `templates` are read only where no task speaks one."""
        spoken = {language for task in tasks.values() for language in task.languages}
        if not set(self.languages or ()) <= spoken:
            spoken |= {language for template in templates() for language in template.front.languages}
        for name in self.languages or ():
            if name not in spoken:
                yield f"languages: no task of this mixture is in {name}; {nearest(name, spoken)}"


def unverified(tasks: Mapping[str, Task], named: Collection[str]) -> dict[str, str]:
    """Task -> why it leaves: tasks of a source that nobody has seen, unless the mixture asks for them by name."""
    why = "its source is unverified, and the mixture does not name it"
    return {name: why for name, task in tasks.items() if task.status == "unverified" and name not in named}
