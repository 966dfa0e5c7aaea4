"""The closed language: what a template may say, what it may not, and that neither code nor work can be smuggled in."""

import re
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from instruction_kit.errors import TemplateError
from instruction_kit.schema import NaturalLanguageInference, ReadingComprehension
from instruction_kit.template import Template, parse_template
from instruction_kit.template.environment import MAX_OUTPUT_CHARS, RowProblem

VALUES = {
    "passage": "a dog's Tale",
    "question": "Who?",
    "answers": ["Ann", "Bo"],
    "rationale": None,
    "options": "",
    "answer": "Ann",
}


def parsed(prompt: str) -> Template:
    """As an inverted template, whose prompt may read every field."""
    text = f"{prompt}\n{{{{ question }}}}\n|||\n{{{{ passage }}}}"
    return parse_template(text, name="x", schema=ReadingComprehension, where="x.jinja")


def refused(prompt: str) -> list[str]:
    with pytest.raises(TemplateError) as error:
        parsed(prompt)
    return str(error.value).splitlines()


def printed(prompt: str) -> str:
    return parsed(prompt).prompt(VALUES).removesuffix("Who?").removesuffix("\n")


# --- what is in the language ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("{{ passage }}", "a dog's Tale"),
        ("{{ passage | upper }}", "A DOG'S TALE"),
        ("{{ passage | lower | capitalize }}", "A dog's tale"),
        ("{{ passage | title }}", "A Dog's Tale"),
        ("{{ passage | replace('dog', 'cat') | trim }}", "a cat's Tale"),
        ("{{ '  x ' | trim }}{{ 'xyx' | trim('x') }}", "xy"),
        ("{{ passage | length }} {{ passage | first }} {{ passage | last }}", "12 a e"),
        ("{{ passage[0] }}", "a"),
        ("{{ 'a' ~ 1 ~ question }}", "a1Who?"),
        ("{{ question if passage else 'nothing' }}", "Who?"),
        ("{% if passage == 'x' or 'dog' in passage and not rationale %}yes{% else %}no{% endif %}", "yes"),
        ("{% if rationale is none %}none{% elif passage %}x{% endif %}", "none"),
        ("{% if passage is defined and passage != 'x' and passage | length > 3 %}long{% endif %}", "long"),
        ("{% set words = passage | upper %}{{ words }}!", "A DOG'S TALE!"),
        ("{% if passage %}{% set x = 'a' %}{% else %}{% set x = 'b' %}{% endif %}{{ x }}", "a"),
        ("{% for n in range(3) %}{{ loop.index }}{{ n }}{{ ',' if not loop.last else '' }}{% endfor %}", "10,21,32"),
        ("{% for n in range(2, 4) %}{{ n }}/{{ loop.length }} {% endfor %}", "2/2 3/2 "),
        ("{% for c in question %}{{ c }}-{% endfor %}", "W-h-o-?-"),
        ("{# a note #}x", "x"),
        ("{% raw %}{{ passage }}{% endraw %}", "{{ passage }}"),
        ("{{ '{{ x }} {% if %} |||' }}", "{{ x }} {% if %} |||"),
    ],
)
def test_what_a_template_may_say(prompt, text):
    assert printed(prompt) == text


# --- what is not, with its line ---------------------------------------------------------------------------------------

NOT = "is not in the language of templates (docs/templates.md lists what is)"
ATTRIBUTES = "attributes exist only on loop: first, index, index0, last, length"
FILTERS = "there are: capitalize, first, join, last, length, lower, replace, title, trim, upper"
CALLED = "nothing is called but `range` with literal numbers"

