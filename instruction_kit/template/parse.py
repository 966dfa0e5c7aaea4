"""A template file's text becomes front matter and two trees, cut at the one top-level line `|||`.

In: text and its file. Out: `Parsed`. The file is parsed whole and the tree is cut, so `|||` in data, in a string or
in a comment is only data; a `set` above the line is seen on both sides. A line that holds only `{{ options }}` is
made to vanish, with its blank line, where options are empty.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from instruction_kit.errors import TemplateError, nearest
from instruction_kit.template.environment import ENVIRONMENT
from instruction_kit.template.language import flaws
from instruction_kit.template.style import STYLES
from instruction_kit.yamlfile import parse_yaml

MAX_CHARS = 64 * 1024
_SEPARATOR = re.compile(r"^[ \t]*\|\|\|[ \t]*(?:\n|\Z)", re.MULTILINE)
_OPTIONS = re.compile(r"[ \t]*\{\{[ \t]*options[ \t]*\}\}[ \t]*")


class FrontMatter(BaseModel):
    """The keys between the `---` lines; values stay text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answers: dict[str, str] = Field(default_factory=dict)
    """Class -> the words of the answer in this phrasing."""
    needs: tuple[str, ...] = ()
    """`options`: this phrasing makes no sense without a list of options."""
    style: str = "dash"
    """How options are listed; see `instruction_kit.template.style`."""
    languages: tuple[str, ...] = ()
    source: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Parsed:
    """The parts of one file."""

    front: FrontMatter
    prompt: nodes.Template
    output: nodes.Template
    offset: int
    """Lines above the body: what is added to a node's line to get the file's."""
    problems: tuple[str, ...]
    """`where:line` and what is wrong with the front matter, to be told with what else is."""


@dataclass(frozen=True)
class _Body:
    """What stands below the front matter."""

    where: str
    offset: int
    lines: tuple[str, ...]

    def at(self, line: int) -> str:
        """`file:line` of a line of the body, counted from 1."""
        return f"{self.where}:{line + self.offset}"

    def holds_only(self, line: int, what: re.Pattern[str]) -> bool:
        return 0 < line <= len(self.lines) and what.fullmatch(self.lines[line - 1]) is not None

    def is_blank(self, line: int) -> bool:
        return 0 < line <= len(self.lines) and not self.lines[line - 1].strip()


def parse(text: str, *, where: str) -> Parsed:
    """Parse one template's text.

    Raises:
        TemplateError: `where:line` and what is wrong: the text does not parse, has not one line `|||`, or goes beyond
            the language; with all flaws of the language and of the front matter at once.

    """
    if len(text) > MAX_CHARS:
        raise TemplateError(f"{where}: {len(text)} characters, at most {MAX_CHARS}")
    if text.startswith("\ufeff"):
        raise TemplateError(f"{where}:1: starts with a byte order mark; save it as UTF-8 without one")
    front, body, problems = _front_matter(text.replace("\r\n", "\n").replace("\r", "\n"), where)
    tree = _tree(body)
    if found := flaws(tree):
        raise TemplateError("\n".join([*problems, *(f"{body.at(flaw.line)}: {flaw.what}" for flaw in found)]))
    prompt, output = (_with_options_line(side, body) for side in _cut(tree, body))
    return Parsed(front, prompt, output, body.offset, tuple(problems))


def _front_matter(text: str, where: str) -> tuple[FrontMatter, _Body, list[str]]:
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return FrontMatter(), _Body(where, 0, tuple(lines)), []
    end = next((number for number, line in enumerate(lines) if number and line.rstrip() == "---"), None)
    if end is None:
        raise TemplateError(f"{where}:1: the front matter is not closed: end it with a line `---`")
    head = "\n".join(lines[1:end])
    values = parse_yaml(head, where=where, first_line=2, scalars="text", error=TemplateError)
    front, problems = _front(values)
    told = [f"{where}:{_key_line(head, key)}: {why}" for key, why in problems]
    return front, _Body(where, end + 1, tuple(lines[end + 1 :])), told


