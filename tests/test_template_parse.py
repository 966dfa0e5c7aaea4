"""A template file: front matter, the one line that separates, the line of options, and what editors leave behind."""

import pytest

from instruction_kit.errors import TemplateError
from instruction_kit.schema import Classification, MathWordProblem, MultipleChoice, NaturalLanguageInference
from instruction_kit.template import Template, parse_template
from instruction_kit.template.language import FILTERS

VALUES = {
    "premise": "It rains.",
    "hypothesis": "It is wet.",
    "label": "entailment",
    "rationale": None,
    "options": "Options:\n- yes\n- no",
    "answer": "yes",
}


def parsed(text: str) -> Template:
    return parse_template(text, name="x", schema=NaturalLanguageInference, where="x.jinja")


def refused(text: str) -> str:
    with pytest.raises(TemplateError) as error:
        parsed(text)
    return str(error.value)


def prompt(text: str, **values: str) -> str:
    return parsed(text).prompt({**VALUES, **values})


# --- the line that separates ------------------------------------------------------------------------------------------


def test_the_line_separates_prompt_and_output_and_both_are_trimmed():
    template = parsed("\n\n {{ premise }}\n\n|||\n\n{{ answer }} \n\n")
    assert (template.prompt(VALUES), template.output(VALUES)) == ("It rains.", "yes")


@pytest.mark.parametrize("line", ["|||", "  |||", "|||  ", "\t|||\t"])
def test_blanks_beside_the_line_do_not_matter(line):
    assert parsed(f"{{{{ premise }}}}\n{line}\n{{{{ answer }}}}").output(VALUES) == "yes"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a ||| b {{ premise }}\n|||\n{{ answer }}", "a ||| b It rains."),
        ("||| {{ premise }}\n|||\n{{ answer }}", "||| It rains."),
        ("{{ premise }}|||\n|||\n{{ answer }}", "It rains.|||"),
        ("||||\n{{ premise }}\n|||\n{{ answer }}", "||||\nIt rains."),
        ("{{ '|||' }}\n{{ premise }}\n|||\n{{ answer }}", "|||\nIt rains."),
        ("{{ '\n|||\n' }}\n{{ premise }}\n|||\n{{ answer }}", "|||\n\nIt rains."),
        ("{#\n|||\n#}{{ premise }}\n|||\n{{ answer }}", "It rains."),
        ("{{ premise }}{# c #}\n|||\n{{ answer }}", "It rains."),
        ("{{ premise }}\n{# c #}\n|||\n{{ answer }}", "It rains."),
        ("{{ premise }}\n{# c\n c #}\n|||\n{{ answer }}", "It rains."),
        ("{{ premise -}}\n|||\n{{ answer }}", "It rains."),
        ("{{ premise }}\n|||\n{{- answer }}", "It rains."),
        ("{% if label %}\n{{ premise }}\n{% endif %}\n|||\n{{ hypothesis }}", "It rains."),
        ("{% if label %}|||{% endif %}{{ premise }}\n|||\n{{ hypothesis }}", "|||It rains."),
        ("{{ premise }}\n|||\n{% if label %}\n{{ hypothesis }}\n{% endif %}", "It rains."),
    ],
)
def test_only_a_whole_line_at_top_level_separates(text, said):
    assert prompt(text) == said


