"""Instruction Kit: raw NLP datasets in, many phrasings of instruction and output pairs out, and the way to a tuned
model.

The names below are loaded when they are first used, so that the import itself stays quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from instruction_kit.errors import InstructionKitError
    from instruction_kit.mixture import Equal, ExamplesProportional, FixedWeights, Mixture, Temperature
    from instruction_kit.source import Files, Frame, Hub
    from instruction_kit.task import Task, index, labels, options, position, spans, text
    from instruction_kit.task.conversation import conversation  # not by way of task: mypy takes it for the module there

__version__ = "0.1.0"

_HOME = {
    "Equal": "mixture",
    "ExamplesProportional": "mixture",
    "Files": "source",
    "FixedWeights": "mixture",
    "Frame": "source",
    "Hub": "source",
    "InstructionKitError": "errors",
    "Mixture": "mixture",
    "Task": "task",
    "Temperature": "mixture",
    "conversation": "task",
    "index": "task",
    "labels": "task",
    "options": "task",
    "position": "task",
    "spans": "task",
    "text": "task",
}

__all__ = [
    "Equal",
    "ExamplesProportional",
    "Files",
    "FixedWeights",
    "Frame",
    "Hub",
    "InstructionKitError",
    "Mixture",
    "Task",
    "Temperature",
    "conversation",
    "index",
    "labels",
    "options",
    "position",
    "spans",
    "text",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'instruction_kit' has no attribute {name!r}")
    return getattr(import_module(f"instruction_kit.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
