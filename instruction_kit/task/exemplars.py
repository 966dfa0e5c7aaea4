"""Hand-written exemplars beside a task file: `<task>.exemplars.jsonl`, in the schema's own fields.

In: a task. Out: examples by name, each checked as a row of the source would be, or every problem of the file with its
line. They are few and read whole.
"""

import json
from collections.abc import Iterator
from typing import Any

from instruction_kit.errors import TaskError, nearest
from instruction_kit.schema.field import Label
from instruction_kit.schema.schema import check_row
from instruction_kit.task.task import Task


def read_exemplars(task: Task) -> dict[str, dict[str, Any]]:
    """Name, which is file and line, -> fields; none where there is no file.

    Raises:
        TaskError: lines are no examples of the task's schema.

    """
    path = task.exemplar_path
    if path is None:
        return {}
    found, told = {}, []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise TaskError(f"{path}: not UTF-8 ({error.reason} at byte {error.start})") from error
    for number, line in enumerate(lines, start=1):
        fields = _object(line)
        told += [f"{path}:{number}: {why}" for why in _problems(fields, task)]
        found[f"{path.name}:{number}"] = dict.fromkeys(task.schema.model_fields) | (fields or {})
    if told or not found:
        raise TaskError("\n".join(told) or f"{path}: no exemplar in it; write one a line, or remove the file")
    return found


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _problems(fields: dict[str, Any] | None, task: Task) -> Iterator[str]:
    if fields is None:
        yield "no JSON object; write the fields of one example in a line"
        return
    for name in fields:
        if name not in task.schema.model_fields:
            yield f"{task.schema.__name__} has no field {name}; {nearest(name, task.schema.model_fields)}"
    known = {name: value for name, value in fields.items() if name in task.schema.model_fields}
    wrong = sorted(check_row(task.schema, known))
    yield from (f"{name}: {why}" for name, why in wrong)
    target = task.schema.target
    label = fields.get(target.field) if isinstance(target, Label) else None
    if isinstance(label, str) and not wrong and label not in task.classes:
        yield f"{label} is none of the task's classes; {nearest(label, task.classes)}"
