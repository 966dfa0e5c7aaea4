"""`Task`: one dataset mapped onto one schema.

In: a source, a schema and how the fields follow from the columns. Out: a checked, frozen declaration. Nothing is read
here; `instruction_kit.build` reads. A task in a file takes its name from the file and its cluster from the
folder.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import polars as pl
from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import ErrorDetails

from instruction_kit.errors import TaskError, nearest
from instruction_kit.schema.field import Free
from instruction_kit.schema.schema import Schema
from instruction_kit.source import Files, Frame, Hub, Sample
from instruction_kit.source.raw import EXEMPLARS, Split, Where
from instruction_kit.task.check import classes_of, problems, words_of
from instruction_kit.task.column import Column, as_column

if TYPE_CHECKING:
    from datasets import Dataset

T = TypeVar("T")
Rows = Callable[[pl.LazyFrame], pl.LazyFrame]
Scope = str
"""`row`, `split` or `group:<column>`."""


def _in_words(error: ValidationError) -> list[str]:
    """All that pydantic has against a declaration, each with its key."""
    told = []
    for detail in error.errors(include_url=False):
        key = _key(detail)
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
    return list(dict.fromkeys(told))


def _key(detail: ErrorDetails) -> str:
    return str(detail["loc"][0]) if detail["loc"] else "Task"


def _telling(task: type[T]) -> type[T]:
    """Make a class tell all that is wrong with it at once, where pydantic would tell the types alone."""
    checked: Any = task.__init__

    @wraps(checked)
    def init(self: T, **values: Any) -> None:
        untyped: ValidationError | None = None
        try:
            checked(self, **values)
        except ValidationError as error:
            untyped = error
        unread = {_key(detail) for detail in untyped.errors(include_url=False)} if untyped else set()
        said = {"scope": "row", **{key: value for key, value in values.items() if key not in unread}}
        told = [*(_in_words(untyped) if untyped else []), *problems(said)]
        if told:
            label = f"task {said['name']}: " if said.get("name") else ""
            raise TaskError(label + "; ".join(told)) from untyped

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
    status: Literal["usable", "unverified"] = "usable"
    """`unverified` where nobody has seen the source as this file describes it: it stays out of a mixture that does not
    name it."""
    families: Sequence[str] = ()
    """Annotated datasets that this one is, or was made from; hold-outs follow them."""
    languages: Sequence[str] = ("en",)
    prompts: Mapping[str, Literal["file", "question", "answer"]] = Field(default_factory=dict)
    """Source column -> what stands there where exemplars come from prompts of the user's own (`exemplars: {source:
    prompts}`): the name of the file without its suffix, the question, the answer."""
    sizes: Mapping[Split, int] = Field(default_factory=dict)
    """Rows of each split as the source's documentation states them; `plan` marks them as estimates."""
    name: str = ""
    """For Task objects; a task file's name is that of the file."""
    cluster: str = ""
    """For Task objects; a task file's cluster is its folder."""
    path: Path | None = None
    """The task file; None for a Task object."""

    @cached_property
    def mapping(self) -> dict[str, Column]:
        """The columns as `Column` objects."""
        return {name: as_column(value) for name, value in self.columns.items()}

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes of a task whose answer is a label, in the order in which options list them; else none."""
        return classes_of(self.schema, self.columns)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The answer words of the classes, in their order."""
        return words_of(self.classes, self.answers)

    @property
    def has_options(self) -> bool:
        """Whether an answer is one of several options."""
        return not isinstance(self.schema.target, Free)

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

    @property
    def exemplar_path(self) -> Path | None:
        """Hand-written exemplars beside the task file, where there are any."""
        path = self.path.with_suffix(".exemplars.jsonl") if self.path else None
        return path if path and path.is_file() else None

    def exemplar_split(self, data: Literal["source", "sample"]) -> Split:
        """The split whose rows stand before a question: the one that is for nothing else, else train."""
        return EXEMPLARS if EXEMPLARS in self.reading(data).split_names else "train"

    def reading(self, data: Literal["source", "sample"]) -> Hub | Files | Frame | Sample:
        """What rows are read from. A Task object has no sample and always reads its frames."""
        return Sample(self.sample_path) if data == "sample" and self.path else self.source

    def named(self, *, name: str, cluster: str, path: Path | None = None) -> "Task":
        """The same task under a name and a cluster."""
        return replace(self, name=name, cluster=cluster, path=path)

    def pairs(
        self,
        template: str | None = None,
        *,
        split: Split = "train",
        data: Literal["source", "sample"] = "source",
        data_dir: str | Path | None = None,
        paths: Sequence[str | Path] = (),
        num_rows: int | None = None,
        seed: int = 0,
    ) -> "Dataset":
        """The pairs of this task alone, as a `datasets.Dataset`: every row under every template, or under one.

        `paths` are folders with templates of your own; `num_rows` reads the first usable rows alone.
        """
        from instruction_kit.build.pairs import pairs

        folders, where = [Path(path) for path in paths], None if data_dir is None else Path(data_dir)
        return pairs(
            self, template, split=split, data=data, data_dir=where, paths=folders, num_rows=num_rows, seed=seed
        )
