"""A dataset mapped onto a schema, and the helpers that map its columns."""

from instruction_kit.task.column import Column, index, labels, options, position, text
from instruction_kit.task.conversation import conversation
from instruction_kit.task.load import load_task, load_tasks, task_files
from instruction_kit.task.span import spans
from instruction_kit.task.task import Task

__all__ = [
    "Column",
    "Task",
    "conversation",
    "index",
    "labels",
    "load_task",
    "load_tasks",
    "options",
    "position",
    "spans",
    "task_files",
    "text",
]
