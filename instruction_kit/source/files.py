"""Local files as a source: CSV, TSV, text lines, JSON Lines and Parquet, with stated quoting and encoding.

In: paths by split. Out: ranges and batches. Nothing about a file is guessed beyond its format by its suffix: a
quoting or an encoding that is wrong shows as counted problems, not as other text.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator, model_validator

from instruction_kit.errors import SourceError, nearest
from instruction_kit.source.raw import INDEX, Batch, Range, Split, Where, check_columns, refusal
from instruction_kit.source.text import Quoting, read_csv, read_jsonl, read_lines

Format = Literal["csv", "tsv", "lines", "jsonl", "parquet"]
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".txt": "lines",
}

_Paths = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]


class Files(BaseModel):
    """Files on this machine.

    Example:
        >>> source = Files({"train": "mr/rt-polarity.all"}, format="lines", encoding="cp1252")
        >>> source.split_names
        ('train',)

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    splits: Mapping[Split, _Paths]
    """Our split -> path or paths, relative to `data_dir`, else to the folder of the task file."""
    format: Format | None = None
    """How the files are written; by default what the suffix says."""
    encoding: str = "utf-8"
    quoting: Quoting = "minimal"
    """csv and tsv: `minimal` reads `"…"` as one cell; with `none` a quote is a character like any other."""
    delimiter: str | None = None
    """csv and tsv: by default a comma and a tab."""
    header: bool = True
    """csv and tsv: whether the first record names the columns."""
    columns: tuple[str, ...] | None = None
    """csv and tsv: names for the columns of a file without a header."""

    def __init__(self, splits: Mapping[str, str | Sequence[str]], **options: object) -> None:
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
        if not self.splits or not all(self.splits.values()):
            raise ValueError("name at least one file for each split")
        formats = {self._format(path) for paths in self.splits.values() for path in paths}
        given = self.model_fields_set & {"quoting", "delimiter", "header", "columns"}
        if given and not formats <= {"csv", "tsv"}:
            raise ValueError(f"{', '.join(sorted(given))} only mean something for csv and tsv")
        if "encoding" in self.model_fields_set and "parquet" in formats:
            raise ValueError("encoding means nothing for parquet, whose texts are UTF-8")
        self._check_cells()
        return self

    def _check_cells(self) -> None:
        if not self.header and not self.columns:
            raise ValueError("without a header the columns need names: columns=[…]")
        if self.header and self.columns:
            raise ValueError("columns=[…] names the columns of a file without a header; add header=False")
        if self.columns and len(set(self.columns)) != len(self.columns):
            raise ValueError(f"columns=[…] needs distinct names, not {list(self.columns)}")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise ValueError("delimiter is one character, and neither a quote nor a line end")

    def _format(self, path: str) -> Format:
        if self.format:
            return self.format
        suffix = Path(path).suffix.lower()
        if suffix not in SUFFIXES:
            raise ValueError(f"the suffix of {path} says no format; give format=, one of {', '.join(get_args(Format))}")
        return SUFFIXES[suffix]

    @cached_property
    def split_names(self) -> tuple[str, ...]:
        """Which of train, validation and test there are."""
        return tuple(self.splits)

    def ranges(self, split: str, where: Where) -> list[Range]:
        """A text file is one range, a Parquet file one per row group.

        Raises:
            SourceError: a file is missing or no Parquet file.

        """
        found = []
        for name in self.splits[split]:  # type: ignore[index]
            path = _existing(name, where)
            content = _content(path)
            groups = _row_groups(path) if self._format(name) == "parquet" else 1
            found += [Range(split, self._portable(name), content, number) for number in range(groups)]
        return found

    def _portable(self, name: str) -> str:
        """A file's name in row ids and reports: an absolute path without what only this machine knows."""
        absolute = [path for paths in self.splits.values() for path in paths if Path(path).is_absolute()]
        if name not in absolute:
            return name
        shared = os.path.commonpath([Path(path).parent for path in absolute])
        return Path(name).relative_to(shared).as_posix()

    def _named(self, part: Range) -> str:
        """The path that the task gives for a range."""
        return next(name for name in self.splits[part.split] if self._portable(name) == part.name)  # type: ignore[index]

    def read(self, part: Range, where: Where, columns: frozenset[str] | None) -> Iterator[Batch]:
        """Read one file, or one row group of it."""
        name = self._named(part)
        path, form = _existing(name, where), self._format(name)
        match form:
            case "lines":
                return read_lines(path, encoding=self.encoding)
            case "jsonl":
                return read_jsonl(path, encoding=self.encoding, columns=columns)
            case "parquet":
                return _read_parquet(path, part.number, columns)
            case "csv" | "tsv":
                return read_csv(
                    path,
                    delimiter=self.delimiter or ("," if form == "csv" else "\t"),
                    encoding=self.encoding,
                    quoting=self.quoting,
                    header=self.header,
                    names=list(self.columns) if self.columns else None,
                    columns=columns,
                )


def _existing(name: str, where: Where) -> Path:
    path = where.resolve(name)
    if not path.is_file():
        hint = "the folder does not exist either"
        if path.parent.is_dir():
            hint = (
                "it is a folder" if path.is_dir() else nearest(path.name, [file.name for file in path.parent.iterdir()])
            )
        base = (
            "data_dir"
            if where.data_dir
            else "the folder of the task file; set data_dir (--data-dir) if the data lie elsewhere"
        )
        raise SourceError(f"{path}: no such file; {hint} (paths are relative to {base})")
    return path


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _parquet(path: Path) -> Iterator[pq.ParquetFile]:
    """Arrow says ArrowInvalid of some damage and OSError of other."""
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path}: not a whole Parquet file ({str(error).splitlines()[0]}); fetch it again") from error


def _row_groups(path: Path) -> int:
    with _parquet(path) as file:
        return int(file.num_row_groups)


def _read_parquet(path: Path, group: int, columns: frozenset[str] | None) -> Iterator[Batch]:
    with _parquet(path) as file:
        wanted = [name for name in file.schema_arrow.names if columns is None or name in columns]
        check_columns(wanted, where=str(path))
        start = sum(file.metadata.row_group(number).num_rows for number in range(group))
        table = file.read_row_group(group, columns=wanted)
    frame = pl.DataFrame(pl.from_arrow(table))
    yield Batch(frame.with_columns(pl.int_range(start, start + table.num_rows, dtype=pl.Int64).alias(INDEX)))
