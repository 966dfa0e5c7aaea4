"""`Template`: one phrasing, parsed, checked against its schema and compiled once.

In: a file's text and the schema. Out: two functions from a row's values to text, what they read, and how the answer
stands in the output, so that it can be read back from what a model writes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from jinja2 import nodes

from instruction_kit.errors import TemplateError, nearest
from instruction_kit.library import text_hash
from instruction_kit.schema.schema import Schema
from instruction_kit.template.environment import Values, compiled
from instruction_kit.template.language import field_names
from instruction_kit.template.parse import FrontMatter, Parsed, parse

ANSWER, OPTIONS, RATIONALE = "answer", "options", "rationale"


@dataclass(frozen=True)
class Place:
    """Where the answer stands in an output: after `marker`, before `tail`. Both empty: it is the whole output."""

    marker: str = ""
    tail: str = ""


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
        if self.place is None:
            return None
        _, found, rest = generated.rpartition(self.place.marker) if self.place.marker else ("", "x", generated)
        tail, rest = self.place.tail.strip(), rest.rstrip()
        if tail and rest.endswith(tail):  # the text stopped where it should
            rest = rest.removesuffix(tail)
        elif tail:  # it went on: a tail inside a word, as the point of 18.5, is not the end
            closed = re.search(rf"{re.escape(tail)}(?=\s)", rest)
            found, rest = ("x" if found and closed else ""), rest[: closed.start()] if closed else ""
        return rest.strip() or None if found else None


def parse_template(text: str, *, name: str, schema: type[Schema], where: str) -> Template:
    """Parse, check and compile one template.

    Raises:
        TemplateError: `file:line`, what is wrong and how to mend it; front matter, language and fields all at once.

    """
    parsed = parse(text, where=where)
    prompt_reads, output_reads = field_names(parsed.prompt), field_names(parsed.output)
    known = {*schema.model_fields, ANSWER, OPTIONS}
    unknown = [
        f"{where}:{line + parsed.offset}: {schema.__name__} has no field {field}; {nearest(field, known)}"
        for field, line in {**output_reads, **prompt_reads}.items()
        if field not in known
    ]
    if problems := [*parsed.problems, *unknown]:
        raise TemplateError("\n".join(dict.fromkeys(problems)))
    place = _answer_place(parsed, schema, where)
    _check_prompt(parsed, schema, place, where)
    _check_front(parsed.front, prompt_reads, where)
    return Template(
        name=name,
        text=text,
        hash=text_hash(text),
        front=parsed.front,
        prompt=compiled(parsed.prompt, name=where),
        output=compiled(parsed.output, name=where),
        reads=frozenset(prompt_reads) | frozenset(output_reads),
        output_reads=frozenset(output_reads),
        shortenable=schema.shortenable(),
        place=place,
    )


def _answer_names(schema: type[Schema]) -> frozenset[str]:
    """Names that give the answer away in a prompt: the answer itself and the fields that it is made from."""
    return frozenset({ANSWER}) | schema.target_fields() - {OPTIONS}


def _printed(tree: nodes.Template) -> dict[str, int]:
    """Names that are printed, each with its line; those that only conditions read are not among them."""
    names = [name for output in tree.find_all(nodes.Output) for name in output.find_all(nodes.Name)]
    return {name.name: name.lineno for name in reversed(names)}


def _check_prompt(parsed: Parsed, schema: type[Schema], place: Place | None, where: str) -> None:
    reads = field_names(parsed.prompt)
    if not set(reads) - {OPTIONS}:
        raise TemplateError(f"{where}: the prompt is the same for every row; print a field above `|||`")
    if place is None:
        return
    leaks = [name for name in reads if name in _answer_names(schema) or name == RATIONALE]
    if leaks:
        said = f"the prompt reads {leaks[0]}, which the output then answers; take it out of the prompt"
        raise TemplateError(f"{where}:{reads[leaks[0]] + parsed.offset}: {said}")


def _check_front(front: FrontMatter, prompt_reads: dict[str, int], where: str) -> None:
    for key in ("needs", "style"):
        if key in front.model_fields_set and OPTIONS not in prompt_reads:
            raise TemplateError(f"{where}: {key} speaks of options, and the prompt prints no `{{{{ options }}}}`")


def _answer_place(parsed: Parsed, schema: type[Schema], where: str) -> Place | None:
    output, offset = parsed.output, parsed.offset
    pieces = [part for node in output.body for part in (node.nodes if isinstance(node, nodes.Output) else [node])]
    pieces = [part for part in pieces if not isinstance(part, nodes.Assign)]
    printed = [part for part in pieces if not (isinstance(part, nodes.TemplateData) and not part.data.strip())]
    if not printed:
        raise TemplateError(f"{where}: lacks its output: below the line `|||` nothing is printed")
    reads, names = field_names(output), _printed(output)
    if not reads:
        said = "the output is the same for every row; print `{{ answer }}` or a field below `|||`"
        raise TemplateError(f"{where}: {said}")
    leaked = sorted(set(names) & (_answer_names(schema) - {ANSWER}))
    if leaked:
        said = f"the output prints {leaked[0]}; the answer is printed as `{{{{ answer }}}}`"
        raise TemplateError(f"{where}:{names[leaked[0]] + offset}: {said}")
    if ANSWER not in reads:
        return None
    places = [index for index, part in enumerate(printed) if isinstance(part, nodes.Name) and part.name == ANSWER]
    if len(places) != 1 or sum(name.name == ANSWER for name in output.find_all(nodes.Name)) != 1:
        said = "in the output `{{ answer }}` stands once, unfiltered, outside if, for and set"
        raise TemplateError(f"{where}:{reads[ANSWER] + offset}: {said}")
    return _marked(printed, places[0], where, reads[ANSWER] + offset)


def _marked(printed: list[nodes.Node], index: int, where: str, line: int) -> Place:
    before, after = printed[:index], printed[index + 1 :]
    if not all(isinstance(part, nodes.TemplateData) for part in after):
        raise TemplateError(
            f"{where}:{line}: after `{{{{ answer }}}}` the output ends, or goes on with literal text only"
        )
    tail = "".join(part.data for part in after if isinstance(part, nodes.TemplateData)).rstrip()
    if not before:
        return Place("", tail)
    last = before[-1]
    if not isinstance(last, nodes.TemplateData) or not last.data.strip():
        raise TemplateError(
            f"{where}:{line}: "
            "before `{{ answer }}` the output needs literal words, so that the answer can be found again"
        )
    marker = last.data if len(before) > 1 else last.data.lstrip()
    return Place(re.sub(r"^\s+(?=\S)", "", marker), tail)
