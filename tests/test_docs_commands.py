"""docs/commands.md: its commands run and say what the page shows, and it names every field of every record."""

from dataclasses import fields
from pathlib import Path

import pytest
from page import work_through

from instruction_kit.built.diff import Change, Difference
from instruction_kit.built.lengths import Length
from instruction_kit.built.row_diff import Example, Move, Shown, TaskRows
from instruction_kit.built.stats import Loss, Overlap, Part, Share, Stats, TaskLedger
from instruction_kit.cli.catalogue import ClusterEntry, FamilyEntry, RecipeEntry, SchemaEntry, TaskEntry, TemplateEntry

PAGE = (Path(__file__).parent.parent / "docs/commands.md").read_text(encoding="utf-8")
ENTRIES = (TaskEntry, TemplateEntry, SchemaEntry, ClusterEntry, FamilyEntry, RecipeEntry)
RECORDS = (Stats, Part, Share, Length, TaskLedger, Loss, Overlap, Difference, Change, TaskRows, Move, Example, Shown)


def test_the_commands_of_the_page_say_what_it_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    work_through(PAGE)


@pytest.mark.parametrize("record", [*ENTRIES, *RECORDS])
def test_the_page_names_every_field_of_every_record(record):
    """Programs that read `--json` rely on them."""
    assert [field.name for field in fields(record) if f"`{field.name}`" not in PAGE] == []
