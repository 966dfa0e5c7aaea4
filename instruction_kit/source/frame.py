"""Data in memory as a source: a `datasets.Dataset`, a Polars or pandas frame, or an Arrow table.

In: frames by split. Out: one range a split. Such a source belongs to a running program: it is hashed by content, and
can be neither written to YAML nor handed to another process.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from instruction_kit.errors import SourceError, nearest
from instruction_kit.source.raw import INDEX, SPLITS, Batch, Range, Where, check_columns

Names = dict[str, tuple[str, ...]]


class Frame:
    """Frames by split; a frame alone is the train split.

    Example:
        >>> import polars as pl
        >>> Frame(pl.DataFrame({"text": ["fine"]})).split_names
        ('train',)

    """

    def __init__(self, data: Any) -> None:
        given = data if isinstance(data, Mapping) else {"train": data}
        if not given:
            raise SourceError("Frame: no split; give a frame, or a dict of frames by split")
        for split in given:
            if split not in SPLITS:
                raise SourceError(f"Frame: no split {split!r}; {nearest(str(split), SPLITS)}")
        converted = {str(split): _converted(frame, f"Frame[{split}]") for split, frame in given.items()}
        self._frames = {split: frame for split, (frame, _) in converted.items()}
        self._class_names = {split: names for split, (_, names) in converted.items()}

    @property
    def split_names(self) -> tuple[str, ...]:
        """Which of the splits there are."""
        return tuple(self._frames)

    def rows(self, split: str) -> int:
        """Number of rows of a split; 0 where there is none."""
        return self._frames[split].height if split in self._frames else 0

    def ranges(self, split: str, where: Where) -> list[Range]:
        """The whole split; its content is a hash of the frame's values."""
        return [Range(split, f"Frame[{split}]", _content(self._frames[split], self._class_names[split]))]

    def read(self, part: Range, where: Where, columns: frozenset[str] | None) -> Iterator[Batch]:
        """Give the frame."""
        frame = self._frames[part.split]
        wanted = [name for name in frame.columns if columns is None or name in columns]
        rows = frame.select(wanted).with_columns(pl.int_range(frame.height, dtype=pl.Int64).alias(INDEX))
        yield Batch(rows, class_names=self._class_names[part.split])


def _converted(data: Any, where: str) -> tuple[pl.DataFrame, Names]:
    """What an Arrow table cannot hold, Polars, pandas and Arrow each refuse in their own way."""
    import pyarrow as pa

    try:
        frame, names = _convert(data)
    except (pa.ArrowException, pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise SourceError(
            f"{where}: cannot be read as a table: {error}; give each column one name and one type"
        ) from error
    check_columns(frame.columns, where=where)
    for name, dtype in frame.schema.items():
        if dtype == pl.Object:
            raise SourceError(f"{where}: the column {name} holds Python objects; give it one type of its own")
    return frame, names


def _convert(data: Any) -> tuple[pl.DataFrame, Names]:
    """Told apart by the module of the class, so that none of these packages is imported for the question."""
    package = type(data).__module__.split(".")[0]
    if isinstance(data, pl.LazyFrame):
        return data.collect(), {}
    if isinstance(data, pl.DataFrame):
        return data, {}
    if package == "pyarrow" and hasattr(data, "to_batches"):
        return pl.DataFrame(pl.from_arrow(data)), {}
    if package == "pandas" and hasattr(data, "columns"):
        return pl.from_pandas(data), {}
    if package == "datasets" and hasattr(data, "with_format"):
        return pl.DataFrame(pl.from_arrow(data.with_format("arrow")[:])), class_names(data.features or {})
    raise SourceError(
        f"Frame: cannot read a {type(data).__module__}.{type(data).__name__}; "
        "give a datasets.Dataset, a Polars or pandas frame, or an Arrow table, or a dict of them by split"
    )


def class_names(features: Any) -> Names:
    """ClassLabel columns of `datasets.Features`, or lists of them, with their names in order."""
    single = {name: getattr(feature, "feature", feature) for name, feature in features.items()}
    return {name: tuple(feature.names) for name, feature in single.items() if hasattr(feature, "names")}


def _content(frame: pl.DataFrame, names: Names) -> str:
    """Of the values, row by row: the bytes of a frame also tell how it was put together."""
    digest = hashlib.sha256(repr([*frame.schema.items(), *sorted(names.items())]).encode())
    for row in frame.iter_rows():
        digest.update(repr(row).encode())
    return digest.hexdigest()
