"""The closed language of templates: an allow-list over the parsed tree, before anything is compiled.

In: a Jinja tree. Out: every node that is not allowed, with its line. Jinja's sandbox stops escapes but bounds neither
time nor memory (its own docs say so: https://jinja.palletsprojects.com/en/stable/sandbox/), and it folds constants
while compiling. So what could grow without the row growing is not in the language: no arithmetic, no calls but a
literal `range`, loops only over the row's own lists, and neither `set` nor a filter can multiply text.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from jinja2 import nodes

ANSWER, OPTIONS, RATIONALE = "answer", "options", "rationale"
"""What the kit gives to every template beside the row's own fields; `rationale` is a field of every schema."""
FILTERS = frozenset({"capitalize", "first", "join", "last", "length", "lower", "replace", "title", "trim", "upper"})
TESTS = frozenset({"none", "defined"})
LOOP = frozenset({"index", "index0", "first", "last", "length"})
TAKEN = frozenset({"answer", "loop", "options", "range"})
"""Names that a template cannot give to something of its own."""
MAX_RANGE = 100
MAX_DEPTH = 40
MAX_LENGTH = 100
"""How many times as long as the row an expression may become."""
MAX_STEPS = 10_000
"""How many nodes the literal ranges of a template may make it visit."""

_ALLOWED = (
    nodes.And,
    nodes.Assign,
    nodes.Compare,
    nodes.Concat,
    nodes.CondExpr,
    nodes.Const,
    nodes.If,
    nodes.Name,
    nodes.Not,
    nodes.Operand,
    nodes.Or,
    nodes.Output,
    nodes.Template,
    nodes.TemplateData,
)


class Flaw(NamedTuple):
    """Something that a template may not do."""

    line: int
    what: str


def flaws(tree: nodes.Template) -> list[Flaw]:
    """Everything in the tree that is outside the language; the tree is at most `MAX_DEPTH` deep."""
    found = [flaw for node in _walk(tree) for flaw in _node_flaws(node)]
    return [*found, *_name_flaws(tree), *_loop_flaws(tree, None), *_length_flaws(tree), *_step_flaws(tree)]


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)


def depth_of(node: nodes.Node) -> int:
    """How deep a tree is nested; asked before everything that follows a tree by recursion."""
    deepest, stack = 0, [(node, 1)]
    while stack:
        here, depth = stack.pop()
        deepest = max(deepest, depth)
        stack += [(child, depth + 1) for child in here.iter_child_nodes()]
    return deepest


def _node_flaws(node: nodes.Node) -> Iterator[Flaw]:
    if isinstance(node, nodes.Filter):
        yield from _filter_flaws(node)
    elif isinstance(node, nodes.Call):
        yield from _call_flaws(node)
    elif isinstance(node, nodes.For | nodes.Assign):
        yield from _statement_flaws(node)
    elif isinstance(node, nodes.Test | nodes.Getattr | nodes.Getitem):
        yield from _access_flaws(node)
    elif isinstance(node, nodes.Output):
        yield from _output_flaws(node)
    elif isinstance(node, nodes.CondExpr) and node.expr2 is None:
        yield Flaw(node.lineno, "an `if` inside an expression needs its `else`")
    elif not isinstance(node, _ALLOWED):
        line = next((part.lineno for part in _walk(node) if part.lineno), 1)  # some nodes have none of their own
        yield Flaw(line, f"{_said(node)} is not in the language of templates (docs/templates.md lists what is)")


def _access_flaws(node: nodes.Test | nodes.Getattr | nodes.Getitem) -> Iterator[Flaw]:
    if isinstance(node, nodes.Test):
        if node.name not in TESTS:
            known = ", ".join(sorted(TESTS))
            yield Flaw(node.lineno, f"the test `{node.name}` is not in the language; there are: {known}")
    elif isinstance(node, nodes.Getattr):
        if not (_is_name(node.node, "loop") and node.attr in LOOP):
            known = ", ".join(sorted(LOOP))
            yield Flaw(node.lineno, f"`.{node.attr}` is not in the language; attributes exist only on loop: {known}")
    elif not (isinstance(node.arg, nodes.Const) and type(node.arg.value) is int):
        yield Flaw(node.lineno, "an item is taken by a literal number, as in `answers[0]`")


