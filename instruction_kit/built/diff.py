"""`diff`: how two built folders differ, from their manifests and row by row.

In: two folders, the earlier one first. Out: a `Difference` of flat records that only ever gain fields. What stands in
neither list is equal in both. The order of the pairs is not compared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from instruction_kit.build.manifest import Ledger, Manifest, read_manifest
from instruction_kit.build.progress import bars, silent
from instruction_kit.built.pairs import check_there
from instruction_kit.built.row_diff import Example, Move, TaskRows, compare_rows

FORMAT_VERSION = 1
About = Literal["mixture", "versions", "inputs", "task", "template", "ledger", "left"]


@dataclass(frozen=True)
class Change:
    """One thing that the manifests say differently."""

    about: About
    name: str
    """Of the key, package, input, task or template; of a ledger `task split`."""
    key: str
    """What of it differs; empty where it is the whole."""
    a: Any
    """As it was; null where it was not there."""
    b: Any
    """As it is; null where it is no more."""


@dataclass(frozen=True)
class Difference:
    """All of it."""

    format_version: int
    a: str
    """Fingerprint of the first folder."""
    b: str
    changes: list[Change]
    tasks: list[TaskRows]
    moves: list[Move]
    examples: list[Example]

    @property
    def differ(self) -> bool:
        """Whether any pair or any word of the manifests does."""
        return bool(self.changes) or any(task.differ for task in self.tasks)


def diff(a: str | Path, b: str | Path, *, num_examples: int = 3, progress: bool = False) -> Difference:
    """Compare two built folders; `num_examples` rows are named for each task and kind of change.

    Raises:
        BuildError: one of them is not built, or a file of it cannot be read.

    """
    before, after = read_manifest(a), read_manifest(b)
    check_there(Path(a), before)
    check_there(Path(b), after)
    with bars() if progress else silent() as shown:
        tasks, moves, examples = compare_rows(
            (Path(a), before), (Path(b), after), num_examples=num_examples, progress=shown
        )
    changes = list(_changes(before, after))
    return Difference(FORMAT_VERSION, before.fingerprint, after.fingerprint, changes, tasks, moves, examples)


def _changes(before: Manifest, after: Manifest) -> Iterator[Change]:
    for about in ("mixture", "versions"):
        yield from _whole(about, getattr(before, about), getattr(after, about))
    shaped = ("code", "what leaves")  # tasks, templates and sources are told below, by what they are
    inputs = [{key: said.inputs.get(key) for key in shaped} for said in (before, after)]
    yield from _whole("inputs", *inputs)
    yield from _whole("left", before.left, after.left)
    texts = [{name: record.text for name, record in said.templates.items()} for said in (before, after)]
    yield from _whole("template", *texts)
    for name in sorted({*before.tasks, *after.tasks}):
        yield from _task_changes(name, before, after)


def _whole(about: About, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*a, *b}):
        if a.get(name) != b.get(name):
            yield Change(about, name, "", a.get(name), b.get(name))


TOLD_OF_A_TASK = ("cluster", "role", "task_schema", "metrics", "license", "families", "languages", "hash", "rounds")
SHARES = ("expected_share", "realised_share")


def _task_changes(name: str, before: Manifest, after: Manifest) -> Iterator[Change]:
    a, b = before.tasks.get(name), after.tasks.get(name)
    if a is None or b is None:
        yield Change("task", name, "", a and a.role, b and b.role)
        return
    for key in (*TOLD_OF_A_TASK, *SHARES):
        if getattr(a, key) != getattr(b, key):
            yield Change("task", name, key, getattr(a, key), getattr(b, key))
    for split in sorted({*a.splits, *b.splits}):
        x, y = a.splits.get(split), b.splits.get(split)
        if (x and x.content) != (y and y.content):
            yield Change("task", name, f"source {split}", x and x.content, y and y.content)
        yield from _ledger_changes(f"{name} {split}", x.ledger if x else None, y.ledger if y else None)


def _ledger_changes(name: str, a: Ledger | None, b: Ledger | None) -> Iterator[Change]:
    x, y = (said.model_dump() if said else {} for said in (a, b))
    for key in Ledger.model_fields:
        if x.get(key) != y.get(key):
            yield Change("ledger", name, key, x.get(key), y.get(key))
