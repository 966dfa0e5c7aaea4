"""The front matter of a template file: the keys between two `---` lines at its very start.

In: a file's text. Out: `Front`, with every problem beside its line, and the body below it. Values stay text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from instruction_kit.errors import TemplateError, nearest
from instruction_kit.template.style import STYLES
from instruction_kit.yamlfile import parse_yaml


class FrontMatter(BaseModel):
    """The keys between the `---` lines; values stay text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answers: dict[str, str] = Field(default_factory=dict)
    """Class -> the words of the answer in this phrasing."""
    needs: tuple[str, ...] = ()
    """`options`: this phrasing makes no sense without a list of options."""
    style: str | None = None
    """How options are listed, one of `instruction_kit.template.style`; None leaves it to the mixture."""
    languages: tuple[str, ...] = ()
    source: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Front:
    """What stands above the body."""

    values: FrontMatter
    lines: Mapping[str, int]
    """Key -> its line in the file."""
    problems: tuple[str, ...]
    """`where:line` and what is wrong; `values` are then those of an empty front matter."""
    height: int
    """Lines of the file above the body."""


def read_front(lines: list[str], *, where: str) -> Front:
    """Read the front matter of a file, given as its lines.

    Raises:
        TemplateError: it has no end, so it cannot be told from the body.

    """
    if not lines or lines[0].rstrip() != "---":
        return Front(FrontMatter(), {}, (), 0)
    end = next((number for number, line in enumerate(lines) if number and line.rstrip() == "---"), None)
    if end is None:
        raise TemplateError(f"{where}:1: the front matter is not closed: end it with a line `---`")
    head = lines[1:end]
    try:
        said = parse_yaml("\n".join(head), where=where, first_line=2, scalars="text", error=TemplateError)
    except TemplateError as error:
        return Front(FrontMatter(), {}, (str(error),), end + 1)
    values, problems = _values(said)
    places = {key: _line(head, key) for key in said}
    told = tuple(f"{where}:{places[key]}: {why}" for key, why in problems)
    return Front(values, places, told, end + 1)


def _values(said: dict[str, Any]) -> tuple[FrontMatter, list[tuple[str, str]]]:
    """The front matter, or that of an empty one with (key, what is wrong) for everything."""
    known = {key: value for key, value in said.items() if key in FrontMatter.model_fields}
    problems = [
        (key, f"unknown key {key}; {nearest(key, FrontMatter.model_fields)}") for key in said if key not in known
    ]
    for key in ("needs", "languages"):
        if isinstance(known.get(key), str):
            known[key] = [part.strip() for part in known[key].split(",") if part.strip()]
    wrong: list[tuple[str, str]] = []
    try:
        values = FrontMatter.model_validate(known)
    except ValidationError as error:
        wrong = [(str(detail["loc"][0]), detail["msg"]) for detail in error.errors()]
        typed = {key: value for key, value in known.items() if key not in dict(wrong)}
        values = FrontMatter.model_validate(typed)
    return values, [*problems, *((key, f"{key}: {why}") for key, why in wrong), *_value_problems(values)]


def _value_problems(values: FrontMatter) -> Iterator[tuple[str, str]]:
    if set(values.needs) - {"options"}:
        yield "needs", "needs knows only `options`"
    for name, words in values.answers.items():
        if not words.strip():
            yield "answers", f"the answer words of {name} are blank"
    if values.style is not None and values.style not in STYLES:
        yield "style", f"no style {values.style}; {nearest(values.style, STYLES)}"


def _line(head: list[str], key: str) -> int:
    return next((number for number, line in enumerate(head, start=2) if line.startswith(f"{key}:")), 2)