def _statement_flaws(node: nodes.For | nodes.Assign) -> Iterator[Flaw]:
    if isinstance(node, nodes.Assign):
        if not isinstance(node.target, nodes.Name):
            yield Flaw(node.lineno, "`set` sets one plain name")
        return
    if node.recursive or node.test is not None or node.else_:
        yield Flaw(node.lineno, "a loop is plain `for item in list`: no recursive, no inline if, no else")
    if not isinstance(node.target, nodes.Name):
        yield Flaw(node.lineno, "a loop has one variable")
    if not isinstance(node.iter, nodes.Name | nodes.Call):
        yield Flaw(node.lineno, "a loop runs over a list of the row, or a literal range")


def _output_flaws(node: nodes.Output) -> Iterator[Flaw]:
    for part in node.nodes:
        odd = isinstance(part, nodes.Const) and type(part.value) not in (str, int)
        if odd or isinstance(part, nodes.Compare | nodes.Not | nodes.Test):
            yield Flaw(part.lineno, "only text and whole numbers are printed, no truth, no fraction and no none")


def _said(node: nodes.Node) -> str:
    names = {
        "Include": "include",
        "Import": "import",
        "FromImport": "import",
        "Extends": "extends",
        "Macro": "macro",
        "Mul": "`*`",
    }
    kind = type(node).__name__
    return names.get(kind, f"`{kind.lower()}`")


def _filter_flaws(node: nodes.Filter) -> Iterator[Flaw]:
    if node.name not in FILTERS:
        yield Flaw(
            node.lineno, f"the filter `{node.name}` is not in the language; there are: {', '.join(sorted(FILTERS))}"
        )
    elif node.kwargs or node.dyn_args or node.dyn_kwargs:
        yield Flaw(node.lineno, f"the filter `{node.name}` takes plain arguments only")
    elif any(not isinstance(arg, nodes.Const) or not isinstance(arg.value, str) for arg in node.args):
        yield Flaw(node.lineno, f"the arguments of the filter `{node.name}` are literal texts")
    elif node.name == "replace" and not (node.args and isinstance(node.args[0], nodes.Const) and node.args[0].value):
        yield Flaw(node.lineno, "`replace` needs a text to replace that is not empty")


def _call_flaws(node: nodes.Call) -> Iterator[Flaw]:
    numbers = [arg.value for arg in node.args if isinstance(arg, nodes.Const) and type(arg.value) is int]
    plain = not (node.kwargs or node.dyn_args or node.dyn_kwargs)
    if not (_is_name(node.node, "range") and plain and len(numbers) == len(node.args) in (1, 2)):
        yield Flaw(node.lineno, "nothing is called but `range` with literal numbers")
    elif _span(node) > MAX_RANGE:
        yield Flaw(node.lineno, f"a range of at most {MAX_RANGE}")


def _span(call: nodes.Call) -> int:
    """How many numbers a literal range has; 0 for what is none."""
    numbers = [arg.value for arg in call.args if isinstance(arg, nodes.Const) and type(arg.value) is int]
    return max(0, numbers[-1] - (numbers[0] if len(numbers) > 1 else 0)) if numbers else 0


def _is_name(node: nodes.Node, name: str) -> bool:
    return isinstance(node, nodes.Name) and node.name == name


def _name_flaws(tree: nodes.Template) -> Iterator[Flaw]:
    """`loop` and `range` stand where they mean something; what the kit gives keeps its meaning."""
    walked = list(_walk(tree))
    iterated = {id(node.iter) for node in walked if isinstance(node, nodes.For)}
    placed = {id(node.node) for node in walked if isinstance(node, nodes.Getattr | nodes.Call)}
    for node in walked:
        if isinstance(node, nodes.Call) and id(node) not in iterated:
            yield Flaw(node.lineno, "`range` is what a loop runs over: `for number in range(3)`")
        if not isinstance(node, nodes.Name):
            continue
        if node.ctx == "store" and node.name in TAKEN:
            yield Flaw(node.lineno, f"the name {node.name} is taken: {', '.join(sorted(TAKEN))} keep their meaning")
        elif node.name in ("loop", "range") and id(node) not in placed:
            yield Flaw(node.lineno, f"`{node.name}` is no text; use it as in `loop.index` or `for number in range(3)`")