@pytest.mark.parametrize("field", ["premise", "hypothesis"])
def test_the_line_in_data_is_data(field):
    text = "{{ premise }}\n{{ hypothesis }}\n|||\n{{ answer }}"
    data = "a\n|||\nb"
    assert data in prompt(text, **{field: data})
    assert parsed(text).output({**VALUES, field: data, "answer": data}) == data


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "{{ premise }}\n\n{{ answer }}\n",
            "x.jinja:4: lacks its output: a line `|||` and, below it, what the model is to answer",
        ),
        (
            "",
            (
                "x.jinja:1: lacks its output: a line `|||` and, below it, what the model is to answer\n"
                "x.jinja:1: the prompt is the same for every row; print a field above `|||`"
            ),
        ),
        (
            "{{ premise }} ||| {{ answer }}",
            "x.jinja:1: lacks its output: a line `|||` and, below it, what the model is to answer",
        ),
        (
            "{{ premise }}\n|||\n{{ answer }}\n\n|||\nx",
            "x.jinja:5: a second line `|||`, the first is line 2",
        ),
        (
            "---\nnotes: x\n---\n{{ premise }}\n|||\n{{ answer }}\n|||\nx",
            "x.jinja:7: a second line `|||`, the first is line 5",
        ),
        (
            "{% if premise %}\na\n|||\n{% endif %}\n{{ answer }}",
            "x.jinja:3: the line `|||` stands inside a block; it separates prompt and output at top level",
        ),
        (
            "{{ premise }}\n{% for i in range(2) %}\n{% if 1 %}\n  |||\n{% endif %}\n{% endfor %}\n|||\n{{ label }}",
            (
                "x.jinja:4: the line `|||` stands inside a block; it separates prompt and output at top level\n"
                "x.jinja:8: the output prints label; the answer is printed as `{{ answer }}`"
            ),
        ),
        ("{{ premise }}\n|||\n", "x.jinja:2: lacks its output: below the line `|||` nothing is printed"),
        ("{{ premise }}\n|||\n  \n\t\n", "x.jinja:2: lacks its output: below the line `|||` nothing is printed"),
        ("{{ premise }}\n|||\n{# later #}\n", "x.jinja:2: lacks its output: below the line `|||` nothing is printed"),
        (
            "{{ premise }}\n|||\nyes\n",
            "x.jinja:2: the output is the same for every row; print `{{ answer }}` or a field below `|||`",
        ),
        (
            "{% set p = premise %}{{ p }}\n|||\nyes\n",
            "x.jinja:2: the output is the same for every row; print `{{ answer }}` or a field below `|||`",
        ),
        (
            "Say something.\n{{ options }}\n|||\n{{ answer }}",
            "x.jinja:1: the prompt is the same for every row; print a field above `|||`",
        ),
        ("|||\n{{ answer }}", "x.jinja:1: the prompt is the same for every row; print a field above `|||`"),
    ],
)
def test_a_template_has_a_prompt_and_one_output(text, words):
    assert refused(text) == words


def test_options_alone_make_a_prompt_where_each_row_brings_its_own_and_they_are_needed():
    text = "Which of these makes sense?\n{{ options }}\n|||\n{{ answer }}"
    parse_template(f"---\nneeds: options\n---\n{text}", name="t/x", schema=MultipleChoice, where="x.jinja")
    with pytest.raises(TemplateError) as error:
        parse_template(text, name="t/x", schema=MultipleChoice, where="x.jinja")
    assert str(error.value) == (
        "x.jinja:1: the prompt is the same for every row; print a field above `|||`; "
        "or say `needs: options`, which are each row's own here"
    )


def test_no_problem_of_a_file_hides_another():
    text = (
        "---\nneeds: choices\nstile: dash\n---\n{{ premis }} {{ 2 * 3 }}\n{{ answer }}\n"
        "{% for a, b in label %}{{ a }}{% endfor %}\n|||\n{{ label }} {{ answer | wrap }}\n|||\n{{ rationale }}"
    )
    assert refused(text).split("\n") == [
        "x.jinja:3: unknown key stile; did you mean style?",
        "x.jinja:2: needs knows only `options`",
        "x.jinja:5: `*` is not in the language of templates (docs/templates.md lists what is)",
        "x.jinja:7: a loop has one variable",
        "x.jinja:7: `tuple` is not in the language of templates (docs/templates.md lists what is)",
        f"x.jinja:9: the filter `wrap` is not in the language; there are: {', '.join(sorted(FILTERS))}",
        "x.jinja:10: a second line `|||`, the first is line 8",
        "x.jinja:5: NaturalLanguageInference has no field premis; did you mean premise?",
        "x.jinja:6: the prompt reads answer, which the output then answers; take it out of the prompt",
        "x.jinja:7: the prompt reads label, which the output then answers; take it out of the prompt",
        "x.jinja:9: the output prints label; the answer is printed as `{{ answer }}`",
        "x.jinja:9: in the output `{{ answer }}` stands once, unfiltered, outside if, for and set",
        "x.jinja:2: needs speaks of options, and the prompt prints no `{{ options }}`",
    ]


def test_a_body_that_does_not_parse_hides_no_front_matter():
    assert refused("---\nstile: dash\n---\n{{ premise\n|||\n{{ answer }}").split("\n") == [
        "x.jinja:2: unknown key stile; did you mean style?",
        "x.jinja:5: expected token 'name', got '|'",
    ]


def test_what_is_set_above_the_line_is_seen_below_it():
    template = parsed("{% set p = premise | upper %}\n{% set twice = p ~ p %}\n{{ hypothesis }}\n|||\n{{ twice }}\n")
    assert template.output(VALUES) == "IT RAINS.IT RAINS."
    assert template.output_reads == {"premise"}


