"""A dataset repository in the hub's layout, read with `load_dataset`: on a hub, in its offline cache, or in a folder.

In: id, config, revision, splits. Out: ranges of the memory-mapped dataset, or one streamed range. No loading script is
ever run. `HF_ENDPOINT`, `HF_HUB_OFFLINE` and the rest of the ecosystem's variables mean what they always do.

Several configs of one repository are read as one dataset: the ranges of each, one after another, under its name.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError, model_validator

from instruction_kit.errors import SourceError
from instruction_kit.library import text_hash
from instruction_kit.source.denial import http_error, mend, words
from instruction_kit.source.frame import Names, class_names
from instruction_kit.source.offline import commit_of, copy_of, is_copy
from instruction_kit.source.raw import INDEX, Batch, Range, Split, Where, check_columns, refusal, rows_at_once

RANGE_ROWS = 100_000
"""Rows in one range of a memory-mapped split."""
STREAM_ROWS = 2_000
"""Rows of a stream that are held at a time: of what size they are is not known before they come."""
CONFIG = "config"
"""Column that says which of several configs a row is of."""


class Hub(BaseModel):
    """A repository on a hub.

    Example:
        >>> Hub("nyu-mll/glue", config="sst2", splits={"train": "train", "validation": "validation"}).split_names
        ('train', 'validation')

    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """`namespace/name`, or a folder in the same layout, written as `/…`, `./…` or `../…`."""
    config: str | None = None
    configs: tuple[str, ...] = ()
    """Several configs as one dataset, one after another; the column `config` says which one a row is of."""
    revision: str | None = None
    """Branch, tag or commit."""
    data_dir: str | None = None
    """Folder inside the repository; how one config is chosen on the branch refs/convert/parquet."""
    splits: Mapping[Split, str]
    """Our split -> the repository's split."""
    streaming: bool = False
    """Read without downloading first; for what does not fit the disk."""
    first: PositiveInt | None = None
    """Streaming: so many rows of each split, from its beginning; the rest is never asked for."""

    def __init__(self, id: str, **options: object) -> None:  # noqa: A002 - the hub's own word
        try:
            super().__init__(id=id, **options)
        except ValidationError as error:
            raise SourceError(f"Hub({id}): {refusal(error, keys=Hub.model_fields)}") from error

    @model_validator(mode="after")
    def _can_be_named(self) -> Self:
        if not self.is_folder and self.id.count("/") != 1:
            raise ValueError("an id is `namespace/name`; a folder is written with its `/`, `./` or `../`")
        if not self.splits:
            raise ValueError("name at least one split")
        if self.config and self.configs:
            raise ValueError("config= names one, configs= several; give one of them")
        if twice := next((name for name in self.configs if self.configs.count(name) > 1), None):
            raise ValueError(f"configs= names {twice} twice; name each once")
        if self.first and not self.streaming:
            raise ValueError("first= stops a stream; add streaming=True, or limit the mixture: num_examples_per_task")
        return self

    @cached_property
    def split_names(self) -> tuple[str, ...]:
        """Which of the splits there are."""
        return tuple(self.splits)

    def ranges(self, split: str, where: Where) -> list[Range]:
        """Parts of 100,000 rows of the memory-mapped split; a streamed split is one.

        Raises:
            SourceError: the hub cannot be reached, or the repository, config, revision or split is not there.

        """
        if self.configs:
            return [
                replace(part, name=f"{config}/{part.name}")
                for config, hub in self._each.items()
                for part in hub.ranges(split, where)
            ]
        name = self.splits[split]  # type: ignore[index]
        data = self._dataset(name)
        parts = 1 if self.streaming else -(-len(data) // RANGE_ROWS)
        return [Range(split, name, self._content(name), number) for number in range(parts)]

    def read(self, part: Range, where: Where, columns: frozenset[str] | None) -> Iterator[Batch]:
        """Read one part.

        Raises:
            SourceError: as in `ranges`; or the branch has moved since, which another process may be the first to see.

        """
        if self.configs:
            yield from self._read_of_config(part, where, columns)
            return
        data = self._dataset(part.name)
        if not self.is_folder and part.content != self._content(part.name):
            told = f"is at another commit ({self._builder.hash}) than when its rows were counted"
            raise SourceError(f"{self._said()}: {told}; build again, or state a revision= that does not move")
        names = class_names(data.features or {})
        if self.streaming:
            yield from self._stream(data, columns, names)
            return
        table = data.select_columns(_kept(data.column_names, columns, self._said())).with_format("arrow")
        end = min((part.number + 1) * RANGE_ROWS, len(data))
        at_once = rows_at_once(len(data), data.data.nbytes)
        for start in range(part.number * RANGE_ROWS, end, at_once):
            yield Batch(_numbered(table[start : min(start + at_once, end)], start), class_names=names)

    @cached_property
    def _each(self) -> dict[str, "Hub"]:
        """Each of several configs as a source of its own."""
        return {config: self.model_copy(update={"config": config, "configs": ()}) for config in self.configs}

    def _read_of_config(self, part: Range, where: Where, columns: frozenset[str] | None) -> Iterator[Batch]:
        """Rows with the name of their config.

        Raises:
            SourceError: the repository has a column of that name itself.

        """
        config, _, name = part.name.partition("/")
        for batch in self._each[config].read(replace(part, name=name), where, columns):
            if CONFIG in batch.frame.columns:
                raise SourceError(
                    f"{self._said()}: the repository has a column {CONFIG} itself; name one config a task"
                )
            yield replace(batch, frame=batch.frame.with_columns(pl.lit(config).alias(CONFIG)))

    def _stream(self, data: Any, columns: frozenset[str] | None, names: Names) -> Iterator[Batch]:
        """A batch at a time, none held longer than it is read."""
        rows = data.take(self.first) if self.first else data
        start, tables = 0, iter(rows.with_format("arrow").iter(batch_size=STREAM_ROWS))
        while start != self.first and (table := self._guarded(lambda: next(tables, None))) is not None:
            kept = _kept(table.column_names, columns, self._said())
            yield Batch(_numbered(table.select(kept), start), class_names=names)
            start += table.num_rows

    @property
    def is_folder(self) -> bool:
        """Whether the repository is a folder on this machine."""
        return self.id.startswith(("/", "./", "../"))

    def _arguments(self) -> dict[str, Any]:
        """`hf://` keeps a folder that happens to bear the repository's name out of the way."""
        path = self.id if self.is_folder else f"hf://datasets/{self.id}"
        return {"path": path, "name": self.config, "revision": self.revision, "data_dir": self.data_dir}

    def _said(self) -> str:
        asked = {"config": self.config, "revision": self.revision, "data_dir": self.data_dir}
        return f"Hub({', '.join([self.id, *(f'{key}={value}' for key, value in asked.items() if value)])})"

    @cached_property
    def _builder(self) -> Any:
        """Resolved once, so that all ranges are of one commit, however the branch moves meanwhile."""
        from datasets import load_dataset_builder

        try:
            builder = self._guarded(lambda: load_dataset_builder(**self._arguments()))
        except SourceError:
            if copy := None if self.is_folder else self._copy():
                return copy
            raise
        if not is_copy(builder) or builder.hash == commit_of(self.id, self.revision):
            return builder
        return self._copy() or self._refuse_copy(str(builder.hash))

    def _copy(self) -> Any | None:
        return copy_of(self.id, config=self.config, revision=self.revision, data_dir=self.data_dir)

    def _refuse_copy(self, commit: str) -> Any:
        raise SourceError(
            f"{self._said()}: cannot be reached, and the copy in the cache is of another revision ({commit}, not "
            f"{commit_of(self.id, self.revision)}); read it once with the hub in reach, or state revision={commit!r}"
        )

    def _dataset(self, split: str) -> Any:
        builder = self._builder
        if self.streaming:
            return self._guarded(lambda: builder.as_streaming_dataset(split=split))
        self._guarded(builder.download_and_prepare)
        return self._guarded(lambda: builder.as_dataset(split=split))

    def _content(self, split: str) -> str:
        """The resolved commit with config and split; of a folder, its bytes."""
        limit = [f"first {self.first}"] if self.first else []
        if not self.is_folder:
            return text_hash(self.id, self.config or "", self.data_dir or "", str(self._builder.hash), split, *limit)
        files = [Path(file) for file in self._builder.config.data_files[split]]
        return text_hash(*(part for file in files for part in (file.name, _digest(file))), *limit)

    def _guarded(self, call: Callable[[], Any]) -> Any:
        """Every way in which the ecosystem says no, told as one kind of error that names the source.

        What `huggingface_hub` raises are OSErrors and ValueErrors, but for a connection that breaks, where it lets its
        HTTP client speak. The message is theirs, the mending is ours.
        """
        from datasets.exceptions import DatasetsError

        try:
            return call()
        except (OSError, ValueError, RuntimeError, DatasetsError, http_error()) as error:
            mending = "check config and split" if self.is_folder else mend(error, id=self.id, revision=self.revision)
            raise SourceError(
                f"{self._said()}: cannot be read: {words(error)}\n  Mend: {mending}; or build with data: sample"
            ) from error


def _kept(names: Iterable[str], columns: frozenset[str] | None, where: str) -> list[str]:
    kept = [name for name in names if columns is None or name in columns]
    check_columns(kept, where=where)
    return kept


def _numbered(table: Any, start: int) -> pl.DataFrame:
    index = pl.int_range(start, start + table.num_rows, dtype=pl.Int64).alias(INDEX)
    return pl.DataFrame(pl.from_arrow(table)).with_columns(index)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
