"""`Template`: one phrasing, parsed, checked against its schema and compiled once.

In: a file's text and the schema. Out: two functions from a row's values to text, what they read, and how the answer
stands in the output, so that it can be read back from what a model writes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from jinja2 import nodes

from instruction_kit.errors import TemplateError
from instruction_kit.library import text_hash
from instruction_kit.schema.schema import Schema
from instruction_kit.template.environment import Values, compiled
from instruction_kit.template.fit import pieces_of, place_in, problems
from instruction_kit.template.front import FrontMatter
from instruction_kit.template.language import ANSWER, OPTIONS, RATIONALE, field_names
from instruction_kit.template.parse import parse


@dataclass(frozen=True)
class Place:
    """Where the answer stands in an output: after `marker`, before `tail`. Both empty: it is the whole output."""

    marker: str = ""
    tail: str = ""

    def read(self, generated: str) -> str | None:
        """The answer of a text: what follows the last marker, up to the tail; None where they are not there."""
        _, found, rest = generated.rpartition(self.marker) if self.marker else ("", "x", generated)
        tail, rest = self.tail.strip(), rest.rstrip()
        if tail and rest.endswith(tail):  # the text stopped where it should
            rest = rest.removesuffix(tail)
        elif tail:  # it went on: a tail inside a word, as the point of 18.5, is not the end
            closed = re.search(rf"{re.escape(tail)}(?=\s)", rest)
            found, rest = ("x" if found and closed else ""), rest[: closed.start()] if closed else ""
        return rest.strip() or None if found else None


@dataclass(frozen=True)
class Template:
    """One phrasing of one schema or task."""

    name: str
    """`folder/file`, without the suffix."""
    text: str
    hash: str
    front: FrontMatter
    prompt: Callable[[Values], str]
    output: Callable[[Values], str]
    reads: frozenset[str]
    """Names that prompt and output take from the row."""
    output_reads: frozenset[str]
    shortenable: tuple[str, ...]
    """Fields of the schema that may be shortened."""
    place: Place | None
    """None for an inverted template, whose output is not the answer."""

    @property
    def inverted(self) -> bool:
        """Whether it turns the task around; then it trains and never evaluates."""
        return self.place is None

    @property
    def cot(self) -> bool:
        """Whether the output reasons before it answers."""
        return RATIONALE in self.output_reads

    @property
    def shows_options(self) -> bool:
        """Whether the prompt lists the options when there are any."""
        return OPTIONS in self.reads

    @property
    def needs_options(self) -> bool:
        """Whether the wording makes no sense without a list of options."""
        return OPTIONS in self.front.needs

    def extract(self, generated: str) -> str | None:
        r"""Read the answer back from generated text: what follows the last marker, up to the tail; else None.

        >>> from instruction_kit.schema import MathWordProblem
        >>> text = "{{ question }}\n|||\n{{ rationale }}\nThe answer is {{ answer }}."
        >>> template = parse_template(text, name="x", schema=MathWordProblem, where="x.jinja")
        >>> template.extract("2 + 2 = 4\nThe answer is 4.")
        '4'
        """
        return None if self.place is None else self.place.read(generated)


def parse_template(text: str, *, name: str, schema: type[Schema], where: str) -> Template:
    """Parse, check and compile one template.

    Raises:
        TemplateError: every problem of the text, each as `file:line`, what is wrong and how to mend it.

    """
    parsed = parse(text, where=where)
    found = [*parsed.problems, *problems(parsed, schema, where=where)]
    if found or parsed.output is None:
        raise TemplateError("\n".join(dict.fromkeys(found)))
    prompt_reads, output_reads = frozenset(field_names(parsed.prompt)), frozenset(field_names(parsed.output))
    return Template(
        name=name,
        text=text,
        hash=text_hash(text),
        front=parsed.front.values,
        prompt=compiled(parsed.prompt, name=where),
        output=compiled(parsed.output, name=where),
        reads=prompt_reads | output_reads,
        output_reads=output_reads,
        shortenable=schema.shortenable(),
        place=place_of(parsed.output),
    )


def place_of(output: nodes.Template) -> Place | None:
    """The place of the answer in an output that fits; None where the output is not the answer."""
    if ANSWER not in field_names(output):
        return None
    pieces = pieces_of(output)
    at = place_in(pieces)
    tail = "".join(part.data for part in pieces[at + 1 :] if isinstance(part, nodes.TemplateData)).rstrip()
    last = pieces[at - 1] if at else None
    marker = last.data if isinstance(last, nodes.TemplateData) else ""
    return Place(re.sub(r"^\s+(?=\S)", "", marker.lstrip() if at == 1 else marker), tail)
