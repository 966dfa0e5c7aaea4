"""All that a careful reader would say of some folders: problems of their files, and where they fall short of the rules.

In: folders. Out: findings, in the order of the files. Each task's sample is read once and each of its phrasings is
looked at once, whatever is asked of it. With folders given, what is told is what stands in them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from instruction_kit.errors import InstructionKitError
from instruction_kit.review.files import Read, read_folders
from instruction_kit.review.finding import Finding, problem
from instruction_kit.review.likeness import Runs, runs
from instruction_kit.review.masked import masked
from instruction_kit.review.phrasing import likeness_findings, number_findings, usable
from instruction_kit.review.position import position_findings
from instruction_kit.review.rows import Rows, read_rows
from instruction_kit.review.sample import sample_findings
from instruction_kit.task.task import Task
from instruction_kit.template.template import Template


@dataclass(frozen=True)
class Review:
    """What was looked at, and what is to be said of it."""

    num_tasks: int
    num_templates: int
    findings: tuple[Finding, ...]


def review(folders: list[Path], *, samples: bool = False) -> Review:
    """Look at the tasks and templates of these folders, or of the library; `samples` asks for a sample of each task.

    Raises:
        InstructionKitError: a folder does not exist, or holds neither tasks nor templates.

    """
    read = read_folders(folders)
    found = list(read.problems)
    for task in read.tasks.values():
        found += task_findings(task, read, samples=samples)
    mine = [task for task in read.tasks.values() if read.is_own(task.path)]
    return Review(len(mine), read.num_templates, tuple(dict.fromkeys(found)))


def task_findings(task: Task, read: Read, *, samples: bool) -> list[Finding]:
    """What is to be said of one task, its sample and its phrasings; of files that are looked at alone."""
    templates = read.templates_of(task)
    found = [*_phrasing_findings(task, templates, read)]
    if read.is_own(task.path):
        found += _sample_findings(task, samples=samples)
    return [one for one in found if read.is_own(Path(one.file))]


def _phrasing_findings(task: Task, templates: dict[str, Template], read: Read) -> Iterator[Finding]:
    mine = usable(task, list(templates.values()))
    yield from number_findings(task, mine)
    yield from likeness_findings({t.name: _literal_runs(t.text) for t in templates.values()}, read.templates)
    answering = [one for t in mine if not t.inverted and (one := masked(t, task))]
    yield from position_findings(task, answering)


def _literal_runs(text: str) -> Runs:
    """Of what a template says itself, whichever way its conditions go."""
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    return runs(re.split(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\|\|\|", body, flags=re.DOTALL))


def _sample_findings(task: Task, *, samples: bool) -> list[Finding]:
    rows = _rows(task, samples=samples)
    return [*sample_findings(task, rows)] if isinstance(rows, Rows) else rows


def _rows(task: Task, *, samples: bool) -> Rows | list[Finding]:
    if not task.sample_path.is_file():
        told = f"{task.path}: has no sample; write {task.sample_path.name} beside it"
        return [problem(told, task.path)] if samples and task.path else []
    try:
        return read_rows(task)
    except InstructionKitError as error:
        return [problem(str(error), task.sample_path)]
