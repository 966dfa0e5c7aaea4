"""docs/commands.md: its commands run and say what the page shows, and it names every field of every record.

Figures are not compared, since they change with the templates that ship; words and lines are. A line `…` stands for any
number of lines.
"""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest
from command import command

from instruction_kit.built.diff import Change, Difference
from instruction_kit.built.lengths import Length
from instruction_kit.built.row_diff import Example, Move, Shown, TaskRows
from instruction_kit.built.stats import Loss, Overlap, Part, Share, Stats, TaskLedger
from instruction_kit.cli.catalogue import ClusterEntry, FamilyEntry, RecipeEntry, SchemaEntry, TaskEntry, TemplateEntry

PAGE = (Path(__file__).parent.parent / "docs/commands.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(yaml|console)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ENTRIES = (TaskEntry, TemplateEntry, SchemaEntry, ClusterEntry, FamilyEntry, RecipeEntry)
RECORDS = (Stats, Part, Share, Length, TaskLedger, Loss, Overlap, Difference, Change, TaskRows, Move, Example, Shown)


def told(text: str) -> list[str]:
    """Lines without figures and without what pads or rules a table."""
    lines = [re.sub(r"[\d,.]*\d%?", "#", line) for line in text.splitlines()]
    lines = [" ".join(re.sub(r"─+", "─", line).split()) for line in lines]
    return [line for line in lines if line]


def fits(shown: list[str], said: list[str]) -> bool:
    """Whether lines are those that the page shows, `…` for any number of them."""
    if not shown:
        return not said
    if shown[0] == "…":
        return any(fits(shown[1:], said[skipped:]) for skipped in range(len(said) + 1))
    return bool(said) and said[0] == shown[0] and fits(shown[1:], said[1:])


def test_the_commands_of_the_page_say_what_it_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for kind, block in BLOCKS:
        if kind == "yaml":
            Path(block.partition("\n")[0].removeprefix("# ")).write_text(block, encoding="utf-8")
            continue
        for step in block.removeprefix("$ ").split("\n$ "):
            line, _, shown = step.partition("\n")
            name, *arguments = shlex.split(line)
            if name == "rm":
                Path(*arguments).unlink()
                continue
            assert name == "instruction-kit"
            _, out, err = command(*arguments)
            assert fits(told(shown), told(out)), f"$ {line}\n{out}{err}"


@pytest.mark.parametrize("record", [*ENTRIES, *RECORDS])
def test_the_page_names_every_field_of_every_record(record):
    """Programs that read `--json` rely on them."""
    assert [field.name for field in fields(record) if f"`{field.name}`" not in PAGE] == []
