"""The Jinja environment that templates are compiled and run in.

In: a checked tree. Out: a function from a row's values to text. The sandbox is the second wall behind the closed
language (`instruction_kit.template.language`): immutable, without globals, with undefined values that can be neither
used nor printed, and only text and whole numbers ever reach the page.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.filters import do_title
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from instruction_kit.template.language import TESTS

MAX_OUTPUT_CHARS = 1_000_000

Values = Mapping[str, Any]


class RowProblem(Exception):  # noqa: N818 - of one row, counted and never shown as an error
    """This row cannot be printed by this template; the caller counts it with the reason."""


class _Undefined(StrictUndefined):
    """Also refuses `repr`, which filters over lists would otherwise print."""

    def __repr__(self) -> NoReturn:
        self._fail_with_undefined_error()


def _printable(value: Any) -> Any:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, _Undefined):
        value._fail_with_undefined_error()  # noqa: SLF001 - jinja's own way to say which name it was
    raise RowProblem(f"prints {_kind(value)}")


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _of_text(name: str, change: Callable[..., str]) -> Callable[..., str]:
    """Jinja's own filters take `str()` of whatever comes, and print a list as Python writes it."""

    def changed(value: Any, *words: str) -> str:
        if not isinstance(value, str):
            raise RowProblem(f"{name} is for text, not for {_kind(value)}")
        return change(value, *words)

    return changed


def _in_list(name: str, take: Callable[..., Any]) -> Callable[..., Any]:
    def taken(value: Any, *words: str) -> Any:
        if not isinstance(value, str | list | tuple):
            raise RowProblem(f"{name} is for lists and text, not for {_kind(value)}")
        return take(value, *words)

    return taken


def _joined(items: Any, by: str = "") -> str:
    return by.join(str(_printable(item)) for item in items)


def _item(number: int) -> Callable[[Any], Any]:
    return lambda items: items[number] if items else _Undefined("it is empty")


_CONCAT = "text of an operand"
"""A filter that no template can name."""

_FILTERS: dict[str, Callable[..., Any]] = {
    **{name: _of_text(name, getattr(str, name)) for name in ("capitalize", "lower", "replace", "upper")},
    "title": _of_text("title", do_title),
    "trim": _of_text("trim", str.strip),
    "first": _in_list("first", _item(0)),
    "last": _in_list("last", _item(-1)),
    "join": _in_list("join", _joined),
    "length": _in_list("length", len),
    _CONCAT: _printable,
}


class _Operands(NodeTransformer):
    """`~` takes `str()` of its operands too."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - named by jinja
        self.generic_visit(node)
        node.nodes = [nodes.Filter(part, _CONCAT, [], [], None, None, lineno=part.lineno) for part in node.nodes]
        return node


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> NoReturn:
        raise SecurityError(f"{operator} is not in the language of templates")


def _environment() -> _Environment:
    made = _Environment(
        undefined=_Undefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        optimized=False,  # what is undefined in any row is that row's problem, not an exception while compiling
    )
    made.filters = dict(_FILTERS)
    made.tests = {name: made.tests[name] for name in TESTS}
    made.globals = {"range": made.globals["range"]}
    return made


ENVIRONMENT = _environment()


def compiled(tree: nodes.Template, *, name: str) -> Callable[[Values], str]:
    """Compile a tree once; the result renders a row and trims the edges.

    Raises:
        RowProblem: (the result) the row lacks something that the template prints, or the text grows over the cap.

    """
    code = ENVIRONMENT.compile(_Operands().visit(tree), name=name, filename=name)
    template = ENVIRONMENT.template_class.from_code(ENVIRONMENT, code, ENVIRONMENT.globals)

    def render(values: Values) -> str:
        try:
            return "".join(_capped(template.generate(values))).strip()
        except UndefinedError as error:
            raise RowProblem(str(error)) from error
        except TypeError as error:  # e.g. a loop over nothing
            raise RowProblem(f"cannot be printed ({error})") from error

    return render


def _capped(pieces: Iterator[str]) -> Iterator[str]:
    chars = 0
    for piece in pieces:
        chars += len(piece)
        if chars > MAX_OUTPUT_CHARS:
            raise RowProblem(f"prints over {MAX_OUTPUT_CHARS} characters")
        yield piece
