"""All that a careful reader would say of some folders: problems of their files, and where they fall short of the rules.

In: folders. Out: findings, in the order of the files. Each task's sample is read once and each of its phrasings is
looked at once, whatever is asked of it. With folders given, what is told is what stands in them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from instruction_kit.errors import InstructionKitError
from instruction_kit.review.files import Read, read_folders
from instruction_kit.review.finding import Finding, problem, told_once
from instruction_kit.review.likeness import Runs, runs
from instruction_kit.review.masked import masked, whole_values
from instruction_kit.review.origin import origin_findings
from instruction_kit.review.phrasing import likeness_findings, number_findings, usable
from instruction_kit.review.position import position_findings
from instruction_kit.review.rendered import rendered_findings
from instruction_kit.review.rows import Rows, read_rows
from instruction_kit.review.sample import sample_findings
from instruction_kit.review.unused import unused_findings
from instruction_kit.task.task import Task
from instruction_kit.template.template import Template


@dataclass(frozen=True)
class Review:
    """What was looked at, and what is to be said of it."""

    num_tasks: int
    num_templates: int
    findings: tuple[Finding, ...]


def review(folders: Sequence[Path], *, library: bool = False, beside: Sequence[Path] = ()) -> Review:
    """Look at the tasks and templates of these folders, or of the library.

    Folders beside them lie before them on the search path, and are not looked at. With `library` each task is asked for
    a sample, and for where it comes from.

    Raises:
        InstructionKitError: a folder does not exist, or holds neither tasks nor templates.

    """
    read = read_folders(folders, beside=beside)
    found = list(read.problems)
    used: set[str] = set()
    for task in read.tasks.values():
        mine = usable(task, read.templates_of(task))
        used |= {template.name for template in mine}
        found += task_findings(task, read, library=library)
    own = {name: file for name, file in read.templates.items() if read.is_own(file)}
    found += unused_findings(own, read.tasks.values(), used)
    tasks = [task for task in read.tasks.values() if read.is_own(task.path)]
    return Review(len(tasks), read.num_templates, tuple(told_once(found)))


def task_findings(task: Task, read: Read, *, library: bool) -> list[Finding]:
    """What is to be said of one task, its sample and its phrasings; of files that are looked at alone."""
    templates = read.templates_of(task)
    mine, own = usable(task, templates), read.is_own(task.path)
    if not own and not any(read.is_own(read.templates[template.name]) for template in templates):
        return []
    found = []
    if templates:  # that there are none is told as a problem
        found += [*number_findings(task, mine), *_phrasing_findings(task, mine), *_likeness_findings(templates, read)]
    if library:
        found += origin_findings(task)
    rows = _rows(task, asked=library)
    if isinstance(rows, Rows):
        looked_at = [template for template in templates if own or read.is_own(read.templates[template.name])]
        found += [*sample_findings(task, rows), *rendered_findings(task, looked_at, read.templates, rows)]
    else:
        found += rows
    return [one for one in found if read.is_own(Path(one.file))]


def _likeness_findings(templates: Sequence[Template], read: Read) -> Iterator[Finding]:
    return likeness_findings({template.name: _literal_runs(template.text) for template in templates}, read.templates)


def _phrasing_findings(task: Task, mine: Sequence[Template]) -> Iterator[Finding]:
    values = whole_values(task)
    return position_findings(task, [one for t in mine if not t.inverted and (one := masked(t, values))])


def _literal_runs(text: str) -> Runs:
    """Of what a template says itself, whichever way its conditions go."""
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    return runs(re.split(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\|\|\|", body, flags=re.DOTALL))


def _rows(task: Task, *, asked: bool) -> Rows | list[Finding]:
    """The rows of a sample; where there is none, or none that can be read, what is to be said of that."""
    if not task.sample_path.is_file():
        told = f"{task.path}: has no sample; write {task.sample_path.name} beside it"
        return [problem(told, task.path)] if asked and task.path else []
    try:
        return read_rows(task)
    except InstructionKitError as error:
        return [problem(str(error), task.sample_path)]