ESCAPES = {
    "T1": ("{{ ''.__class__.__mro__[1].__subclasses__() }}", f"`.__class__` is not in the language; {ATTRIBUTES}"),
    "T2": ("{{ cycler.__init__.__globals__.os.popen('id') }}", f"`.__globals__` is not in the language; {ATTRIBUTES}"),
    "T3": ("{{ lipsum.__globals__.os.popen('id') }}", CALLED),
    "T4": ("{{ namespace.__init__.__globals__.os }}", f"`.os` is not in the language; {ATTRIBUTES}"),
    "T5": ("{{ joiner.__init__.__globals__.os }}", f"`.__init__` is not in the language; {ATTRIBUTES}"),
    "T6": ("{{ (lipsum|attr('__globals__')) }}", f"the filter `attr` is not in the language; {FILTERS}"),
    "T7": ("{{ self.__init__.__globals__ }}", f"`.__globals__` is not in the language; {ATTRIBUTES}"),
    "T8": ("{{ '{0.__init__.__globals__}'.format(cycler) }}", f"`.format` is not in the language; {ATTRIBUTES}"),
    "T9": ("{{ ('{0.__class__}'|attr('format'))(passage) }}", f"the filter `attr` is not in the language; {FILTERS}"),
    "T10": ("{{ '{a.__class__}'.format_map({'a': 1}) }}", f"`.format_map` is not in the language; {ATTRIBUTES}"),
    "T11": ("{{ ['a'.format]|map('upper') }}", f"the filter `map` is not in the language; {FILTERS}"),
    "T12": ("{{ (passage|map('upper')).gi_frame.f_builtins }}", f"`.gi_frame` is not in the language; {ATTRIBUTES}"),
    "T13": ("{{ [1]|map(attribute='_'~'_class_'~'_') }}", f"the filter `map` is not in the language; {FILTERS}"),
    "T14 include": ("{% include '/etc/passwd' %}", f"include {NOT}"),
    "T14 itself": ("{% include 'x.jinja' %}", f"include {NOT}"),
    "T14 import": ("{% import 'os' as os %}", f"import {NOT}"),
    "T14 from": ("{% from 'os' import popen %}", f"import {NOT}"),
    "T14 extends": ("{% extends '../../x' %}", f"extends {NOT}"),
    "T23 edit": ("{{ answers.append('x') }}", f"`.append` is not in the language; {ATTRIBUTES}"),
    "T23 random": ("{{ answers|random }}", f"the filter `random` is not in the language; {FILTERS}"),
    "globals": ("{{ lipsum }}", None),
    "caller": ("{{ caller() }}", CALLED),
    "self": ("{{ self }}", None),
    "unknown item": ("{{ passage['__class__'] }}", "an item is taken by a literal number, as in `answers[0]`"),
    "loop": (
        "{% for a in answers %}{{ loop.__init__ }}{% endfor %}",
        f"`.__init__` is not in the language; {ATTRIBUTES}",
    ),
    "block": ("{% block a %}{% endblock %}", f"`block` {NOT}"),
    "call block": ("{% call x() %}{% endcall %}", f"`callblock` {NOT}"),
    "filter block": ("{% filter upper %}{% endfilter %}", f"`filterblock` {NOT}"),
    "autoescape": ("{% autoescape true %}{% endautoescape %}", f"`scopedevalcontextmodifier` {NOT}"),
    "with": ("{% with a = 1 %}{% endwith %}", f"`with` {NOT}"),
    "do": ("{% do answers.append(1) %}", "Encountered unknown tag 'do'."),
}

