"""The words in which a schema is declared: kinds of text, and what the answer of an example is.

In: nothing. Out: annotated types for fields and three small records for the target. A schema says with its target how
the answer and the options follow from its fields; no other code may guess it from a field's name.
"""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

VISIBLE = r"[^\s\x1c-\x1f]"
"""A text without one such character is blank. Spelled out so that Python's `re` and Polars' regex mean the same."""

MAX_OPTIONS = 100
"""More options than this are a retrieval task, not a choice that a prompt can list."""

_visible = re.compile(VISIBLE)


def _not_blank(value: str) -> str:
    if _visible.search(value) is None:
        raise PydanticCustomError("blank", "blank")
    return value


@dataclass(frozen=True)
class Shorten:
    """Marks a text that may be shortened when a prompt is over the budget."""


Text = Annotated[str, AfterValidator(_not_blank)]
"""Text that is not blank and is never shortened."""

LongText = Annotated[str, AfterValidator(_not_blank), Shorten()]
"""Text that is not blank and may be shortened when a prompt is over the budget."""


@dataclass(frozen=True)
class Label:
    """The answer is a class; the options are the task's classes in their order."""

    field: str


@dataclass(frozen=True)
class Choice:
    """The answer is one of the options that the row itself brings; `answer` is its 0-based index."""

    options: str
    answer: str


@dataclass(frozen=True)
class Free:
    """The answer is free text: a text field, or a list of equally right texts."""

    field: str


Target = Label | Choice | Free
