"""Formats of files: which there are, what a suffix says, and which options mean something for which.

In: a file's name. Out: its format, or why it has none. A suffix of a packing (`.gz`) stands behind the one that counts.
"""

from typing import Literal, get_args

from instruction_kit.source.address import is_pattern
from instruction_kit.source.file import File

Format = Literal["csv", "tsv", "lines", "blocks", "text", "jsonl", "json", "xml", "parquet", "arrow"]
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "lines",
    ".conll": "blocks",
    ".jsonl": "jsonl",
    ".jsonlines": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".xml": "xml",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
CELLS = frozenset[Format]({"csv", "tsv"})
TABLES = frozenset[Format]({"parquet", "arrow"})
TYPED = frozenset[Format]({"jsonl", "json"})
"""What chooses its types row by row."""
OWN_ENCODING = TABLES | {"xml"}

MEANT: dict[tuple[str, ...], frozenset[Format]] = {
    ("quoting", "delimiter", "header"): CELLS,
    ("columns",): CELLS | {"json"},
    ("records",): frozenset({"json", "xml"}),
    ("shape",): frozenset({"json"}),
}
"""Options -> the formats for which they mean something."""


def format_of(name: str, *, stated: Format | None, side_by_side: bool) -> Format:
    """The stated format, else what the suffix says; of files side by side, whose suffixes are often languages, lines.

    Raises:
        ValueError: there is none, or the file cannot be read in this way.

    """
    file = File(name)
    found = stated or SUFFIXES.get(file.suffix) or ("lines" if side_by_side else None)
    if found is None:
        raise ValueError(f"the suffix of {name} says no format; give format=, one of {', '.join(get_args(Format))}")
    if side_by_side and found in TABLES | {"text"}:
        raise ValueError(f"{name}: {found} cannot be read side by side")
    if side_by_side and is_pattern(name):
        raise ValueError(f"{name}: a pattern cannot be read side by side; name one file for each column")
    if found in TABLES and file.packing:
        raise ValueError(f"{name}: {found} is packed inside; unpack the file")
    return found