ATTACKS = {
    "T15 range": ("{% for i in range(10000000000) %}x{% endfor %}", "a range of at most 100"),
    "T15 nested": (
        "{% for i in range(99) %}{% for j in range(99) %}x{% endfor %}{% endfor %}",
        "its literal ranges make N steps, at most 10000",
    ),
    "T15 many": (
        "{% for i in range(100) %}{% for j in range(10) %}{% endfor %}{% endfor %}" * 5,
        "its literal ranges make N steps, at most 10000",
    ),
    "T16 times": ("{{ 'a' * 10 }}", f"`*` {NOT}"),
    "T16 list": ("{{ [0] * 10**10 }}", f"`*` {NOT}"),
    "T16 ljust": ("{{ 'a'.ljust(10**10) }}", CALLED),
    "T16 center": ("{{ 'a'|center(10**10) }}", f"the filter `center` is not in the language; {FILTERS}"),
    "T16 indent": ("{{ 'a'|indent(10**10) }}", f"the filter `indent` is not in the language; {FILTERS}"),
    "T17 percent": ("{{ '%9999999999d' % 1 }}", f"`mod` {NOT}"),
    "T17 format": ("{{ '{:>9999999999}'.format(1) }}", CALLED),
    "T18": ("{{ 9**(9**9) }}", f"`pow` {NOT}"),
    "T19 set": (
        "{% set s = passage %}" + "{% set s = s ~ s %}" * 60 + "{{ s }}",
        "can become N times as long as the row, at most 100",
    ),
    "T19 loop": (
        "{% set s = passage %}{% for i in range(100) %}{% set s = s ~ s %}"
        + "{% set s = s ~ s %}" * 9
        + "{% endfor %}",
        "can become N times as long as the row, at most 100",
    ),
    "T19 condition": (
        "{% if " + " ~ ".join(["passage"] * 101) + " == 'x' %}{% endif %}",
        "can become N times as long as the row, at most 100",
    ),
    "T20 macro": ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", f"macro {NOT}"),
    "T20 brackets": ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "nested too deep to parse"),
    "T20 not": ("{{ " + "not " * 3000 + "passage }}", "nested too deep to parse"),
    "T20 filters": ("{{ passage" + "|trim" * 5000 + " }}", "nested N deep, at most 40"),
    "T20 items": ("{{ passage" + "[0]" * 5000 + " }}", "nested N deep, at most 40"),
    "T20 ifs": ("{% if passage %}" * 500 + "{% endif %}" * 500, "nested too deep to parse"),
    "T20 fewer ifs": ("{% if passage %}" * 50 + "{% endif %}" * 50, "nested N deep, at most 40"),
    "T21": (
        "{{ passage|regex_replace('(a+)+$', '') }}",
        f"the filter `regex_replace` is not in the language; {FILTERS}",
    ),
    "replace chain": (
        "{{ passage" + "|replace('a', 'aaaaaaaaaa')" * 20 + " }}",
        "can become N times as long as the row, at most 100",
    ),
    "replace a literal": (
        "{{ 'a'" + "|replace('a', 'aaaaaaaaaa')" * 20 + " }}",
        "can become N times as long as the row, at most 100",
    ),
    "replace nothing": ("{{ passage|replace('', 'x') }}", "`replace` needs a text to replace that is not empty"),
    "replace by a field": (
        "{{ passage|replace('a', passage) }}",
        "the arguments of the filter `replace` are literal texts",
    ),
    "join chain": (
        "{{ passage" + f"|join('{'x' * 99}')" * 2 + " }}",
        "can become N times as long as the row, at most 100",
    ),
    "loop in loop": (
        "{% for a in answers %}{% for b in answers %}{% endfor %}{% endfor %}",
        "a loop over a list stands in no other loop over a list",
    ),
    "loop in range in loop": (
        "{% for a in answers %}{% for i in range(2) %}{% for b in answers %}{% endfor %}{% endfor %}{% endfor %}",
        "a loop over a list stands in no other loop over a list",
    ),
    "long": ("x" * 70_000, "N characters, at most 65536"),
    "long number": ("{{ " + "9" * 5000 + " }}", None),
}

