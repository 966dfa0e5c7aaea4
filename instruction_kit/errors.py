"""Every error that a user can meet, as one tree.

    InstructionKitError
    ├── SchemaError      a schema class that cannot serve as one
    ├── SourceError      a file, a hub or a frame that cannot be read
    ├── TaskError        a task file that cannot be used, or a task that does not exist
    ├── TemplateError    a template file that cannot be used, or a template that does not exist
    ├── MixtureError     a mixture that asks for what cannot be
    ├── BuildError       a build that cannot go on, or a built folder that is not whole
    ├── TokenError       pairs that cannot become tokens
    │   └── NoPairsError     none of them can
    ├── TrainingError    a tuning run that would go wrong in silence
    ├── EvaluationError  a measurement that cannot be made
    ├── ExperimentError  an experiment that would compare what is not alike
    └── MissingExtraError  a feature whose packages are not installed

A message says what is wrong, where (`file:line`, `rte train row 17`) and how to mend it; an unknown name comes with the
nearest valid ones. Bad rows are no errors: they are counted and written to `rejected/`.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import partial
from typing import Any


class InstructionKitError(Exception):
    """The root: catch it to catch whatever this library raises on purpose."""


class SchemaError(InstructionKitError):
    """A schema class that cannot serve as one."""


class SourceError(InstructionKitError):
    """A file, a hub or a frame that cannot be read."""


class TaskError(InstructionKitError):
    """A task file that cannot be used, or a task that does not exist."""


class TemplateError(InstructionKitError):
    """A template file that cannot be used, or a template that does not exist."""


class MixtureError(InstructionKitError):
    """A mixture that asks for what cannot be."""


class BuildError(InstructionKitError):
    """A build that cannot go on, or a built folder that is not whole."""


class TokenError(InstructionKitError):
    """Pairs that cannot become tokens."""


class NoPairsError(TokenError):
    """None of the pairs that were to become tokens can."""


class TrainingError(InstructionKitError):
    """A tuning run that would go wrong in silence."""


class EvaluationError(InstructionKitError):
    """A measurement that cannot be made."""


class ExperimentError(InstructionKitError):
    """An experiment that would compare what is not alike."""


class MissingExtraError(InstructionKitError):
    """A feature whose packages are not installed."""

    def __init__(self, feature: str, *, extra: str) -> None:
        super().__init__(f"{feature} needs the extra `{extra}`: pip install 'instruction-kit[{extra}]'")
        self._again = partial(type(self), feature, extra=extra)

    def __reduce__(self) -> tuple[Any, ...]:
        """From one process to another an error goes by what makes it."""
        return self._again, ()


def nearest(name: str, names: Iterable[str]) -> str:
    """Say which valid names come closest to `name`, as the end of an error message.

    >>> nearest("premis", ["premise", "hypothesis"])
    'did you mean premise?'
    >>> nearest("zzz", ["premise", "hypothesis"])
    'there are: hypothesis, premise'
    """
    known = sorted(set(names))
    close = get_close_matches(name, known, n=3, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(close)}?"
    if not known:
        return "there are none"
    shown = ", ".join(known[:12])
    return f"there are: {shown}" + (f", … ({len(known)} in all)" if len(known) > 12 else "")
