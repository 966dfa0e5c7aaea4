"""A page of the docs as a reader works through it: commands are run, files are written, and what is shown is compared.

Figures are not compared, since they change with the templates that ship; words and lines are. A line `…` stands for any
number of lines. A YAML block begins with a comment that is its file's name; any other file's name stands in backticks
at the end of the line above its block, before a colon.
"""

import re
import shlex
from pathlib import Path

from command import command

BLOCK = re.compile(r"^```(yaml|console|jinja|python|csv|jsonl)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([\w./]+)`:\n\n\Z")


def work_through(page: str) -> None:
    """Every step of a page, in the current folder."""
    for found in BLOCK.finditer(page):
        kind, block = found.groups()
        named = NAMED.search(page, 0, found.start())
        if kind == "yaml":
            Path(block.partition("\n")[0].removeprefix("# ")).write_text(block, encoding="utf-8")
        elif kind == "console":
            for step in block.removeprefix("$ ").split("\n$ "):
                run(step)
        elif named:
            Path(named[1]).write_text(block, encoding="utf-8")


def run(step: str) -> None:
    """One command, and what it says."""
    line, _, shown = step.partition("\n")
    name, *arguments = shlex.split(line)
    if name == "rm":
        Path(*arguments).unlink()
        return
    assert name == "instruction-kit"
    _, out, err = command(*arguments)
    assert fits(told(shown), told(out)), f"$ {line}\n{out}{err}"


def told(text: str) -> list[str]:
    """Lines without figures and without what pads or rules a table."""
    lines = [re.sub(r"[\d,.]*\d%?", "#", line) for line in text.splitlines()]
    lines = [" ".join(re.sub(r"([─━])+", r"\1", line).split()) for line in lines]
    return [line for line in lines if line]


def fits(shown: list[str], said: list[str]) -> bool:
    """Whether lines are those that the page shows, `…` for any number of them."""
    if not shown:
        return not said
    if shown[0] == "…":
        return any(fits(shown[1:], said[skipped:]) for skipped in range(len(said) + 1))
    return bool(said) and said[0] == shown[0] and fits(shown[1:], said[1:])
