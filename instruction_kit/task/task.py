"""`Task`: one dataset mapped onto one schema.

In: a source, a schema and how the fields follow from the columns. Out: a checked, frozen declaration. Nothing is read
here; `instruction_kit.build.scan` reads. A task in a file takes its name from the file and its cluster from the
folder.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import polars as pl
from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

from instruction_kit.errors import TaskError, nearest
from instruction_kit.schema.field import Choice, Free, Label
from instruction_kit.schema.schema import Schema
from instruction_kit.source import Files, Frame, Hub, Sample
from instruction_kit.source.raw import Split, Where
from instruction_kit.task.column import COLUMN, Column, as_column

T = TypeVar("T")
NAME = re.compile(r"[a-z0-9_]+")
Rows = Callable[[pl.LazyFrame], pl.LazyFrame]
Scope = str
"""`row`, `split` or `group:<column>`."""


def _in_words(error: ValidationError) -> str:
    """All that pydantic has against a declaration, each with its key."""
    told = []
    for detail in error.errors(include_url=False):
        key = str(detail["loc"][0]) if detail["loc"] else "Task"
        match detail["type"]:
            case "unexpected_keyword_argument" | "extra_forbidden":
                why = f"unknown key; {nearest(key, Task.__dataclass_fields__)}"
            case "missing" | "missing_argument" | "missing_keyword_only_argument":
                why = "is required"
            case _ if key == "source":
                why = (
                    f"a {type(detail['input']).__name__} is none of Hub, Files and Frame; wrap data in memory: Frame(…)"
                )
            case _:
                why = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        told.append(f"{key}: {why}")
    return "; ".join(dict.fromkeys(told))


def _telling(task: type[T]) -> type[T]:
    """Make a class raise our error where pydantic would raise its own."""
    checked: Any = task.__init__

    @wraps(checked)
    def init(self: T, **values: Any) -> None:
        try:
            checked(self, **values)
        except ValidationError as error:
            raise TaskError(_in_words(error)) from error

    task.__init__ = init  # type: ignore[assignment]
    return task


@_telling
@dataclass(frozen=True, kw_only=True, config=ConfigDict(arbitrary_types_allowed=True, extra="forbid"))
class Task:
    """One dataset as examples of one schema.

    Example:
        >>> import polars as pl
        >>> from instruction_kit import Frame, Task, labels
        >>> from instruction_kit.schema import Classification
        >>> reviews = pl.DataFrame({"review": ["Loved it."], "stars": [1]})
        >>> task = Task(name="reviews", cluster="sentiment", schema=Classification, source=Frame(reviews),
        ...             columns={"text": "review", "label": labels("stars", ["negative", "positive"])})
        >>> task.classes
        ('negative', 'positive')

    """

    schema: type[Schema]
    source: Hub | Files | Frame
    columns: Mapping[str, Any]
    """Field of the schema -> column name, Polars expression or helper (`text`, `labels`, `options`, `index`,
    `position`)."""
    skip: pl.Expr | None = None
    """True on rows that the dataset itself marks as unusable; they are counted as skipped."""
    answers: Mapping[str, str] = Field(default_factory=dict)
    """Class -> the words of the answer; the class's name where none are given."""
    key: str | None = None
    """Source column whose value names a row; by default its split or file and its index."""
    rows: Rows | None = None
    """Where rows must be exploded, grouped, joined or parsed: one pure function over a lazy frame."""
    scope: Scope = "row"
    """What `rows` needs to see at once: `row`, `group:<column>`, or the whole `split`."""
    evaluate: Split | None = None
    """The measured split; by default test, else validation, else rows of train."""
    metrics: Sequence[str] = ("accuracy",)
    license: str = "unknown"
    families: Sequence[str] = ()
    """Annotated datasets that this one is, or was made from; hold-outs follow them."""
    languages: Sequence[str] = ("en",)
    sizes: Mapping[Split, int] = Field(default_factory=dict)
    """Rows of each split as the source's documentation states them; `plan` marks them as estimates."""
    name: str = ""
    """For Task objects; a task file's name is that of the file."""
    cluster: str = ""
    """For Task objects; a task file's cluster is its folder."""
    path: Path | None = None
    """The task file; None for a Task object."""

    def __post_init__(self) -> None:
        problems = self._value_problems() or [*self._field_problems(), *self._class_problems(), *self._split_problems()]
        if problems:
            label = f"task {self.name}: " if self.name else ""
            raise TaskError(label + "; ".join(problems))

    def _value_problems(self) -> list[str]:
        """What leaves nothing else to look at."""
        named = {"name": self.name, "cluster": self.cluster}
        odd = {key: value for key, value in named.items() if value and not NAME.fullmatch(value)}
        columns = {name: value for name, value in self.columns.items() if not isinstance(value, str | pl.Expr | Column)}
        return [
            *(f"{key}={value!r} may only hold a-z, 0-9 and _" for key, value in odd.items()),
            *(f"{name}: {value!r} is no column; {COLUMN}" for name, value in columns.items()),
        ]

    def _field_problems(self) -> list[str]:
        fields = self.schema.model_fields
        unknown = [
            f"{self.schema.__name__} has no field {name}; {nearest(name, fields)}"
            for name in self.columns
            if name not in fields
        ]
        missing = [name for name, field in fields.items() if field.is_required() and name not in self.columns]
        return unknown + (
            [f"columns lacks {', '.join(missing)}, which {self.schema.__name__} requires"] if missing else []
        )

    def _class_problems(self) -> list[str]:
        if not isinstance(self.schema.target, Label) or self.schema.target.field not in self.columns:
            return []
        field, problems = self.schema.target.field, []
        if not self.classes:
            problems.append(f'the classes of {field} are not known: map it with labels("…", [classes])')
        allowed = get_args(self.schema.model_fields[field].annotation)
        if allowed:
            problems += [
                f"{name} is no {field} of {self.schema.__name__}; {nearest(name, allowed)}"
                for name in self.classes
                if name not in allowed
            ]
        problems += [
            f"answers has {name}, which is no class; {nearest(name, self.classes)}"
            for name in self.answers
            if name not in self.classes
        ]
        words = self.words
        if len(set(words)) != len(words):
            problems.append(f"two classes have the same answer words: {', '.join(words)}")
        problems += [
            f"the answer words of {name} are blank"
            for name, word in zip(self.classes, words, strict=True)
            if not word.strip()
        ]
        return problems

    def _split_problems(self) -> list[str]:
        if self.evaluate is not None and self.evaluate not in self.source.split_names:
            return [
                f"evaluate={self.evaluate!r} is none of its splits; {nearest(self.evaluate, self.source.split_names)}"
            ]
        if self.scope not in ("row", "split") and not self.scope.startswith("group:"):
            return [f'scope={self.scope!r}: use "row", "split" or "group:<column>"']
        if self.scope != "row" and self.rows is None:
            return [f"scope={self.scope!r} says what rows= needs to see, and there is no rows="]
        return []

    @cached_property
    def mapping(self) -> dict[str, Column]:
        """The columns as `Column` objects."""
        return {name: as_column(value) for name, value in self.columns.items()}

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes of a task whose answer is a label, in the order in which options list them; else none."""
        if not isinstance(self.schema.target, Label):
            return ()
        column = self.mapping[self.schema.target.field]
        return column.classes or get_args(self.schema.model_fields[self.schema.target.field].annotation)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The answer words of the classes, in their order."""
        return tuple(self.answers.get(name, name) for name in self.classes)

    @property
    def has_options(self) -> bool:
        """Whether an answer is one of several options."""
        return not isinstance(self.schema.target, Free)

    @property
    def own_options(self) -> bool:
        """Whether each row brings its own options."""
        return isinstance(self.schema.target, Choice)

    @cached_property
    def reads(self) -> frozenset[str] | None:
        """Source columns that are read; None for all, when `rows` may touch any."""
        if self.rows is not None:
            return None
        skip = frozenset(self.skip.meta.root_names()) if self.skip is not None else frozenset()
        key = frozenset({self.key}) if self.key else frozenset()
        return frozenset[str]().union(*(column.reads for column in self.mapping.values()), skip, key)

    @cached_property
    def measured_split(self) -> str:
        """The split that is measured when the task is held out."""
        return self.evaluate or next(
            split for split in ("test", "validation", "train") if split in self.source.split_names
        )

    def where(self, data_dir: Path | None) -> Where:
        """Against what the source's relative paths resolve."""
        return Where(self.path.parent if self.path else None, data_dir)

    @property
    def sample_path(self) -> Path:
        """The sample file that lies beside the task file."""
        if self.path is None:
            raise TaskError(f"task {self.name}: a Task object has no sample; build with data: source")
        return self.path.with_suffix(".sample.jsonl")

    def reading(self, data: Literal["source", "sample"]) -> Hub | Files | Frame | Sample:
        """What rows are read from. A Task object has no sample and always reads its frames."""
        return Sample(self.sample_path) if data == "sample" and self.path else self.source

    def named(self, *, name: str, cluster: str, path: Path | None = None) -> "Task":
        """The same task under a name and a cluster."""
        return replace(self, name=name, cluster=cluster, path=path)


def check_names(name: str, cluster: str, *, where: str) -> None:
    """Names become folders, splits and columns, so their alphabet is small.

    Raises:
        TaskError: a name has other characters than a-z, 0-9 and _.

    """
    for kind, value in (("task", name), ("cluster", cluster)):
        if not NAME.fullmatch(value):
            raise TaskError(f"{where}: the {kind} name {value!r} may only hold a-z, 0-9 and _")
