"""Raw rows become examples of a schema, or rejections with their reasons; row for row, nothing is lost.

In: a batch of raw rows and a task. Out: accepted examples (row id, hash, fields), one line for each thing wrong with a
rejected row, and counts. This is the only place where a task's columns are evaluated.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from instruction_kit.build.rejected import rejected_rows, unread_rows
from instruction_kit.build.rowid import FILE, HASH, ID, ROW, with_ids
from instruction_kit.choice import row_hashes
from instruction_kit.errors import TaskError, nearest
from instruction_kit.schema.columns import PROBLEMS, check_frame, frame_schema
from instruction_kit.source.raw import INDEX, SPLIT, Batch, Problem
from instruction_kit.task.column import Resolved
from instruction_kit.task.load import ITS_OWN, line_of
from instruction_kit.task.task import Task

SKIP = "_skip"
TEXTS = (pl.String, pl.Categorical, pl.Enum)
ClassNames = Mapping[str, tuple[str, ...]]
POLARS_PLAN = "\n\n"
"""Behind it polars prints its query plan, which says nothing to whoever wrote the task."""
NUM_ALONE = 5
"""Rows of each batch that are mapped alone too."""


@dataclass(frozen=True)
class Examples:
    """What became of one batch."""

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    counts: Mapping[str, int]
    reasons: Mapping[str, int] = field(default_factory=dict)
    """First reason of each rejected row -> rows."""
    anew: bool = False
    """What was made of the batches before is void, as the source says."""


class Mapper:
    """Maps the batches of one split of one task."""

    def __init__(self, task: Task, split: str) -> None:
        self.task = task
        self.split = split
        self._there: dict[str, pl.DataType] = {}

    def empty(self) -> pl.DataFrame:
        """Accepted examples of no rows."""
        return pl.DataFrame(schema={ROW: pl.String(), HASH: pl.UInt64(), **self._field_types(pl.Schema())})

    def unreadable(self, problems: tuple[Problem, ...], *, file: str) -> Examples:
        """Rows that the source could not read at all."""
        count = {"source_rows": len(problems), "read": len(problems)}
        lost = unread_rows(problems, task=self.task.name, split=self.split, file=file)
        return Examples(self.empty(), lost, count, Counter(problem.reason for problem in problems))

    def examples(self, batch: Batch, *, file: str, columns: Callable[[], pl.Schema] | None = None) -> Examples:
        """Map and check one batch; `columns` tells all that the source has, where this batch lacks one.

        Raises:
            TaskError: a column is not there, an expression does not fit it, or class names are in another order.

        """
        self._check_class_names(batch.class_names)
        source_rows = batch.frame.height
        known = {FILE: file, SPLIT: self.split}
        told = [pl.lit(value).alias(name) for name, value in known.items() if name not in batch.frame.columns]
        raw = self._rows(batch.frame.with_columns(told))
        mapped = self._mapped(self._with_all_columns(raw, columns or (lambda: raw.schema)), file, batch.class_names)
        good = mapped.filter((pl.col(PROBLEMS).list.len() == 0) & ~pl.col(SKIP))
        bad = mapped.filter((pl.col(PROBLEMS).list.len() > 0) & ~pl.col(SKIP))
        unreadable = self.unreadable(batch.problems, file=file)
        counts = Counter(unreadable.counts)
        counts.update(
            source_rows=source_rows, read=mapped.height, accepted=good.height, skipped=int(mapped[SKIP].sum())
        )
        reasons = Counter(unreadable.reasons)
        reasons.update(bad[PROBLEMS].list.first().to_list())
        types = self._field_types(mapped.schema)
        ids = good[ROW].to_list()
        fields = [
            (pl.col(n).cast(t) if n in good.columns else pl.lit(None, dtype=t)).alias(n) for n, t in types.items()
        ]
        accepted = good.select(ROW, pl.Series(HASH, row_hashes(ids)), *fields)
        lost = rejected_rows(bad, task=self.task.name, split=self.split)
        return Examples(accepted, pl.concat([unreadable.rejected, lost]), counts, reasons, batch.anew)

    def _field_types(self, schema: pl.Schema) -> dict[str, pl.DataType]:
        """The schema's own types; a field of a type of the user's own keeps the type that it came with."""
        types = frame_schema(self.task.schema)
        return {name: schema.get(name, pl.String()) if kind == pl.Unknown() else kind for name, kind in types.items()}

    def _check_class_names(self, declared: ClassNames) -> None:
        for name, column in self.task.mapping.items():
            said = declared.get(column.source or "")
            if said and column.source_names and said != column.source_names:
                helper = "labels(…, names" if column.classes else "spans(…, codes"
                raise TaskError(
                    f"{self._where}: column {column.source} of the source has the classes {list(said)}, the task says "
                    f"{list(column.source_names)} for {name}; "
                    f"give {helper}={list(said)}) with the classes in that order"
                )

    @property
    def _where(self) -> str:
        return str(self.task.path or f"task {self.task.name}")

    def _unfit(self, what: str, error: BaseException) -> TaskError:
        """What polars or a function of the task file has against the rows, and in which line; without polars' plan."""
        where = line_of(self.task.path, error) if self.task.path else self._where
        kind = "" if isinstance(error, pl.exceptions.PolarsError) else f"{type(error).__name__}: "
        return TaskError(f"{where}: {what}: {kind}{str(error).partition(POLARS_PLAN)[0]}")

    def _rows(self, frame: pl.DataFrame) -> pl.DataFrame:
        if self.task.rows is None or not frame.height:
            return frame
        try:
            return self.task.rows(frame.lazy()).collect()
        except ITS_OWN as error:
            raise self._unfit("rows= does not fit the source", error) from error

    def _with_all_columns(self, frame: pl.DataFrame, columns: Callable[[], pl.Schema]) -> pl.DataFrame:
        """A column that no row of the source has is a mistake; one that this batch lacks is all null here.

        It has the type that it has elsewhere, so that an expression over it means the same in every batch.
        """
        column_reads = [column.reads for column in self.task.mapping.values()]
        skip = frozenset(self.task.skip.meta.root_names()) if self.task.skip is not None else frozenset[str]()
        key = frozenset({self.task.key}) if self.task.key else frozenset[str]()
        typed = {name for name, dtype in frame.schema.items() if dtype != pl.Null}
        absent = sorted(frozenset[str]().union(*column_reads, skip, key) - typed)
        if absent and frame.height and not set(self._there) >= set(absent):
            self._there = {**frame.schema, **columns()}
            if nowhere := [name for name in absent if name not in self._there]:
                told = f"{self._where}: split {self.split} has no column {nowhere[0]}"
                raise TaskError(f"{told}; {nearest(nowhere[0], set(self._there) - {INDEX, FILE, SPLIT})}")
        return frame.with_columns(pl.lit(None, dtype=self._there.get(name, pl.String())).alias(name) for name in absent)

    def _mapped(self, raw: pl.DataFrame, file: str, declared: ClassNames) -> pl.DataFrame:
        resolved = {name: self._resolved(name, raw.schema, declared) for name in self.task.mapping}
        skip = self.task.skip.fill_null(value=False) if self.task.skip is not None else pl.lit(value=False)
        raw = with_ids(raw, self.task, split=self.split, file=file)
        expressions = [pl.col(ID).alias(ROW), pl.col(FILE), skip.alias(SKIP)]
        for name, column in resolved.items():
            expressions.append(column.value.alias(name))
            if column.problem is not None and column.shown is not None:
                expressions += [column.problem.alias(f"_problem_{name}"), column.shown.alias(f"_shown_{name}")]
        try:
            mapped = raw.select(expressions)
        except ITS_OWN as error:
            raise self._unfit(f"split {self.split}: a column's expression does not fit the source", error) from error
        if mapped.schema[SKIP] != pl.Boolean:
            raise TaskError(f"{self._where}: skip= is {mapped.schema[SKIP]}; give an expression that is true or false")
        self._check_row_wise(raw, mapped, expressions)
        return self._checked(mapped.with_columns(self._lists_of_one(mapped.schema)), resolved)

    def _lists_of_one(self, schema: pl.Schema) -> list[pl.Expr]:
        """Where a field is a list of texts and its column a text, each text is a list of one."""
        lists = [name for name, dtype in frame_schema(self.task.schema).items() if dtype == pl.List(pl.String)]
        texts = [name for name in lists if schema.get(name, pl.Null()).base_type() in TEXTS]
        return [pl.when(pl.col(name).is_not_null()).then(pl.concat_list(name)).alias(name) for name in texts]

    def _check_row_wise(self, raw: pl.DataFrame, mapped: pl.DataFrame, expressions: list[pl.Expr]) -> None:
        """A row must mean the same alone as among others, or what it becomes would depend on the size of a batch."""
        for place in range(0, raw.height, max(1, raw.height // NUM_ALONE)):
            alone = raw[place : place + 1].select(expressions)
            if different := [
                name for name in mapped.columns if not alone[name].equals(mapped[name][place : place + 1])
            ]:
                raise TaskError(
                    f"{self._where}: {different[0].removeprefix('_')} is not row-wise: alone, a row gives another "
                    "value than among others; use rows= with scope= for what looks at several rows"
                )

    def _resolved(self, name: str, schema: pl.Schema, declared: ClassNames) -> Resolved:
        column = self.task.mapping[name]
        said = declared.get(column.source or "")
        try:
            if said and column.named and column.source and schema[column.source].is_integer():
                column = column.named(said)
            return column.resolve(schema)
        except TaskError as error:
            raise TaskError(f"{self._where}: {name}: {error}") from error
        except pl.exceptions.PolarsError as error:
            raise TaskError(f"{self._where}: split {self.split}: {name} does not fit the source: {error}") from error

    def _checked(self, mapped: pl.DataFrame, resolved: Mapping[str, Resolved]) -> pl.DataFrame:
        found = mapped.with_columns(check_frame(mapped.drop(ROW, FILE, SKIP), schema=self.task.schema).alias(PROBLEMS))
        for name, column in resolved.items():
            if column.problem is not None:
                said = pl.format("{}: {}", pl.lit(name), pl.col(f"_problem_{name}"))
                others = pl.col(PROBLEMS).list.set_difference(pl.lit([f"{name}: missing"]))
                better = pl.when(said.is_not_null()).then(pl.concat_list(said, others)).otherwise(pl.col(PROBLEMS))
                found = found.with_columns(better.alias(PROBLEMS))
        unnamed = pl.concat_list(pl.lit("key: missing"), pl.col(PROBLEMS))
        return found.with_columns(
            pl.when(pl.col(ROW).is_null()).then(unnamed).otherwise(pl.col(PROBLEMS)).alias(PROBLEMS)
        )
