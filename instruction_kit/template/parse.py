"""A template file's text becomes front matter and two trees, cut at the one top-level line `|||`.

In: text and its file. Out: `Parsed`. The file is parsed whole and the tree is cut, so `|||` in data, in a string or
in a comment is only data; a `set` above the line is seen on both sides. A line that holds only `{{ options }}` is
made to vanish, with its blank line, where options are empty.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from jinja2 import TemplateSyntaxError, nodes

from instruction_kit.errors import TemplateError
from instruction_kit.template.environment import ENVIRONMENT
from instruction_kit.template.front import Front, read_front
from instruction_kit.template.language import MAX_DEPTH, depth_of, flaws

MAX_CHARS = 64 * 1024
_SEPARATOR = re.compile(r"^[ \t]*\|\|\|[ \t]*(?:\n|\Z)", re.MULTILINE)
_OPTIONS = re.compile(r"[ \t]*\{\{[ \t]*options[ \t]*\}\}[ \t]*")


@dataclass(frozen=True)
class Parsed:
    """The parts of one file."""

    front: Front
    prompt: nodes.Template
    output: nodes.Template | None
    """From the line `|||` on; None where there is none, which is among the problems."""
    problems: tuple[str, ...]
    """`where:line` and what is wrong so far, to be told with what else is."""

    def at(self, line: int) -> int:
        """The file's line of a line of the body, both counted from 1."""
        return line + self.front.height


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
    """Parse one template's text; its problems are collected as long as there is something left to look at.

    Raises:
        TemplateError: `where:line` and what is wrong: the text does not parse; with what is wrong above it.

    """
    if len(text) > MAX_CHARS:
        raise TemplateError(f"{where}: {len(text)} characters, at most {MAX_CHARS}")
    if text.startswith("\ufeff"):
        raise TemplateError(f"{where}:1: starts with a byte order mark; save it as UTF-8 without one")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    front = read_front(lines, where=where)
    body = _Body(where, front.height, tuple(lines[front.height :]))
    try:
        tree = _tree(body)
    except TemplateError as error:
        raise TemplateError("\n".join([*front.problems, str(error)])) from error
    beyond = [f"{body.at(flaw.line)}: {flaw.what}" for flaw in flaws(tree)]
    prompt, output, problems = _cut(tree, body)
    return Parsed(
        front,
        _with_options_line(prompt, body),
        None if output is None else _with_options_line(output, body),
        (*front.problems, *beyond, *problems),
    )


def _tree(body: _Body) -> nodes.Template:
    try:
        tree = ENVIRONMENT.parse("\n".join(body.lines))
    except TemplateSyntaxError as error:
        raise TemplateError(f"{body.at(error.lineno)}: {error.message}") from error
    except RecursionError as error:
        raise TemplateError(f"{body.at(1)}: nested too deep to parse") from error
    except ValueError as error:  # jinja reads a literal number as Python does
        raise TemplateError(f"{body.at(1)}: a number is too long to read ({error})") from error
    if (depth := depth_of(tree)) > MAX_DEPTH:
        raise TemplateError(f"{body.at(1)}: nested {depth} deep, at most {MAX_DEPTH}")
    return tree


class _Cut(NamedTuple):
    prompt: nodes.Template
    output: nodes.Template | None
    problems: list[str]


def _cut(tree: nodes.Template, body: _Body) -> _Cut:
    before: list[nodes.Node] = []
    after: list[nodes.Node] = []
    lines: list[int] = []
    problems: list[str] = []
    for node in tree.body:
        problems += [f"{body.at(line)}: {_INSIDE}" for line in _separators_inside(node, body)]
        for piece in _pieces(node, body):
            if isinstance(piece, int):
                lines.append(piece)
            else:
                (after if lines else before).append(piece)
    if not lines and not problems:
        problems.append(f"{body.at(len(body.lines))}: {_NO_OUTPUT}")
    problems += [
        f"{body.at(line)}: a second line `|||`, the first is line {lines[0] + body.offset}" for line in lines[1:]
    ]
    if not lines:
        return _Cut(_template(before), None, problems)
    sets = [node for node in before if isinstance(node, nodes.Assign)]
    return _Cut(_template(before), _template([*_used(sets, after), *after], line=lines[0]), problems)


_INSIDE = "the line `|||` stands inside a block; it separates prompt and output at top level"
_NO_OUTPUT = "lacks its output: a line `|||` and, below it, what the model is to answer"


def _used(sets: list[nodes.Assign], body: list[nodes.Node]) -> list[nodes.Assign]:
    """Those whose names the body reads, or that such a one reads."""
    read = {name.name for node in body for name in _template([node]).find_all(nodes.Name)}
    used: list[nodes.Assign] = []
    for node in reversed(sets):
        if isinstance(node.target, nodes.Name) and node.target.name in read:
            used.insert(0, node)
            read |= {name.name for name in _template([node.node]).find_all(nodes.Name)}
    return used


def _template(body: list[nodes.Node], *, line: int = 1) -> nodes.Template:
    tree = nodes.Template(body, lineno=line)
    tree.set_environment(ENVIRONMENT)
    return tree


def _separators_inside(node: nodes.Node, body: _Body) -> list[int]:
    inside = [] if isinstance(node, nodes.Output) else node.find_all(nodes.TemplateData)
    return [line for data in inside for _, line in _separators(data, body)]


def _pieces(node: nodes.Node, body: _Body) -> Iterator[nodes.Node | int]:
    """The node itself, or its parts around separators, each of which is given as its line."""
    if not isinstance(node, nodes.Output):
        yield node
        return
    for part in node.nodes:
        if not isinstance(part, nodes.TemplateData):
            yield nodes.Output([part], lineno=part.lineno)
            continue
        start = 0
        for match, line in _separators(part, body):
            yield _data(part, part.data[start : match.start()])
            yield line
            start = match.end()
        yield _data(part, part.data[start:])


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
