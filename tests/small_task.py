"""Small tasks over frames in memory, phrasings for them, and ways to look at a built folder."""

from pathlib import Path
from typing import Any

import polars as pl

from instruction_kit import Frame, Mixture, Task, labels
from instruction_kit.build.manifest import Manifest
from instruction_kit.schema import Free, Label, LongText, Schema, Text


class Verdict(Schema):
    """A schema of the tests' own, so that no shipped phrasing joins in."""

    target = Label("label")
    claim: LongText
    label: Text


class Recital(Schema):
    """As `Verdict`, without options."""

    target = Free("line")
    cue: LongText
    line: Text


CLASSES = ["true", "false", "open"]
PHRASINGS = {
    "verdict/ask": "{{ claim }}\n\nIs that so?\n\n{{ options }}\n|||\n{{ answer }}",
    "verdict/claim": "Claim: {{ claim }}\n\n{{ options }}\n\nVerdict:\n|||\n{{ answer }}",
    "verdict/judge": "Judge this.\n\n{{ claim }}\n|||\nI find it {{ answer }}.",
    "recital/go_on": "Go on: {{ cue }}\n|||\n{{ answer }}",
    "recital/next_line": "{{ cue }}\n\nWhat comes next?\n|||\n{{ answer }}",
}


def phrasings(folder: Path, texts: dict[str, str] | None = None) -> Path:
    """A folder for `paths` with these templates."""
    for name, text in (PHRASINGS if texts is None else texts).items():
        path = folder / "templates" / f"{name}.jinja"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def claims(count: int, *, start: int = 0) -> pl.DataFrame:
    """Rows with a key, so that a row stays the same row wherever it stands."""
    numbers = range(start, start + count)
    return pl.DataFrame(
        {
            "id": [f"c{number}" for number in numbers],
            "claim": [f"Number {number} is even." for number in numbers],
            "label": [number % 3 for number in numbers],
        },
        schema={"id": pl.String, "claim": pl.String, "label": pl.Int64},
    )


def verdicts(data: Any, *, name: str = "verdicts", cluster: str = "judging", **options: Any) -> Task:
    """A task with options over frames that `claims` makes."""
    columns = {"claim": "claim", "label": labels("label", CLASSES)}
    values = {"schema": Verdict, "source": Frame(data), "columns": columns, "key": "id", **options}
    return Task(name=name, cluster=cluster, **values)


def recitals(count: int, *, name: str = "recitals", cluster: str = "reciting", **options: Any) -> Task:
    """A task without options."""
    frame = pl.DataFrame({"cue": [f"Line {i}" for i in range(count)], "line": [f"Line {i + 1}" for i in range(count)]})
    values = {"schema": Recital, "source": Frame(frame), "columns": {"cue": "cue", "line": "line"}, **options}
    return Task(name=name, cluster=cluster, **values)


def pairs(folder: Path, split: str = "train", config: str = "train") -> pl.DataFrame:
    """All pairs of one split of a built folder, in order."""
    files = sorted((folder / config).glob(f"{split}-*.parquet"))
    return pl.concat([pl.read_parquet(file) for file in files])


def counts(folder: Path, column: str = "task", split: str = "train") -> dict[str, int]:
    """Pairs of one split of a built folder by the values of one column."""
    return dict(sorted(pairs(folder, split).group_by(column).len().iter_rows()))


def used(folder: Path, split: str = "train", config: str = "train") -> set[tuple[str, str, str]]:
    """(task, split, row) of every row that stands in one split of a built folder."""
    return set(pairs(folder, split, config).select("task", "split", "row").iter_rows())


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones too, by its relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def built(folder: Path, paths: Path, *tasks: Task, **options: Any) -> Manifest:
    """Build a mixture of these tasks."""
    values = {"tasks": tasks, "paths": [paths], "num_validation": 0, **options}
    return Mixture(**values).build(folder)


TASK_FILE = """
import polars as pl
from instruction_kit import Files, Task, labels
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    source=Files({splits}),
    columns={{"text": "text", "label": labels("label", ["no", "yes"])}},
    license="mit",
)
"""
"""A task over files that lie beside it."""


def lines(count: int, *, start: int = 0) -> str:
    """JSON Lines for `TASK_FILE`; every seventh row has no text."""
    texts = ["null" if number % 7 == 6 else f'"line {number}"' for number in range(start, start + count)]
    return "".join(f'{{"text": {text}, "label": {number % 2}}}\n' for number, text in enumerate(texts, start))


def task_file(folder: Path, name: str, *, cluster: str = "sorting", **splits: str) -> Path:
    """Write a task file and its data, one text of JSON Lines a split."""
    path = folder / "tasks" / cluster / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TASK_FILE.format(splits={split: f"{name}.{split}.jsonl" for split in splits}), encoding="utf-8")
    for split, text in splits.items():
        path.with_name(f"{name}.{split}.jsonl").write_text(text, encoding="utf-8")
    return path