def _loop_flaws(node: nodes.Node, around: nodes.For | None) -> Iterator[Flaw]:
    """`around` is the loop over a list in which the node stands, else the loop over a range, if any."""
    if isinstance(node, nodes.For):
        over_list = isinstance(node.iter, nodes.Name)
        if over_list and around is not None and isinstance(around.iter, nodes.Name):
            yield Flaw(node.lineno, "a loop over a list stands in no other loop over a list")
        if _is_name(node.iter, "options") or _is_name(node.iter, "answer"):
            said = "options and answer are text by the time a template sees them: print `{{ options }}`"
            yield Flaw(node.lineno, said)
        around = node if over_list or around is None else around
    elif _is_name(node, "loop") and around is None:
        yield Flaw(node.lineno, "`loop` exists only inside `for`")
    for child in node.iter_child_nodes():
        yield from _loop_flaws(child, around)


def _length_flaws(tree: nodes.Template) -> Iterator[Flaw]:
    """In the order of the text, since a `set` can take up what an earlier one made."""
    lengths: dict[str, int] = {}
    for node in _walk(tree):
        for target, part in _made(node):
            length = _length(part, lengths)
            if length > MAX_LENGTH:
                yield Flaw(part.lineno, f"can become {length} times as long as the row, at most {MAX_LENGTH}")
                return
            lengths[target] = max(lengths.get(target, 1), length)


def _made(node: nodes.Node) -> list[tuple[str, nodes.Node]]:
    """Texts that a node makes, each with the name that it gives it, if any."""
    if isinstance(node, nodes.Output):
        return [("", part) for part in node.nodes]
    if isinstance(node, nodes.Assign | nodes.For) and isinstance(node.target, nodes.Name):
        return [(node.target.name, node.node if isinstance(node, nodes.Assign) else node.iter)]
    return [("", node.test)] if isinstance(node, nodes.If) else []


def _length(node: nodes.Node, lengths: dict[str, int]) -> int:
    if isinstance(node, nodes.Name):
        return lengths.get(node.name, 1)
    if isinstance(node, nodes.Filter) and node.node is not None:
        return _length(node.node, lengths) * _factor(node)
    return max(1, sum(_length(child, lengths) for child in node.iter_child_nodes()))


def _factor(node: nodes.Filter) -> int:
    """By how much a filter can lengthen; a change of case at most triples a text, and only once."""
    words = [arg.value for arg in node.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str)]
    if node.name == "replace" and len(words) > 1 and words[0]:
        return max(1, -(-len(words[1]) // len(words[0])))
    return 1 + len(words[0]) if node.name == "join" and words else 1


def _step_flaws(tree: nodes.Template) -> Iterator[Flaw]:
    if (steps := _steps(tree)) > MAX_STEPS:
        yield Flaw(1, f"its literal ranges make {steps} steps, at most {MAX_STEPS}")


def _steps(node: nodes.Node) -> int:
    inside = 1 + sum(_steps(child) for child in node.iter_child_nodes())
    if isinstance(node, nodes.For) and isinstance(node.iter, nodes.Call):
        return inside * min(MAX_RANGE, _span(node.iter))
    return inside


def field_names(tree: nodes.Template) -> dict[str, int]:
    """Names that the tree takes from the row, each with the first line that reads it."""
    found: dict[str, int] = {}
    _collect(tree.body, frozenset(), found)
    return found


def _collect(body: Iterable[nodes.Node], local: AbstractSet[str], found: dict[str, int]) -> AbstractSet[str]:
    """Add to `found` what is read; the result are the names that are set afterwards, whichever way an `if` goes."""
    for node in body:
        if isinstance(node, nodes.Assign):
            _names(node.node, local, found)
            local = local | _set_by(node.target)
        elif isinstance(node, nodes.For):
            _names(node.iter, local, found)
            _collect(node.body, local | _set_by(node.target), found)
        elif isinstance(node, nodes.If):
            for branch in (node, *node.elif_):
                _names(branch.test, local, found)
            ends = [_collect(body, local, found) for body in (node.body, *(b.body for b in node.elif_), node.else_)]
            local = {name for name in ends[0] if all(name in end for end in ends)}
        else:
            _names(node, local, found)
    return local


def _set_by(target: nodes.Node) -> set[str]:
    """One name, or several in a tree that goes beyond the language."""
    return {node.name for node in _walk(target) if isinstance(node, nodes.Name)}


def _names(node: nodes.Node, local: AbstractSet[str], found: dict[str, int]) -> None:
    for part in _walk(node):
        if isinstance(part, nodes.Name) and part.name not in local and part.name not in ("loop", "range"):
            found.setdefault(part.name, part.lineno)
