"""Files as a source: text, tables, JSON and XML, with stated quoting and encoding.

In: paths by split. Out: ranges and batches. Nothing about a file is guessed beyond its format by its suffix: a
quoting or an encoding that is wrong shows as counted problems, not as other text.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator, model_validator

from instruction_kit.errors import SourceError
from instruction_kit.library import text_hash
from instruction_kit.source.aligned import aligned_rows
from instruction_kit.source.cells import Quoting, cell_rows
from instruction_kit.source.elements import element_rows
from instruction_kit.source.file import File, existing, is_pattern, matching
from instruction_kit.source.raw import Batch, Range, Split, Where, refusal
from instruction_kit.source.records import Shape, json_rows, jsonl_rows
from instruction_kit.source.row import Row, batches
from instruction_kit.source.tables import num_row_groups, read_arrow, read_parquet
from instruction_kit.source.text import block_rows, file_rows, line_rows

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
TABLES = frozenset({"parquet", "arrow"})
CELLS = frozenset({"csv", "tsv"})

Entry = str | Mapping[str, str]
"""A file, a pattern of files, or files side by side by the name of their column."""
_Entries = Annotated[
    tuple[Entry, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str | Mapping) else value)
]


class Files(BaseModel):
    """Files on this machine.

    Example:
        >>> source = Files({"train": "mr/rt-polarity.all"}, format="lines", encoding="cp1252")
        >>> source.split_names
        ('train',)

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    splits: Mapping[Split, _Entries]
    """Our split -> path or paths, relative to `data_dir`, else to the folder of the task file. A path with a `*` is all
    files that match, in the order of their names; `{column: path}` are files that are read side by side."""
    format: Format | None = None
    """How the files are written; by default what the suffix says, before that of a packing such as `.gz`."""
    encoding: str = "utf-8"
    quoting: Quoting = "minimal"
    """csv and tsv: `minimal` reads `"…"` as one cell; with `none` a quote is a character like any other."""
    delimiter: str | None = None
    """csv and tsv: by default a comma and a tab."""
    header: bool = True
    """csv and tsv: whether the first record names the columns."""
    columns: tuple[str, ...] | None = None
    """csv and tsv: names for the columns of a file without a header. json: for the items of records that are lists."""
    records: str | Mapping[Split, str] | None = None
    """json: the field that holds the rows, `data` or `data.items`. xml: the element that is a row. One for each split
    where a file holds several."""
    shape: Shape = "list"
    """json: how the rows stand there: a `list` of records, records `keyed` by an id (the column `key`), `columns` with
    a list of values each, or a `single` record."""

    def __init__(
        self, splits: Mapping[str, str | Mapping[str, str] | Sequence[str | Mapping[str, str]]], **options: object
    ) -> None:
        try:
            super().__init__(splits=splits, **options)
        except ValidationError as error:
            raise SourceError(f"Files: {refusal(error, keys=Files.model_fields)}") from error

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "a".encode(value)
        except LookupError:
            raise ValueError(f"no encoding {value!r}; Python's names are utf-8, utf-16, cp1252, latin-1, …") from None
        return value

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if not self.splits or not all(self.splits.values()) or not all(name for name in self._names()):
            raise ValueError("name at least one file for each split")
        formats = self._formats()
        for options, allowed in _MEANT.items():
            given = self.model_fields_set & set(options)
            if given and not formats <= allowed:
                raise ValueError(f"{', '.join(sorted(given))} only mean something for {' and '.join(sorted(allowed))}")
        if "encoding" in self.model_fields_set and (other := formats & {"parquet", "arrow", "xml"}):
            raise ValueError(f"encoding means nothing for {other.pop()}, which states its own")
        self._check_records(formats)
        self._check_cells(formats)
        return self

    def _check_records(self, formats: set[Format]) -> None:
        if "xml" in formats and self.records is None:
            raise ValueError("records= names the element of an xml file that is a row")
        if isinstance(self.records, Mapping) and (absent := set(self.splits) - set(self.records)):
            raise ValueError(f"records= says nothing of {', '.join(sorted(absent))}")

    def _check_cells(self, formats: set[Format]) -> None:
        if formats & CELLS and not self.header and not self.columns:
            raise ValueError("without a header the columns need names: columns=[…]")
        if formats & CELLS and self.header and self.columns:
            raise ValueError("columns=[…] names the columns of a file without a header; add header=False")
        if self.columns and len(set(self.columns)) != len(self.columns):
            raise ValueError(f"columns=[…] needs distinct names, not {list(self.columns)}")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise ValueError("delimiter is one character, and neither a quote nor a line end")

    def _names(self) -> Iterator[str]:
        for entry in (entry for entries in self.splits.values() for entry in entries):
            yield from [entry] if isinstance(entry, str) else entry.values() or [""]

    def _formats(self) -> set[Format]:
        return {
            self._format(name, entry) for entries in self.splits.values() for entry in entries for name in _of(entry)
        }

    def _format(self, name: str, entry: Entry) -> Format:
        side_by_side = not isinstance(entry, str)
        found = self.format or SUFFIXES.get(File(name).suffix) or ("lines" if side_by_side else None)
        if found is None:
            raise ValueError(f"the suffix of {name} says no format; give format=, one of {', '.join(get_args(Format))}")
        if side_by_side and found in TABLES | {"text"}:
            raise ValueError(f"{name}: {found} cannot be read side by side")
        if side_by_side and is_pattern(name):
            raise ValueError(f"{name}: a pattern cannot be read side by side; name one file for each column")
        if found in TABLES and File(name).packing:
            raise ValueError(f"{name}: {found} is packed inside; unpack the file")
        return found

    @cached_property
    def split_names(self) -> tuple[str, ...]:
        """Which of train, validation and test there are."""
        return tuple(self.splits)

    def ranges(self, split: str, where: Where) -> list[Range]:
        """A file is one range, a Parquet file one per row group; files side by side, or as rows of text, are one.

        Raises:
            SourceError: a file is missing or no Parquet file, or a pattern matches none.

        """
        return [part for entry in self.splits[split] for part in self._parts(split, entry, where)]  # type: ignore[index]

    def _parts(self, split: str, entry: Entry, where: Where) -> list[Range]:
        if not isinstance(entry, str):
            contents = (text for column, name in entry.items() for text in (column, existing(name, where).content()))
            return [self._range(split, next(iter(entry.values())), text_hash(*contents))]
        names = matching(entry, where) if is_pattern(entry) else [entry]
        if is_pattern(entry) and self._format(entry, entry) == "text":
            contents = (text for name in names for text in (self._portable(name), existing(name, where).content()))
            return [self._range(split, entry, text_hash(*contents))]
        return [part for name in names for part in self._parts_of_file(split, name, where)]

    def _parts_of_file(self, split: str, name: str, where: Where) -> list[Range]:
        file = existing(name, where)
        content = file.content()
        groups = num_row_groups(file) if self._format(name, name) == "parquet" else 1
        return [self._range(split, name, content, number) for number in range(groups)]

    def _range(self, split: str, name: str, content: str, number: int = 0) -> Range:
        return Range(split, self._portable(name), content, number, place=name)

    def _portable(self, name: str) -> str:
        """A file's name in row ids and reports: an absolute path without what only this machine knows."""
        if not Path(name).is_absolute():
            return name
        fixed = [
            PurePosixPath(path.partition("*")[0] + "_").parent for path in self._names() if Path(path).is_absolute()
        ]
        return PurePosixPath(name).relative_to(os.path.commonpath(fixed)).as_posix()

    def read(self, part: Range, where: Where, columns: frozenset[str] | None) -> Iterator[Batch]:
        """Read one file, one row group of it, or files side by side."""
        entry = self._entry(part)
        if isinstance(entry, str) and (form := self._format(entry, entry)) in TABLES:
            file = existing(entry, where)
            return read_parquet(file, part.number, columns) if form == "parquet" else read_arrow(file, columns)
        if isinstance(entry, str):
            rows = self._rows(entry, part.split, where, columns)
            return batches(rows, where=str(where.resolve(entry)), columns=columns)
        members = {column: self._rows(name, part.split, where, None, entry) for column, name in entry.items()}
        rows = aligned_rows(members, where={column: str(where.resolve(name)) for column, name in entry.items()})
        return batches(rows, where=str(where.resolve(part.place)), columns=columns)

    def _entry(self, part: Range) -> Entry:
        sides = (entry for entry in self.splits[part.split] if not isinstance(entry, str))  # type: ignore[index]
        return next((entry for entry in sides if next(iter(entry.values())) == part.place), part.place)

    def _rows(
        self, name: str, split: str, where: Where, columns: frozenset[str] | None, entry: Entry | None = None
    ) -> Iterator[Row]:
        form = self._format(name, entry or name)
        if form == "text":
            names = matching(name, where) if is_pattern(name) else [name]
            return file_rows([(self._portable(one), existing(one, where)) for one in names], self.encoding)
        file = existing(name, where)
        records = self.records[split] if isinstance(self.records, Mapping) else self.records  # type: ignore[index]
        if form == "json":
            return json_rows(file, self.encoding, records=records, shape=self.shape, names=self.columns)
        if form == "xml":
            return element_rows(file, records=str(records), columns=columns)
        if form in CELLS:
            return self._cell_rows(file, form)
        plain = {"lines": line_rows, "blocks": block_rows, "jsonl": jsonl_rows}
        return plain[form](file, self.encoding)

    def _cell_rows(self, file: File, form: Format) -> Iterator[Row]:
        return cell_rows(
            file,
            self.encoding,
            delimiter=self.delimiter or ("," if form == "csv" else "\t"),
            quoting=self.quoting,
            header=self.header,
            names=self.columns,
        )


def _of(entry: Entry) -> Iterator[str]:
    yield from [entry] if isinstance(entry, str) else entry.values()


_MEANT: dict[tuple[str, ...], frozenset[str]] = {
    ("quoting", "delimiter", "header"): CELLS,
    ("columns",): CELLS | {"json"},
    ("records",): frozenset({"json", "xml"}),
    ("shape",): frozenset({"json"}),
}
"""Options -> the formats for which they mean something."""