def _front(values: dict[str, Any]) -> tuple[FrontMatter, list[tuple[str, str]]]:
    """The front matter, or that of an empty one with (key, what is wrong) for everything."""
    known = {key: value for key, value in values.items() if key in FrontMatter.model_fields}
    problems = [
        (key, f"unknown key {key}; {nearest(key, FrontMatter.model_fields)}") for key in values if key not in known
    ]
    for key in ("needs", "languages"):
        if isinstance(known.get(key), str):
            known[key] = [part.strip() for part in known[key].split(",") if part.strip()]
    try:
        front = FrontMatter.model_validate(known)
    except ValidationError as error:
        wrong = [(str(detail["loc"][0]), detail["msg"]) for detail in error.errors()]
        return FrontMatter(), [*problems, *((key, f"{key}: {why}") for key, why in wrong)]
    problems += _front_problems(front)
    return front, problems


def _front_problems(front: FrontMatter) -> Iterator[tuple[str, str]]:
    if set(front.needs) - {"options"}:
        yield "needs", "needs knows only `options`"
    for name, words in front.answers.items():
        if not words.strip():
            yield "answers", f"the answer words of {name} are blank"
    if front.style not in STYLES:
        yield "style", f"no style {front.style}; {nearest(front.style, STYLES)}"


def _key_line(head: str, key: str) -> int:
    lines = [number for number, line in enumerate(head.split("\n"), start=2) if line.startswith(f"{key}:")]
    return lines[0] if lines else 2


def _tree(body: _Body) -> nodes.Template:
    try:
        return ENVIRONMENT.parse("\n".join(body.lines))
    except TemplateSyntaxError as error:
        raise TemplateError(f"{body.at(error.lineno)}: {error.message}") from error
    except RecursionError as error:
        raise TemplateError(f"{body.at(1)}: nested too deep to parse") from error
    except ValueError as error:  # jinja reads a literal number as Python does
        raise TemplateError(f"{body.at(1)}: a number is too long to read ({error})") from error


def _cut(tree: nodes.Template, body: _Body) -> tuple[nodes.Template, nodes.Template]:
    before: list[nodes.Node] = []
    after: list[nodes.Node] | None = None
    lines: list[int] = []
    for node in tree.body:
        for piece in _pieces(node, body, lines):
            if piece is None:
                if after is not None:
                    first = lines[0] + body.offset
                    raise TemplateError(f"{body.at(lines[-1])}: a second line `|||`, the first is line {first}")
                after = []
            else:
                (before if after is None else after).append(piece)
    if after is None:
        raise TemplateError(f"{body.where}: lacks its output: a line `|||` and, below it, what the model is to answer")
    sets = [node for node in before if isinstance(node, nodes.Assign)]
    return _template(before), _template([*_used(sets, after), *after])


def _used(sets: list[nodes.Assign], body: list[nodes.Node]) -> list[nodes.Assign]:
    """Those whose names the body reads, or that such a one reads."""
    read = {name.name for node in body for name in _template([node]).find_all(nodes.Name)}
    used: list[nodes.Assign] = []
    for node in reversed(sets):
        if isinstance(node.target, nodes.Name) and node.target.name in read:
            used.insert(0, node)
            read |= {name.name for name in _template([node.node]).find_all(nodes.Name)}
    return used


def _template(body: list[nodes.Node]) -> nodes.Template:
    tree = nodes.Template(body, lineno=1)
    tree.set_environment(ENVIRONMENT)
    return tree


def _pieces(node: nodes.Node, body: _Body, lines: list[int]) -> list[nodes.Node | None]:
    """The node itself, or its parts around separators, each None being one."""
    if not isinstance(node, nodes.Output):
        for data in node.find_all(nodes.TemplateData):
            for _, line in _separators(data, body):
                said = "the line `|||` stands inside a block; it separates prompt and output at top level"
                raise TemplateError(f"{body.at(line)}: {said}")
        return [node]
    pieces: list[nodes.Node | None] = []
    for part in node.nodes:
        if not isinstance(part, nodes.TemplateData):
            pieces.append(nodes.Output([part], lineno=part.lineno))
            continue
        start = 0
        for match, line in _separators(part, body):
            lines.append(line)
            pieces += [_data(part, part.data[start : match.start()]), None]
            start = match.end()
        pieces.append(_data(part, part.data[start:]))
    return pieces


