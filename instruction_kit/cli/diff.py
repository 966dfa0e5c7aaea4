"""`diff` in words: what the manifests say differently, a table of rows by task, and the first rows of each kind."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from rich.console import RenderableType
from rich.text import Text

from instruction_kit.built.diff import SHARES, Change, Difference
from instruction_kit.built.row_diff import KINDS, Example, Shown
from instruction_kit.cli.console import table

CONTEXT_CHARS = 30
"""Characters of a text that are shown from where it begins to differ."""


def diff_lines(found: Difference) -> Iterator[RenderableType]:
    """Everything that differs; in plain words where nothing does."""
    if not found.differ:
        yield Text("the same pairs, from the same mixture")
        return
    for change in found.changes:
        for line in _told(change):
            yield Text(line)
    changed = [task for task in found.tasks if task.differ]
    if changed:
        shown = [kind for kind in KINDS if any(getattr(task, kind) for task in found.tasks)]
        rows = [(task.task, *(f"{getattr(task, kind):,}" for kind in shown)) for task in changed]
        yield table(("task", *(f">{kind}" for kind in shown)), rows, title="Rows by what became of them")
    if same := len(found.tasks) - len(changed):
        yield Text(f"{same} {'task has' if same == 1 else 'tasks have'} the same rows and pairs")
    for move in found.moves:
        yield Text(f"moved: {move.task}: {move.rows:,} rows from {move.a} to {move.b}")
    if found.examples:
        yield Text("\nThe first rows of each kind")
    for example in found.examples:
        yield Text(f"{example.task} {example.split} {example.row}: {example.kind}: {_became(example)}")


def _told(change: Change) -> Iterator[str]:
    where = f"{change.about} {change.name}"
    match change:
        case Change(about="template" | "task", key="") if change.a is None or change.b is None:
            yield f"{where}: {'is new' if change.a is None else 'is gone'}"
        case Change(about="template"):
            yield f"{where}: its text changed"
        case Change(about="inputs"):
            yield f"{where}: changed"
        case Change(about="task", key=key) if key == "hash" or key.startswith("source"):
            yield f"{where}: its {'file' if key == 'hash' else key} changed"
        case Change(key=key) if key in SHARES:
            yield f"{where}: {key} was {change.a:.2%}, now {change.b:.2%}"
        case Change(about="ledger"):
            yield from (f"{where}: {line}" for line in _counts(change))
        case _:
            yield f"{where}:{change.key and ' '}{change.key} was {_value(change.a)}, now {_value(change.b)}"


def _counts(change: Change) -> Iterator[str]:
    """A ledger's number, or those of its reasons that differ."""
    if not isinstance(change.a, Mapping) and not isinstance(change.b, Mapping):
        yield f"{change.key} was {_value(change.a)}, now {_value(change.b)}"
        return
    before, after = change.a or {}, change.b or {}
    for reason in sorted({*before, *after}):
        if before.get(reason, 0) != after.get(reason, 0):
            yield f"{change.key} ({reason}) was {before.get(reason, 0):,}, now {after.get(reason, 0):,}"


def _value(value: Any) -> str:
    """As a mixture file says it; a count with its thousands parted."""
    if value is None:
        return "not there"
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    written = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf)
    return written.removesuffix("\n").removesuffix("\n...")


def _became(example: Example) -> str:
    a, b = example.a, example.b
    match example.kind:
        case "dropped" | "new":
            return f"{_homes(a or b)}, {_number(a or b)}"
        case "moved":
            return f"{_homes(a)} -> {_homes(b)}"
        case "number":
            return f"{_number(a)} -> {_number(b)}"
        case "setting" | "template":
            pairs = [(one, other) for one, other in zip(a, b, strict=True) if _kind(one) != _kind(other)]
            return "; ".join(f"{_kind(one)} -> {_kind(other)}" for one, other in pairs)
        case _:
            pairs = [(one, other) for one, other in zip(a, b, strict=True) if one != other]
            return f"{pairs[0][0].template}: {_apart(*pairs[0])}"


def _number(pairs: list[Shown]) -> str:
    return "1 pair" if len(pairs) == 1 else f"{len(pairs)} pairs"


def _homes(pairs: list[Shown]) -> str:
    return "+".join(sorted({pair.home for pair in pairs}))


def _kind(pair: Shown) -> str:
    return f"{pair.template} {pair.setting}"


def _apart(a: Shown, b: Shown) -> str:
    """Where the texts of two pairs part."""
    side = "prompt" if a.prompt != b.prompt else "completion"
    one, other = getattr(a, side), getattr(b, side)
    at = next((at for at, (x, y) in enumerate(zip(one, other, strict=False)) if x != y), min(len(one), len(other)))
    shown = [repr(text[at : at + CONTEXT_CHARS]) for text in (one, other)]
    return f"{side} from character {at}: {shown[0]} -> {shown[1]}"