MISTAKES = {
    "math": ("{{ 1 + 1 }}", f"`add` {NOT}"),
    "minus": ("{{ answers[-1] }}", "an item is taken by a literal number, as in `answers[0]`"),
    "truth for a number": ("{{ answers[true] }}", "an item is taken by a literal number, as in `answers[0]`"),
    "list": ("{% if question in ['a', 'b'] %}x{% endif %}", f"`list` {NOT}"),
    "dict": ("{{ {'a': 1} }}", f"`dict` {NOT}"),
    "test": (
        "{% if passage is divisibleby(3) %}x{% endif %}",
        "the test `divisibleby` is not in the language; there are: defined, none",
    ),
    "safe": ("{{ passage|safe }}", f"the filter `safe` is not in the language; {FILTERS}"),
    "default": ("{{ rationale|default('x') }}", f"the filter `default` is not in the language; {FILTERS}"),
    "keyword": ("{{ answers|join(d=', ') }}", "the filter `join` takes plain arguments only"),
    "two variables": ("{% for a, b in answers %}{% endfor %}", "a loop has one variable"),
    "recursive": (
        "{% for a in answers recursive %}{% endfor %}",
        "a loop is plain `for item in list`: no recursive, no inline if, no else",
    ),
    "loop with if": (
        "{% for a in answers if a %}{% endfor %}",
        "a loop is plain `for item in list`: no recursive, no inline if, no else",
    ),
    "loop with else": (
        "{% for a in answers %}{% else %}x{% endfor %}",
        "a loop is plain `for item in list`: no recursive, no inline if, no else",
    ),
    "loop over text": ("{% for a in 'abc' %}{% endfor %}", "a loop runs over a list of the row, or a literal range"),
    "loop over options": (
        "{% for a in options %}{% endfor %}",
        "options and answer are text by the time a template sees them: print `{{ options }}`",
    ),
    "range of a field": ("{% for i in range(passage|length) %}{% endfor %}", CALLED),
    "range printed": ("{{ range(3) }}", "`range` is what a loop runs over: `for number in range(3)`"),
    "range kept": ("{% set r = range(3) %}", "`range` is what a loop runs over: `for number in range(3)`"),
    "range alone": ("{{ range }}", "`range` is no text; use it as in `loop.index` or `for number in range(3)`"),
    "loop alone": (
        "{% for a in answers %}{{ loop }}{% endfor %}",
        "`loop` is no text; use it as in `loop.index` or `for number in range(3)`",
    ),
    "loop outside": ("{{ loop.index }}", "`loop` exists only inside `for`"),
    "set on an attribute": ("{% set passage.x = 1 %}", "`set` sets one plain name"),
    "set of a block": ("{% set x %}a{% endset %}", f"`assignblock` {NOT}"),
    "set of the answer": (
        "{% set answer = 'x' %}",
        "the name answer is taken: answer, loop, options, range keep their meaning",
    ),
    "loop named options": (
        "{% for options in answers %}{% endfor %}",
        "the name options is taken: answer, loop, options, range keep their meaning",
    ),
    "no else": ("{{ passage if question }}", "an `if` inside an expression needs its `else`"),
    "none": ("{{ none }}", "only text and whole numbers are printed, no truth, no fraction and no none"),
    "true": ("{{ true }}", "only text and whole numbers are printed, no truth, no fraction and no none"),
    "fraction": ("{{ 1.5 }}", "only text and whole numbers are printed, no truth, no fraction and no none"),
    "comparison": ("{{ 1 == 1 }}", "only text and whole numbers are printed, no truth, no fraction and no none"),
    "not closed": ("{{ passage", "expected token 'end of print statement', got '{'"),
    "half closed": ("{{ passage }", "unexpected '}'"),
    "no endif": ("{% if passage %}", None),
    "endif alone": ("{% endif %}", None),
    "comment not closed": ("{# passage", "Missing end of comment tag"),
    "no field": ("{{ pasage }}", "ReadingComprehension has no field pasage; did you mean passage?"),
    "no field in a condition": (
        "{% if txet %}x{% endif %}",
        "ReadingComprehension has no field txet; there are: answer, answers, options, passage, question, rationale",
    ),
    "set on one way only": (
        "{% if passage %}{% set x = 'a' %}{% endif %}{{ x }}",
        "ReadingComprehension has no field x; there are: answer, answers, options, passage, question, rationale",
    ),
}


@pytest.mark.parametrize("kind", [*ESCAPES, *ATTACKS, *MISTAKES])
def test_what_is_not_in_the_language_is_refused_with_its_line(kind):
    prompt, words = {**ESCAPES, **ATTACKS, **MISTAKES}[kind]
    start = time.perf_counter()
    tracemalloc.start()
    try:
        told = refused(f"above\n\n{prompt}")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - start < 15, "refused at once, even on a machine that does much else"
    assert peak < 64 * 2**20
    assert all(line.startswith("x.jinja:") for line in told)
    wanted = re.escape(words).replace(r"N\ ", r"\d+\ ") if words else ".+"
    assert any(re.fullmatch(rf"x\.jinja:(\d+:)? {wanted}", line) for line in told), told


@pytest.mark.parametrize("kind", [*ESCAPES, *MISTAKES])
def test_the_line_is_that_of_the_file(kind):
    prompt, _ = {**ESCAPES, **MISTAKES}[kind]
    lines = {int(line.split(":")[1]) for line in refused(f"---\nnotes: x\n---\nabove\n\n{prompt}")}
    assert lines <= {6, 7, 8, 9}
    assert "no endif" in kind or "not closed" in kind or 6 in lines


