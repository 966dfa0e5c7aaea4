"""`list`: what lies on the search path, as a table of what one looks for first, or whole as JSON.

In: entries of one kind. Out: a table. What does not fit 80 columns is left to `--json`.
"""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from instruction_kit.cli.catalogue import (
    ClusterEntry,
    Entry,
    FamilyEntry,
    SchemaEntry,
    TaskEntry,
    TemplateEntry,
)
from instruction_kit.cli.console import table
from instruction_kit.cli.option import Kind

COLUMNS: dict[Kind, tuple[str, ...]] = {
    "tasks": ("task", "cluster", "schema", ">train rows", "licence"),
    "templates": ("template", "output", "options", "style"),
    "schemas": ("schema", "answer", "fields (? may be missing)", ">tasks", ">templates"),
    "clusters": ("cluster", "tasks", "leaves with it"),
    "families": ("family", "tasks"),
    "recipes": ("recipe", "meaning", "file"),
}
NONE = {
    "recipes": "no recipes: neither the library nor a folder named with --path has YAML files in recipes/",
}


def entry_table(kind: Kind, entries: Sequence[Entry]) -> RenderableType:
    """One line an entry; in plain words where there is none."""
    if not entries:
        return Text(NONE.get(kind, f"no {kind}"))
    return table(COLUMNS[kind], [_row(entry) for entry in entries])


def _row(entry: Entry) -> tuple[str, ...]:
    match entry:
        case TaskEntry():
            rows = entry.splits.get("train")
            known = "-" if "train" not in entry.splits else "?" if rows is None else f"{rows:,}"
            name = entry.name if entry.status == "usable" else f"{entry.name} ({entry.status})"
            return name, entry.cluster, entry.schema, known, entry.license
        case TemplateEntry():
            return entry.name, entry.output, entry.options, entry.style or "drawn"
        case SchemaEntry():
            fields = ", ".join([*entry.required, *(f"{name}?" for name in entry.optional)])
            return entry.name, entry.answer, fields, str(len(entry.tasks)), str(entry.templates)
        case ClusterEntry():
            return entry.name, ", ".join(entry.tasks), ", ".join(entry.leaves_with)
        case FamilyEntry():
            return entry.name, ", ".join(entry.tasks)
        case _:
            return entry.name, entry.meaning, entry.file
