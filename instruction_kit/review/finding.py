"""`Finding`: one thing that a reader would say of a task, a sample or a template, and where it stands.

A problem keeps a file from being used. A rule is what the shipped library holds itself to, and advice to everyone else.
A remark is for reading alone.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

from instruction_kit.task.task import Task

Level = Literal["problem", "rule", "remark"]
Rule = Literal[
    "file",
    "origin",
    "sample_size",
    "sample_splits",
    "sample_columns",
    "sample_fate",
    "sample_dirt",
    "sample_classes",
    "sample_likeness",
    "num_phrasings",
    "num_inverted",
    "num_reasoning",
    "phrasing_likeness",
    "main_position",
    "options_position",
    "row_left_out",
    "empty",
    "not_read_back",
    "not_an_option",
    "option_not_listed",
    "leak",
    "no_exemplar",
    "exemplar_leak",
    "dangling_options",
    "unfilled_slot",
    "doubled_punctuation",
    "blanks",
    "unused",
]
"""docs/library.md says what each wants; `file` is for a file that cannot be used."""


class Flaw(NamedTuple):
    """Something wrong in what a phrasing prints, before it is known where."""

    rule: Rule
    what: str
    words: str = ""
    """As they stand in the template, by which their line is found."""


@dataclass(frozen=True)
class Finding:
    """One thing, and where it stands."""

    file: str
    line: int | None
    """From 1; None for the whole file."""
    rule: Rule
    """Which question it answers, a name that does not change."""
    what: str
    level: Level = "rule"
    row: str = ""
    """Setting and line of a sample in which it shows first, for what a template prints."""

    @property
    def place(self) -> str:
        """`file:line`, or the file."""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    @property
    def told(self) -> str:
        """What it is, and in which row it shows."""
        return f"{self.what} ({self.row})" if self.row else self.what

    def __str__(self) -> str:
        return f"{self.place}: {self.told}"


def told_once(found: Iterable[Finding]) -> list[Finding]:
    """Each thing once; of what a template prints, one for each rule, in the first row that shows it."""
    kept: dict[Finding, Finding] = {}
    for one in found:
        kept.setdefault(replace(one, row="", what="", line=None) if one.row else one, one)
    return list(kept.values())


def problem(told: str, file: Path) -> Finding:
    """A problem that was told as text, `file:line: what`.

    >>> problem("x.jinja:3: unknown key", Path("x.jinja")).line
    3
    """
    found = re.fullmatch(rf"{re.escape(str(file))}(?::(\d+))?: (.*)", told, re.DOTALL)
    if not found:
        return Finding(str(file), None, "file", told, "problem")
    return Finding(str(file), int(found[1]) if found[1] else None, "file", found[2], "problem")


def of_task(task: Task, rule: Rule, what: str) -> Finding:
    """Something to be said of a task as a whole, at the line that declares it."""
    if task.path is None:
        return Finding(f"task {task.name}", None, rule, what)
    return Finding(str(task.path), line_of(task.path, r"^task\b"), rule, what)


def line_of(file: Path, pattern: str) -> int:
    """The first line of a file that a pattern finds something in; the first one where there is none."""
    return next(_lines(file, pattern), 1)


def _lines(file: Path, pattern: str) -> Iterator[int]:
    text = file.read_text(encoding="utf-8")
    return (number for number, line in enumerate(text.splitlines(), start=1) if re.search(pattern, line))
