"""`Finding`: one thing that a reader would say of a task, a sample or a template, and where it stands.

A problem keeps a file from being used. A rule is what the shipped library holds itself to, and advice to everyone else.
A remark is for reading alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Level = Literal["problem", "rule", "remark"]


@dataclass(frozen=True)
class Finding:
    """One thing, and where it stands."""

    file: str
    line: int | None
    """From 1; None for the whole file."""
    rule: str
    """Which question it answers, a name that does not change; `file` for a file that cannot be used."""
    what: str
    level: Level = "rule"

    @property
    def place(self) -> str:
        """`file:line`, or the file."""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


def problem(told: str, file: Path) -> Finding:
    """A problem that was told as text, `file:line: what`.

    >>> problem("x.jinja:3: unknown key", Path("x.jinja"))
    Finding(file='x.jinja', line=3, rule='file', what='unknown key', level='problem')
    """
    found = re.fullmatch(rf"{re.escape(str(file))}(?::(\d+))?: (.*)", told, re.DOTALL)
    if not found:
        return Finding(str(file), None, "file", told, "problem")
    return Finding(str(file), int(found[1]) if found[1] else None, "file", found[2], "problem")


def line_of(file: Path, pattern: str) -> int:
    """The first line of a file that a pattern finds something in; the first one where there is none."""
    return next(_lines(file, pattern), 1)


def _lines(file: Path, pattern: str) -> Iterator[int]:
    text = file.read_text(encoding="utf-8")
    return (number for number, line in enumerate(text.splitlines(), start=1) if re.search(pattern, line))