def test_what_is_set_above_the_line_and_not_used_below_it_is_not_of_the_output():
    template = parsed("{% set p = premise | upper %}\n{{ p }}\n|||\n{{ answer }}\n")
    assert template.output_reads == {"answer"}


# --- the line of options ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "with_options", "without"),
    [
        ("{{ premise }}\n\n{{ options }}\n", "It rains.\n\nOptions:\n- yes\n- no", "It rains."),
        ("{{ options }}\n\n{{ premise }}\n", "Options:\n- yes\n- no\n\nIt rains.", "It rains."),
        ("a\n\n{{ options }}\n\n{{ premise }}", "a\n\nOptions:\n- yes\n- no\n\nIt rains.", "a\n\nIt rains."),
        ("a\n\n{{ options }}\n{{ premise }}", "a\n\nOptions:\n- yes\n- no\nIt rains.", "a\nIt rains."),
        ("a\n{{ options }}\n\n{{ premise }}", "a\nOptions:\n- yes\n- no\n\nIt rains.", "a\nIt rains."),
        ("a\n{{ options }}\n{{ premise }}", "a\nOptions:\n- yes\n- no\nIt rains.", "a\nIt rains."),
        ("a\n  {{options}}  \n{{ premise }}", "a\nOptions:\n- yes\n- no\nIt rains.", "a\nIt rains."),
        (
            "{% if label %}\nx\n{% endif %}\n\n{{ options }}\n\n{{ premise }}",
            "x\n\nOptions:\n- yes\n- no\n\nIt rains.",
            "x\n\nIt rains.",
        ),
        (
            "{% if label %}\nx\n{% endif %}\n{{ options }}\n{{ premise }}",
            "x\nOptions:\n- yes\n- no\nIt rains.",
            "x\nIt rains.",
        ),
        (
            "{% if label %}\nx\n\n{{ options }}\n{% else %}\ny\n{% endif %}\n{{ premise }}",
            "x\n\nOptions:\n- yes\n- no\nIt rains.",
            "x\nIt rains.",
        ),
        (
            "{% if not label %}\nx\n{% elif premise %}\n{{ options }}\n\n{% endif %}\n{{ premise }}",
            "Options:\n- yes\n- no\n\nIt rains.",
            "It rains.",
        ),
        ("{{ premise }} {{ options }}.", "It rains. Options:\n- yes\n- no.", "It rains. ."),
        ("{{ premise }}\n{{ options }} {{ options }}", None, "It rains."),
        (
            "{{ premise }}\n\n\n{{ options }}\n\n\nb",
            "It rains.\n\n\nOptions:\n- yes\n- no\n\n\nb",
            "It rains.\n\n\n\nb",
        ),
    ],
)
def test_a_line_that_holds_only_options_vanishes_with_its_blank_line(text, with_options, without):
    text = f"{text}\n|||\n{{{{ hypothesis }}}}"
    if with_options is not None:
        assert prompt(text) == with_options
    assert prompt(text, options="") == without


# --- front matter -----------------------------------------------------------------------------------------------------

BODY = "{{ premise }}\n\n{{ options }}\n|||\n{{ answer }}"


def test_front_matter_stays_text():
    front = parsed(
        "---\nanswers:\n  entailment: yes\n  neutral: 1e3\n  contradiction: 0x10\n  not_entailment: ~\n"
        f"style: number\nneeds: options\nlanguages: no, en\nsource: 2024-01-01\nnotes: off\n---\n{BODY}"
    ).front
    assert dict(front.answers) == {
        "entailment": "yes",
        "neutral": "1e3",
        "contradiction": "0x10",
        "not_entailment": "~",
    }
    assert (front.style, front.needs, front.languages) == ("number", ("options",), ("no", "en"))
    assert (front.source, front.notes) == ("2024-01-01", "off")


@pytest.mark.parametrize("head", ["---\n---\n", "---\n\n---\n", "---\n# words\n---\n", "--- \nnotes: x\n---  \n"])
def test_front_matter_may_be_short(head):
    assert parsed(head + BODY).prompt(VALUES).startswith("It rains.")


