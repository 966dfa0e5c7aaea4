"""Whether a parsed template fits its schema: its fields, what its prompt gives away, and where its answer stands.

In: both sides of a file and the schema. Out: every problem, with file and line. All questions are asked, whatever the
earlier ones found; so each one has to bear a tree that goes beyond the language.
"""

from collections.abc import Iterator, Mapping

from jinja2 import nodes

from instruction_kit.errors import nearest
from instruction_kit.schema.field import Choice
from instruction_kit.schema.schema import Schema
from instruction_kit.template.language import ANSWER, OPTIONS, RATIONALE, field_names
from instruction_kit.template.parse import Parsed


def problems(parsed: Parsed, schema: type[Schema], *, where: str) -> Iterator[str]:
    """All that stands between this template and this schema."""
    reads = field_names(parsed.output) if parsed.output else {}
    for line, what in (
        *_field_problems({**reads, **field_names(parsed.prompt)}, schema),
        *_prompt_problems(parsed, schema, answers=ANSWER in reads),
        *(_output_problems(parsed.output, schema, reads) if parsed.output else ()),
    ):
        yield f"{where}:{parsed.at(line)}: {what}"
    for key in ("needs", "style"):
        if key in parsed.front.values.model_fields_set and OPTIONS not in field_names(parsed.prompt):
            said = f"{key} speaks of options, and the prompt prints no `{{{{ options }}}}`"
            yield f"{where}:{parsed.front.lines[key]}: {said}"


def pieces_of(output: nodes.Template) -> list[nodes.Node]:
    """What an output prints at top level, in its order; a `set` and blanks between tags print nothing."""
    parts = [part for node in output.body for part in (node.nodes if isinstance(node, nodes.Output) else [node])]
    return [
        part
        for part in parts
        if not isinstance(part, nodes.Assign) and not (isinstance(part, nodes.TemplateData) and not part.data.strip())
    ]


def place_in(pieces: list[nodes.Node]) -> int:
    """Where `{{ answer }}` stands by itself among the pieces; -1 where it does not."""
    return next((at for at, part in enumerate(pieces) if isinstance(part, nodes.Name) and part.name == ANSWER), -1)


Problems = Iterator[tuple[int, str]]


def _field_problems(reads: Mapping[str, int], schema: type[Schema]) -> Problems:
    known = {*schema.model_fields, ANSWER, OPTIONS}
    for field, line in reads.items():
        if field not in known:
            yield line, f"{schema.__name__} has no field {field}; {nearest(field, known)}"


def _answer_names(schema: type[Schema]) -> frozenset[str]:
    """Names that give the answer away in a prompt: the answer itself and the fields that it is made from."""
    return frozenset({ANSWER}) | schema.target_fields() - {OPTIONS}


def _prompt_problems(parsed: Parsed, schema: type[Schema], *, answers: bool) -> Problems:
    reads, own = field_names(parsed.prompt), isinstance(schema.target, Choice)
    if not set(reads) - {OPTIONS} and not (own and OPTIONS in parsed.front.values.needs and OPTIONS in reads):
        mend = "; or say `needs: options`, which are each row's own here" if own and OPTIONS in reads else ""
        yield 1, f"the prompt is the same for every row; print a field above `|||`{mend}"
    for name, line in reads.items() if answers else ():  # an inverted template may read the answer
        if name in _answer_names(schema) or name == RATIONALE:
            yield line, f"the prompt reads {name}, which the output then answers; take it out of the prompt"


def _output_problems(output: nodes.Template, schema: type[Schema], reads: Mapping[str, int]) -> Problems:
    pieces = pieces_of(output)
    if not pieces:
        yield output.lineno, "lacks its output: below the line `|||` nothing is printed"
    elif not reads:
        said = "the output is the same for every row; print `{{ answer }}` or a field below `|||`"
        yield output.lineno, said
    for name, line in _printed(output).items():
        if name in _answer_names(schema) - {ANSWER}:
            yield line, f"the output prints {name}; the answer is printed as `{{{{ answer }}}}`"
    if ANSWER in reads:
        for what in _place_problems(output, pieces):
            yield reads[ANSWER], what


def _printed(tree: nodes.Template) -> dict[str, int]:
    """Names that are printed, each with its line; those that only conditions read are not among them."""
    names = [name for output in tree.find_all(nodes.Output) for name in output.find_all(nodes.Name)]
    return {name.name: name.lineno for name in reversed(names)}


def _place_problems(output: nodes.Template, pieces: list[nodes.Node]) -> Iterator[str]:
    at, read = place_in(pieces), sum(name.name == ANSWER for name in output.find_all(nodes.Name))
    if at < 0 or read != 1:
        yield "in the output `{{ answer }}` stands once, unfiltered, outside if, for and set"
        return
    if not all(isinstance(part, nodes.TemplateData) for part in pieces[at + 1 :]):
        yield "after `{{ answer }}` the output ends, or goes on with literal text only"
    if at and not isinstance(pieces[at - 1], nodes.TemplateData):
        yield "before `{{ answer }}` the output needs literal words, so that the answer can be found again"