def test_all_that_is_not_in_the_language_is_told_at_once():
    assert refused("{{ 1 + 1 }}\n\n{{ passage|safe }}\n{% include 'x' %}") == [
        f"x.jinja:1: `add` {NOT}",
        f"x.jinja:3: the filter `safe` is not in the language; {FILTERS}",
        f"x.jinja:4: include {NOT}",
    ]


# --- work is bounded by the row ---------------------------------------------------------------------------------------


def test_what_is_printed_is_cut_off_while_it_grows():
    template = parsed("{% for a in answers %}{{ passage }}{% endfor %}")
    values = {**VALUES, "passage": "x" * 10_000, "answers": ["a"] * 10_000}
    tracemalloc.start()
    try:
        with pytest.raises(RowProblem, match=f"^prints over {MAX_OUTPUT_CHARS} characters$"):
            template.prompt(values)
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


NAMES = [
    "passage",
    "answers",
    "question",
    "answer",
    "options",
    "rationale",
    "loop",
    "range",
    "self",
    "lipsum",
    "x",
    "a",
]
OTHERS = ["0", "1", "99", "1.5", "'a'", "'__class__'", "none", "true", "[]", "{}"]
AFTER = [
    "[0]",
    "[5]",
    "['a']",
    ".index",
    ".__class__",
    "()",
    "(3)",
    " is none",
    " is defined",
    "|attr('a')",
    "|map('upper')",
]
AFTER += ["|upper", "|lower", "|title", "|trim", "|first", "|last", "|length", "|join('-')", "|replace('a', 'bb')"]
BETWEEN = [" ~ ", " == ", " in ", " and ", " or ", " if passage else ", " + ", " * ", ", "]
EXPRESSIONS = st.recursive(
    st.sampled_from(NAMES[:6] + NAMES + OTHERS),
    lambda inner: (
        st.builds("{}{}".format, inner, st.sampled_from(AFTER))
        | st.tuples(inner, st.sampled_from(BETWEEN), inner).map("".join)
    ),
    max_leaves=4,
)
STATEMENTS = st.recursive(
    st.builds("{{{{ {} }}}}".format, EXPRESSIONS) | st.sampled_from(["text", "\n", "\n|||\n", "{# c #}", "{{", "%}"]),
    lambda inner: (
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, EXPRESSIONS, inner, inner)
        | st.builds("{{% for a in {} %}}{}{{% endfor %}}".format, EXPRESSIONS, inner)
        | st.builds("{{% set x = {} %}}{}".format, EXPRESSIONS, inner)
        | st.builds("{}{}".format, inner, inner)
    ),
    max_leaves=4,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(STATEMENTS)
@example("{{ passage ~ answers }}")
@example("{{ answers | upper }}")
@example("{{ rationale | trim }}")
@example("{{ passage ~ rationale }}")
@example("{{ answers | join(', ') }}")
@example("{{ answers | replace('a', 'b') }}")
@example("{% for a in passage %}{{ loop.index }}{{ a }}{% endfor %}")
def test_whatever_is_written_is_refused_or_prints_the_row_and_nothing_else(prompt):
    """No other exception, nothing but text, no sight of Python behind it."""
    try:
        template = parsed(prompt)
    except TemplateError:
        return
    try:
        text = template.prompt(VALUES)
    except RowProblem:
        return
    said = re.sub(r"\{[{%].*?[}%]\}", "", prompt, flags=re.DOTALL)  # what it prints as it stands
    own = re.compile(r"__class__|Undefined|None|True|False|<|object at|\['|range\(")
    assert set(own.findall(text)) <= set(own.findall(said + "".join(re.findall(r"'.*?'", prompt)))), text


def test_two_schemas_have_their_own_fields():
    with pytest.raises(TemplateError, match="NaturalLanguageInference has no field passage; "):
        parse_template("{{ passage }}\n|||\n{{ answer }}", name="x", schema=NaturalLanguageInference, where="x.jinja")