def test_rules_in_the_body_are_no_front_matter():
    assert prompt("a\n---\n{{ premise }}\n---\n|||\n{{ answer }}") == "a\n---\nIt rains.\n---"


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("anwsers: {a: b}", "x.jinja:2: unknown key anwsers; did you mean answers?"),
        ("notes: x\nstile: dash", "x.jinja:3: unknown key stile; did you mean style?"),
        ("answers: yes", "x.jinja:2: answers: Input should be a valid dictionary"),
        ("notes: x\nanswers: [yes, no]", "x.jinja:3: answers: Input should be a valid dictionary"),
        ("notes: [a]", "x.jinja:2: notes: Input should be a valid string"),
        ("answers:\n  entailment: ''", "x.jinja:2: the answer words of entailment are blank"),
        ("answers:\n  entailment:", "x.jinja:2: the answer words of entailment are blank"),
        ("needs: rationale", "x.jinja:2: needs knows only `options`"),
        ("style: romn", "x.jinja:2: no style romn; did you mean roman?"),
        ("notes: x\nnotes: y", "x.jinja:3: key notes stands twice, first in line 2"),
        ("answers: {a: b, a: c}", "x.jinja:2: key a stands twice, first in line 2"),
        ("notes: &a x\nsource: *a", "x.jinja:2: anchors and aliases are not used here"),
        ("notes: !!python/name:os.system x", "x.jinja:2: tags are not used here"),
        ("notes:\n\t- x", "x.jinja:3: found character '\\t' that cannot start any token"),
        ("notes: 'x", None),
        ("just words", "x.jinja:2: expected `key: value` lines"),
        ("- a\n- b", "x.jinja:2: expected `key: value` lines"),
        ("? [a, b]\n: c", "x.jinja:2: a key is one word or text"),
        ("notes: " + "[" * 40 + "]" * 40, "x.jinja:2: nested deeper than 32"),
        ("notes: \x00", None),
    ],
)
def test_front_matter_that_says_something_else_is_refused_with_its_line(head, words):
    told = refused(f"---\n{head}\n---\n{BODY}")
    assert told.startswith("x.jinja")
    assert words is None or told == words


def test_front_matter_is_closed():
    assert refused("---\nnotes: x\n{{ premise }}\n|||\n{{ answer }}") == (
        "x.jinja:1: the front matter is not closed: end it with a line `---`"
    )


@pytest.mark.parametrize("key", ["needs: options", "style: letter"])
def test_what_front_matter_says_of_options_is_of_options_that_are_printed(key):
    assert refused(f"---\n{key}\n---\n{{{{ premise }}}}\n|||\n{{{{ answer }}}}") == (
        f"x.jinja:2: {key.split(':')[0]} speaks of options, and the prompt prints no `{{{{ options }}}}`"
    )


# --- files as editors leave them --------------------------------------------------------------------------------------

WHOLE = (
    "---\nnotes: x\n---\n{{ premise }}\n\n{% if label %}\n{{ hypothesis }}\n{% endif %}\n\n"
    "{{ options }}\n|||\n{{ premise }}\n"
)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_read_as_line_feeds(end):
    ours, theirs = parsed(WHOLE), parsed(WHOLE.replace("\n", end))
    for values in (VALUES, {**VALUES, "options": ""}):
        assert theirs.prompt(values) == ours.prompt(values)
        assert theirs.output(values) == ours.output(values)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_counted_alike_whatever_ends_them(end):
    text = "---\nnotes: x\n---\n{{ premise }}\n{{ premis }}\n|||\n{{ answer }}".replace("\n", end)
    assert refused(text) == "x.jinja:5: NaturalLanguageInference has no field premis; did you mean premise?"


def test_carriage_returns_in_data_stay():
    assert prompt("{{ premise }}\n|||\n{{ answer }}", premise="a\r\nb\rc") == "a\r\nb\rc"


def test_a_byte_order_mark_is_told():
    assert refused("\ufeff" + WHOLE) == "x.jinja:1: starts with a byte order mark; save it as UTF-8 without one"


def test_tabs_stay():
    assert prompt("a\t{{ premise }}\n\tb\n|||\n{{ answer }}") == "a\tIt rains.\n\tb"


def test_block_tags_leave_no_blank_line_behind():
    text = (
        "{% if premise %}\n  {{ premise }}\n{% endif %}\n  {% if hypothesis %}\nb\n  {% endif %}\nc\n|||\n{{ answer }}"
    )
    assert prompt(text) == "It rains.\nb\nc"


def test_a_template_is_of_one_schema():
    text = "{{ text }}\n|||\n{{ answer }}"
    assert parse_template(text, name="x", schema=Classification, where="x.jinja").reads == {"text", "answer"}
    with pytest.raises(TemplateError) as error:
        parse_template(text, name="x", schema=MathWordProblem, where="x.jinja")
    assert str(error.value) == (
        "x.jinja:1: MathWordProblem has no field text; there are: answer, options, question, rationale"
    )
