"""YAML that people write: mixtures, and the front matter of templates.

In: text and where it stands. Out: plain data, or an error with file and line. The pure-Python loader is used on
purpose: the C one crashes on deep nesting. Duplicate keys, anchors and tags are refused; with `scalars="text"`
nothing is turned into a number or a boolean.
"""

import re
from typing import Any, Literal

import yaml

from instruction_kit.errors import InstructionKitError

MAX_DEPTH = 32
MAX_CHARS = 256 * 1024


def parse_yaml(
    text: str,
    *,
    where: str,
    first_line: int = 1,
    scalars: Literal["typed", "text"] = "typed",
    error: type[InstructionKitError],
) -> dict[str, Any]:
    """Parse a mapping.

    Raises:
        InstructionKitError: of the class `error`, with `where:line`.

    """
    if len(text) > MAX_CHARS:
        raise error(f"{where}: {len(text)} characters of YAML, more than {MAX_CHARS}")
    try:
        _check_events(text)
        loader = yaml.BaseLoader(text) if scalars == "text" else yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return {}
        _check_keys(node, first_line)
        value = loader.construct_document(node)
    except yaml.MarkedYAMLError as problem:
        line = first_line + (problem.problem_mark.line if problem.problem_mark else 0)
        raise error(f"{where}:{line}: {problem.problem or problem.context}") from problem
    except yaml.YAMLError as problem:
        raise error(f"{where}: {str(problem).splitlines()[0]}") from problem
    except ValueError as problem:  # what YAML takes for a date or a number, and Python does not
        raise error(f"{where}: {problem}; put quotes around what is meant as text") from problem
    if not isinstance(value, dict):
        raise error(f"{where}:{first_line}: expected `key: value` lines")
    return value


def _check_events(text: str) -> None:
    """On the event stream, before anything is built."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if problem := _event_problem(event, depth):
            raise _marked(problem, event.start_mark)


def _event_problem(event: yaml.Event, depth: int) -> str:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        return "anchors and aliases are not used here"
    if str(getattr(event, "tag", None) or "").startswith(("!", "tag:")):
        return "tags are not used here"
    return f"nested deeper than {MAX_DEPTH}" if depth > MAX_DEPTH else ""


def _marked(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    """`mark` is untyped because the stubs know two classes of them, of the C loader and of the Python one."""
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _check_keys(node: yaml.Node, first_line: int) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _marked("a key is one word or text", key.start_mark)
            if key.value in seen:
                problem = f"key {key.value} stands twice, first in line {seen[key.value]}"
                raise _marked(problem, key.start_mark)
            seen[key.value] = key.start_mark.line + first_line
            _check_keys(value, first_line)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(item, first_line)


def line_of(text: str, key: str, *, said: str = "") -> int:
    r"""Line of a key such as `rates.maximum` or `hold_out.1` in YAML that parses, as deep as the text has it; else 1.

    Of a list, or of keys that are names, it is the line of the first that is a word of what is `said` of it.

    >>> line_of("{seed: 1, rates: {kind: equal}}", "rates.equal.kind")
    1
    >>> line_of("tasks:\n- sst2\n- snly\n", "tasks", said="snly is neither a task nor a cluster")
    3
    """
    node, line = yaml.compose(text, Loader=yaml.SafeLoader), 1
    while key:
        for name, place, value in _entries(node):
            if key == name or key.startswith(f"{name}."):
                node, line, key = value, place.start_mark.line + 1, key[len(name) + 1 :]
                break
        else:
            key = key.partition(".")[2]
    named = {str(getattr(item, "value", "")): item for _, item, _ in reversed(_entries(node))}
    items = [named[word] for word in re.findall(r"[^\s,;]+", said) if word in named]
    return items[0].start_mark.line + 1 if items else line


def _entries(node: yaml.Node | None) -> list[tuple[str, yaml.Node, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        return [(str(key.value), key, value) for key, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return [(str(number), item, item) for number, item in enumerate(node.value)]
    return []
