"""Files as a source: text, tables, JSON and XML, with stated quoting and encoding.

In: paths or URLs by split. Out: ranges and batches. Nothing about a file is guessed beyond its format by its suffix: a
quoting or an encoding that is wrong shows as counted problems, not as other text. Tables load pyarrow, so they are
imported where one is read: a list of tasks reads none.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator, model_validator

from instruction_kit.errors import SourceError
from instruction_kit.library import text_hash
from instruction_kit.source.address import existing, holds_password, is_pattern, located, matching, portable
from instruction_kit.source.aligned import aligned_rows
from instruction_kit.source.cells import Quoting, cell_rows
from instruction_kit.source.elements import element_rows
from instruction_kit.source.file import File
from instruction_kit.source.format import CELLS, MEANT, OWN_ENCODING, TABLES, TYPED, Format, format_of
from instruction_kit.source.raw import Batch, Range, Split, Where, refusal
from instruction_kit.source.records import Document, Shape, jsonl_rows
from instruction_kit.source.row import Rows, batches
from instruction_kit.source.text import block_rows, file_rows, line_rows

Entry = str | Mapping[str, str]
"""A file, a pattern of files, or files side by side by the name of their column."""
_Entries = Annotated[
    tuple[Entry, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str | Mapping) else value)
]


class Files(BaseModel):
    """Files on this machine, or behind URLs that fsspec opens.

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
    columns: tuple[str, ...] | Mapping[str, tuple[str, ...]] | None = None
    """csv and tsv: names for the columns of a file without a header; of files side by side, `{column: names}` for those
    that have none. json: for the items of records that are lists."""
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
        if not self.splits or not all(self.splits.values()) or not all(self._names()):
            raise ValueError("name at least one file for each split")
        if any(map(holds_password, self._names())):
            raise ValueError("a URL holds a password; set it where fsspec's backend looks for it, not in a task file")
        formats = {self._format(name, entry) for entry in self._entries() for name in _names_of(entry)}
        stated = self.model_fields_set - ({"columns"} if isinstance(self.columns, Mapping) else set())
        for options, allowed in MEANT.items():
            given = stated & set(options)
            if given and not formats <= allowed:
                raise ValueError(f"{', '.join(sorted(given))} only mean something for {' and '.join(sorted(allowed))}")
        if "encoding" in self.model_fields_set and (other := formats & OWN_ENCODING):
            raise ValueError(f"encoding means nothing for {min(other)}, which states its own")
        self._check_records(formats)
        self._check_cells(formats)
        return self

    def _check_records(self, formats: set[Format]) -> None:
        if "xml" in formats and self.records is None:
            raise ValueError("records= names the element of an xml file that is a row")
        if isinstance(self.records, Mapping) and (absent := set(self.splits) - set(self.records)):
            raise ValueError(f"records= says nothing of {', '.join(sorted(absent))}")

    def _check_cells(self, formats: set[Format]) -> None:
        if isinstance(self.columns, Mapping):
            self._check_sides(self.columns)
        elif formats & CELLS and not self.header and not self.columns:
            raise ValueError("without a header the columns need names: columns=[…]")
        elif formats & CELLS and self.header and self.columns:
            raise ValueError("columns=[…] names the columns of a file without a header; add header=False")
        for names in self.columns.values() if isinstance(self.columns, Mapping) else [self.columns or ()]:
            if len(set(names)) != len(names):
                raise ValueError(f"columns=[…] needs distinct names, not {list(names)}")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise ValueError("delimiter is one character, and neither a quote nor a line end")

    def _check_sides(self, columns: Mapping[str, Sequence[str]]) -> None:
        if not self.header:
            raise ValueError("columns={…} already says which files have no header; take header=False away")
        sides = {s for e in self._entries() if isinstance(e, Mapping) for s in e if self._format(e[s], e) in CELLS}
        if unknown := [side for side in columns if side not in sides]:
            raise ValueError(f"columns={{…}}: no csv or tsv file is read side by side as {unknown[0]}")

    def _entries(self) -> Iterator[Entry]:
        for entries in self.splits.values():
            yield from entries

    def _names(self) -> list[str]:
        return [name for entry in self._entries() for name in _names_of(entry) or [""]]

    def _format(self, name: str, entry: Entry | None = None) -> Format:
        return format_of(name, stated=self.format, side_by_side=isinstance(entry, Mapping))

    @cached_property
    def split_names(self) -> tuple[str, ...]:
        """Which of the splits there are."""
        return tuple(self.splits)

    def ranges(self, split: str, where: Where) -> list[Range]:
        """A file is one range, a Parquet file one per row group; files side by side, or as rows of text, are one.

        Raises:
            SourceError: a file is missing or no Parquet file, or a pattern matches none.

        """
        return [part for entry in self.splits[split] for part in self._parts(split, entry, where)]  # type: ignore[index]

    def _parts(self, split: str, entry: Entry, where: Where) -> list[Range]:
        if not isinstance(entry, str):
            files = {column: File(existing(name, where)) for column, name in entry.items()}
            content = text_hash(*(text for column, file in files.items() for text in (column, file.content())))
            return [self._range(split, next(iter(entry.values())), content)]
        names = matching(entry, where) if is_pattern(entry) else [entry]
        if is_pattern(entry) and self._format(entry) == "text":
            told = [(self._portable(name), File(existing(name, where))) for name in names]
            return [self._range(split, entry, text_hash(*(text for name, f in told for text in (name, f.content()))))]
        return [part for name in names for part in self._parts_of_file(split, name, where)]

    def _parts_of_file(self, split: str, name: str, where: Where) -> list[Range]:
        file = File(existing(name, where))
        content = file.content()
        if self._format(name) != "parquet":
            return [self._range(split, name, content)]
        from instruction_kit.source.tables import num_row_groups

        return [self._range(split, name, content, number) for number in range(num_row_groups(file))]

    def _range(self, split: str, name: str, content: str, number: int = 0) -> Range:
        return Range(split, self._portable(name), content, number, place=name)

    def _portable(self, name: str) -> str:
        return portable(name, self._names())

    def read(self, part: Range, where: Where, columns: frozenset[str] | None) -> Iterator[Batch]:
        """Read one file, one row group of it, or files side by side."""
        told, entry = located(part.place, where), self._entry(part)
        if isinstance(entry, Mapping):
            members = {column: self._rows(name, part, where, None, entry) for column, name in entry.items()}
            rows: Rows = partial(aligned_rows, members, where={c: located(name, where) for c, name in entry.items()})
            typed = any(self._format(name, entry) in TYPED for name in entry.values())
            return batches(rows, where=told, columns=columns, typed=typed)
        form = self._format(entry)
        if form in TABLES:
            from instruction_kit.source.tables import read_arrow, read_parquet

            file = File(existing(entry, where))
            return read_parquet(file, part.number, columns) if form == "parquet" else read_arrow(file, columns)
        rows = self._rows(entry, part, where, columns)
        return batches(rows, where=told, columns=columns, typed=form in TYPED)

    def _entry(self, part: Range) -> Entry:
        sides = (entry for entry in self.splits[part.split] if isinstance(entry, Mapping))  # type: ignore[index]
        return next((entry for entry in sides if next(iter(entry.values())) == part.place), part.place)

    def _rows(
        self, name: str, part: Range, where: Where, columns: frozenset[str] | None, entry: Entry | None = None
    ) -> Rows:
        form = self._format(name, entry)
        if form == "text":
            found = matching(name, where) if is_pattern(name) else [name]
            return partial(file_rows, [(self._portable(n), File(existing(n, where))) for n in found], self.encoding)
        file, names = File(existing(name, where)), self._headless(name, entry)
        records = self.records[part.split] if isinstance(self.records, Mapping) else self.records  # type: ignore[index]
        match form:
            case "json":
                held = Document(file, self.encoding, records=records, shape=self.shape, names=names)
                return held.rows
            case "xml":
                return partial(element_rows, file, records=str(records), columns=columns)
            case "csv" | "tsv":
                return self._cell_rows(file, form, names)
            case _:
                plain = {"lines": line_rows, "blocks": block_rows, "jsonl": jsonl_rows}
                return partial(plain[form], file, self.encoding)

    def _headless(self, name: str, entry: Entry | None) -> tuple[str, ...] | None:
        """The names that are stated for the columns of a file."""
        if not isinstance(self.columns, Mapping):
            return self.columns
        sides = [side for side, other in entry.items() if other == name] if isinstance(entry, Mapping) else []
        return next((self.columns[side] for side in sides if side in self.columns), None)

    def _cell_rows(self, file: File, form: Format, names: tuple[str, ...] | None) -> Rows:
        return partial(
            cell_rows,
            file,
            self.encoding,
            delimiter=self.delimiter or ("," if form == "csv" else "\t"),
            quoting=self.quoting,
            header=names is None,
            names=names,
        )


def _names_of(entry: Entry) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry.values())