def _separators(part: nodes.TemplateData, body: _Body) -> Iterator[tuple[re.Match[str], int]]:
    """The file itself says whether `|||` is a whole line: what stands beside it there may be an expression or a tag."""
    for match in _SEPARATOR.finditer(part.data):
        line = part.lineno + part.data.count("\n", 0, match.start())
        if body.holds_only(line, _SEPARATOR):
            yield match, line


def _data(part: nodes.TemplateData, text: str) -> nodes.Output:
    return nodes.Output([nodes.TemplateData(text, lineno=part.lineno)], lineno=part.lineno)


def _with_options_line(tree: nodes.Template, body: _Body) -> nodes.Template:
    tree.body = _options_lines(_merged(tree.body), body)
    tree.set_environment(ENVIRONMENT)
    return tree


def _merged(body: list[nodes.Node]) -> list[nodes.Node]:
    """One node a piece of text or expression, neighbours in text joined, so that lines can be seen."""
    merged: list[nodes.Node] = []
    for node in body:
        for part in node.nodes if isinstance(node, nodes.Output) else [node]:
            last = merged[-1] if merged else None
            if isinstance(part, nodes.TemplateData) and isinstance(last, nodes.TemplateData):
                merged[-1] = nodes.TemplateData(last.data + part.data, lineno=last.lineno)
            else:
                merged.append(part)
    return [node if isinstance(node, nodes.Stmt) else nodes.Output([node], lineno=node.lineno) for node in merged]


def _options_lines(nodes_: list[nodes.Node], body: _Body) -> list[nodes.Node]:
    for node in nodes_:
        if isinstance(node, nodes.If | nodes.For):
            node.body = _options_lines(_merged(node.body), body)
            node.else_ = _options_lines(_merged(node.else_), body)
        if isinstance(node, nodes.If):
            for branch in node.elif_:
                branch.body = _options_lines(_merged(branch.body), body)
    for position, node in enumerate(nodes_):
        only = node.nodes[0] if isinstance(node, nodes.Output) else None
        if isinstance(only, nodes.Name) and only.name == "options" and body.holds_only(only.lineno, _OPTIONS):
            nodes_[position] = _optional(only, _literal(nodes_, position - 1), _literal(nodes_, position + 1), body)
    return nodes_


def _literal(body: list[nodes.Node], position: int) -> nodes.TemplateData | None:
    if not 0 <= position < len(body):
        return None
    node = body[position]
    part = node.nodes[0] if isinstance(node, nodes.Output) else None
    return part if isinstance(part, nodes.TemplateData) else None


def _optional(
    options: nodes.Name, before: nodes.TemplateData | None, after: nodes.TemplateData | None, body: _Body
) -> nodes.If:
    """Put the line, with the blank line before it (else after it), under `if options`."""
    head, tail = "", ""
    if before is not None:
        before.data = before.data.rstrip(" \t")
    if after is not None:
        after.data = after.data.lstrip(" \t")
    if before is not None and before.data.endswith("\n") and body.is_blank(options.lineno - 1):
        before.data, head = before.data[:-1], "\n"
    elif after is not None and after.data.startswith("\n\n"):
        after.data, tail = after.data[1:], "\n"
    if after is not None and after.data.startswith("\n"):
        after.data, tail = after.data[1:], tail + "\n"
    line = options.lineno
    shown = [nodes.TemplateData(head, lineno=line), options, nodes.TemplateData(tail, lineno=line)]
    test = nodes.Name("options", "load", lineno=line)
    return nodes.If(test, [nodes.Output(shown, lineno=line)], [], [], lineno=line)
