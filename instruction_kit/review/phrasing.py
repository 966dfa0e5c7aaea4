"""Whether a task has phrasings enough, of every kind, and no two that say nearly the same.

In: a task, its phrasings, and the file of each. Out: findings.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from instruction_kit.render.setting import SETTINGS, serves
from instruction_kit.review.finding import Finding, of_task
from instruction_kit.review.likeness import TOO_MUCH, Runs, shared
from instruction_kit.task.task import Task
from instruction_kit.template.language import RATIONALE
from instruction_kit.template.template import Template

MIN_PHRASINGS = 10
MIN_INVERTED, MAX_INVERTED = 1, 3
MIN_REASONING = 3
"""Phrasings that ask for reasons before an answer, each in words of its own."""


def usable(task: Task, templates: Sequence[Template]) -> list[Template]:
    """The phrasings that serve some setting of a task."""
    settings = [setting for setting in SETTINGS.values() if not setting.few_shot]
    return [template for template in templates if any(serves(template, s, task=task) for s in settings)]


def number_findings(task: Task, templates: Sequence[Template]) -> Iterator[Finding]:
    """How many phrasings there are of each kind, among those that the task can use."""
    folders = f"templates/{task.schema.folder()}/ or templates/{task.name}/"
    answering = len([t for t in templates if not t.inverted])
    turned = len([t for t in templates if t.inverted and not t.cot])
    reasoning = len([t for t in templates if t.cot and not t.inverted])
    if len(templates) < MIN_PHRASINGS:
        told = f"{len(templates)} phrasings ({answering} answer); write {MIN_PHRASINGS} or more, in {folders}"
        yield of_task(task, "num_phrasings", told)
    if not MIN_INVERTED <= turned <= MAX_INVERTED:
        told = f"{turned} inverted phrasings; {MIN_INVERTED} to {MAX_INVERTED} turn the task around"
        yield of_task(task, "num_inverted", told)
    if RATIONALE in task.columns and reasoning < MIN_REASONING:
        told = f"{reasoning} phrasings ask for reasons, which its rows bring; write {MIN_REASONING} or more"
        yield of_task(task, "num_reasoning", f"{told}, each with a trigger of its own, in {folders}")


def likeness_findings(found: Mapping[str, Runs], files: Mapping[str, Path]) -> Iterator[Finding]:
    """Phrasings of one task that share too much; told at the one whose name comes later."""
    for one, other in combinations(sorted(found), 2):
        if (share := shared(found[one], found[other])) >= TOO_MUCH:
            told = f"shares {share:.0%} of its runs of three words with {one}; phrasings share under {TOO_MUCH:.0%}"
            yield Finding(str(files[other]), 1, "phrasing_likeness", told)
