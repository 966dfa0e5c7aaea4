"""A template knows where its answer stands, gives nothing away above the line, and prints any text as it came."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_kit.errors import TemplateError
from instruction_kit.schema import (
    MathWordProblem,
    MultipleChoice,
    NaturalLanguageInference,
    ReadingComprehension,
    Schema,
    Summarization,
)
from instruction_kit.template import Template, parse_template
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.template import Place

STEPS = "{{ question }}\n|||\n{{ rationale }}\nThe answer is {{ answer }}."


def parsed(text: str, schema: type[Schema] = MathWordProblem) -> Template:
    return parse_template(text, name="math/x", schema=schema, where="x.jinja")


def refused(text: str, schema: type[Schema] = MathWordProblem) -> str:
    with pytest.raises(TemplateError) as error:
        parsed(text, schema)
    return str(error.value)


def output(text: str) -> str:
    return f"{{{{ question }}}}\n|||\n{text}"


# --- what follows from the output -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{{ answer }}", Place()),
        ("The answer is {{ answer }}", Place("The answer is ")),
        ("{{ answer }}.", Place("", ".")),
        ("It comes to {{ answer }} in all.\n", Place("It comes to ", " in all.")),
        ("{{ rationale }}\nThe answer is {{ answer }}.", Place("The answer is ", ".")),
        ("Working:\n{{ rationale }}\n\nResult: {{ answer }}\n", Place("Result: ")),
        ("{{ rationale }}\n\nAnswer:\n{{ answer }}", Place("Answer:\n")),
        ("{% if rationale %}\n{{ rationale }}\n{% endif %}\nSo: {{ answer }}!", Place("So: ", "!")),
        ("{{ question }}", None),
        ("{{ rationale }}", None),
        ("Because: {{ rationale }}", None),
    ],
)
def test_the_answer_has_its_place_or_the_template_is_inverted(text, place):
    template = parsed(output(text) if text != "{{ question }}" else "{{ answer }}\n|||\n{{ question }}")
    assert template.place == place
    assert template.inverted == (place is None)


def test_what_a_template_reads_says_what_it_serves():
    template = parsed(STEPS)
    assert (template.cot, template.inverted, template.shows_options, template.needs_options) == (
        True,
        False,
        False,
        False,
    )
    assert template.reads == {"question", "rationale", "answer"}
    assert template.output_reads == {"rationale", "answer"}
    choice = parsed("---\nneeds: options\n---\n{{ question }}\n{{ options }}\n|||\n{{ answer }}", MultipleChoice)
    assert (choice.cot, choice.shows_options, choice.needs_options) == (False, True, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ answer | upper }}", "in the output `{{ answer }}` stands once, unfiltered, outside if, for and set"),
        ("{{ answer }} {{ answer }}", "in the output `{{ answer }}` stands once, unfiltered, outside if, for and set"),
        (
            "{% if question %}{{ answer }}{% endif %}",
            "in the output `{{ answer }}` stands once, unfiltered, outside if, for and set",
        ),
        (
            "{% if answer == 'x' %}y{% endif %}{{ answer }}",
            "in the output `{{ answer }}` stands once, unfiltered, outside if, for and set",
        ),
        (
            "{% for i in range(2) %}{{ answer }}{% endfor %}",
            "in the output `{{ answer }}` stands once, unfiltered, outside if, for and set",
        ),
        (
            "{% set a = answer %}{{ a }}",
            "in the output `{{ answer }}` stands once, unfiltered, outside if, for and set",
        ),
        ("{{ answer ~ '.' }}", "in the output `{{ answer }}` stands once, unfiltered, outside if, for and set"),
        (
            "{{ answer }} because {{ rationale }}",
            "after `{{ answer }}` the output ends, or goes on with literal text only",
        ),
        (
            "{{ rationale }}{{ answer }}",
            "before `{{ answer }}` the output needs literal words, so that the answer can be found again",
        ),
        (
            "{{ rationale }} {{ answer }}",
            "before `{{ answer }}` the output needs literal words, so that the answer can be found again",
        ),
    ],
)
def test_the_answer_stands_where_it_can_be_read_back(text, words):
    assert refused(output(text)) == f"x.jinja:3: {words}"


@pytest.mark.parametrize(
    ("text", "schema", "words"),
    [
        ("{{ document }}\n|||\n{{ summaries[0] }}", Summarization, "summaries"),
        ("{{ document }}\n|||\nIn short: {{ summaries[0] }}", Summarization, "summaries"),
        ("{{ passage }}\n|||\n{{ answers[0] }}", ReadingComprehension, "answers"),
        ("{{ passage }}\n|||\n{{ answers | join(', ') }}", ReadingComprehension, "answers"),
        ("{{ premise }}\n|||\n{{ label }}", NaturalLanguageInference, "label"),
        ("{{ premise }}\n|||\nLabel: {{ label }}", NaturalLanguageInference, "label"),
        ("{{ premise }}\n|||\n{{ label }}: {{ answer }}", NaturalLanguageInference, "label"),
    ],
)
def test_an_answer_is_printed_as_answer_and_not_as_the_field_that_it_is_made_from(text, schema, words):
    assert refused(text, schema) == (
        f"x.jinja:3: the output prints {words}; the answer is printed as `{{{{ answer }}}}`"
    )


# --- nothing is given away --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "name", "schema"),
    [
        ("{{ premise }} {{ answer }}", "answer", NaturalLanguageInference),
        ("{{ premise }} {{ label }}", "label", NaturalLanguageInference),
        ("{{ premise }}{% if label == 'neutral' %}?{% endif %}", "label", NaturalLanguageInference),
        ("{% set x = label | upper %}{{ premise }} {{ x }}", "label", NaturalLanguageInference),
        ("{{ premise }} {{ rationale }}", "rationale", NaturalLanguageInference),
        ("{{ question }} {{ answers[0] }}", "answers", ReadingComprehension),
        ("{% for a in answers %}{{ a }}{% endfor %}{{ question }}", "answers", ReadingComprehension),
        ("{{ document }} {{ summaries | length }}", "summaries", Summarization),
        ("{{ question }} {{ answer }}", "answer", MultipleChoice),
    ],
)
def test_a_prompt_that_reads_what_the_output_answers_is_refused(prompt, name, schema):
    assert refused(f"above\n{prompt}\n|||\n{{{{ answer }}}}", schema) == (
        f"x.jinja:2: the prompt reads {name}, which the output then answers; take it out of the prompt"
    )


def test_an_inverted_template_may_read_the_answer():
    template = parsed("Ask for {{ answer }}.\n|||\n{{ question }}")
    assert template.prompt({"question": "2 + 2?", "answer": "4"}) == "Ask for 4."


def test_a_choice_may_show_its_options():
    assert parsed("{{ question }}\n{{ options }}\n|||\n{{ answer }}", MultipleChoice).shows_options


# --- reading the answer back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("generated", "answer"),
    [
        ("2 + 2 = 4\nThe answer is 4.", "4"),
        ("The answer is 3? No.\nThe answer is 18.5.", "18.5"),
        ("The answer is 4. Next question: what is 5 + 5?", "4"),
        ("The answer is 4.\nThat was easy", "4"),
        ("The answer is 4.  \n", "4"),
        ("The answer is Dr. No.", "Dr. No"),
        ("The answer is .", None),
        ("The answer is", None),
        ("It is 4.", None),
        ("The answer is 4", None),
        ("", None),
    ],
)
def test_the_answer_follows_the_last_marker_up_to_the_tail(generated, answer):
    assert parsed(STEPS).extract(generated) == answer


def test_an_output_that_is_the_answer_is_read_back_whole():
    assert parsed(output("{{ answer }}")).extract(" a\nb ") == "a\nb"
    assert parsed("{{ answer }}\n|||\n{{ question }}").extract("a") is None


ANSWERS = st.text(min_size=1).map(str.strip).filter(bool)


@given(answer=ANSWERS, rationale=ANSWERS)
@pytest.mark.parametrize(
    "text",
    [
        "{{ answer }}",
        "It comes to {{ answer }}",
        "{{ rationale }}\nThe answer is {{ answer }}.",
        "Working:\n{{ rationale }}\n\nResult: {{ answer }}",
        "{{ rationale }}\n=> {{ answer }} <=",
    ],
)
def test_what_is_printed_is_read_back(text, answer, rationale):
    template = parsed(output(text))
    place = template.place
    assert place is not None
    if place.marker and place.marker.strip() in rationale + answer:
        return  # such a row is not used in that phrasing
    printed = template.output({"question": "?", "answer": answer, "rationale": rationale})
    assert template.extract(printed) == answer


# --- any text survives ------------------------------------------------------------------------------------------------

ANY = st.text() | st.sampled_from(
    [
        "|||",
        "\n|||\n",
        "{{ answer }}",
        "{% if x %}",
        "{# c #}",
        "a\r\nb",
        "\x00",
        "\u2028",
        "😀",
        "\u202eabc\u200f",
        "---\n",
    ]
)


@given(passage=ANY, question=ANY, answer=ANY)
def test_any_text_comes_out_as_it_went_in(passage, question, answer):
    template = parsed("<{{ passage }}>\n<{{ question }}>\n|||\n<{{ answer }}>", ReadingComprehension)
    values = {"passage": passage, "question": question, "answer": answer}
    assert template.prompt(values) == f"<{passage}>\n<{question}>"
    assert template.output(values) == f"<{answer}>"


@given(text=ANY)
def test_the_sides_lose_their_edges_and_nothing_else(text):
    assert parsed("{{ question }}\n|||\n{{ answer }}").prompt({"question": text}) == text.strip()


# --- rows that cannot be printed --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("{{ rationale }}", "prints nothing"),
        ("{{ answers }}", "prints a list"),
        ("{{ answers[7] }}", "list object has no element 7"),
        ("{{ rationale | upper }}", "upper is for text, not for nothing"),
        ("{{ answers | lower }}", "lower is for text, not for a list"),
        ("{{ answers | trim }}", "trim is for text, not for a list"),
        ("{{ answers | replace('a', 'b') }}", "replace is for text, not for a list"),
        ("{{ rationale | title }}", "title is for text, not for nothing"),
        ("{{ rationale | length }}", "length is for lists and text, not for nothing"),
        ("{{ rationale | join }}", "join is for lists and text, not for nothing"),
        ("{{ passage ~ rationale }}", "prints nothing"),
        ("{{ passage ~ answers }}", "prints a list"),
        ("{% for a in rationale %}{% endfor %}", "cannot be printed ('NoneType' object is not iterable)"),
        ("{% if rationale > 3 %}x{% endif %}", None),
        ("{{ '' | first }}", "it is empty"),
    ],
)
def test_what_a_row_lacks_is_its_problem_and_never_printed(prompt, words):
    template = parsed(f"{prompt}{{{{ passage }}}}\n|||\n{{{{ question }}}}", ReadingComprehension)
    values = {"passage": "p", "question": "q", "answers": ["a"], "rationale": None, "answer": "a", "options": ""}
    with pytest.raises(RowProblem) as problem:
        template.prompt(values)
    assert words is None or str(problem.value) == words


def test_a_name_that_the_row_does_not_bring_is_told():
    with pytest.raises(RowProblem, match="'question' is undefined"):
        parsed("{{ question }}\n|||\n{{ answer }}").prompt({})


def test_a_template_changes_nothing_in_its_row():
    values = {"passage": "p", "question": "q", "answers": ["a", "b"], "rationale": None, "answer": "a", "options": ""}
    before = repr(values)
    text = (
        "{% set passage = passage | upper %}{% for a in answers %}{{ a }}{% endfor %}{{ passage }}\n|||\n{{ question }}"
    )
    assert parsed(text, ReadingComprehension).prompt(values) == "abP"
    assert repr(values) == before


def test_the_same_row_is_printed_alike_every_time():
    template = parsed(STEPS)
    values = {"question": "q", "answer": "4", "rationale": "r"}
    assert len({template.prompt(values) + template.output(values) for _ in range(1_000)}) == 1


def test_a_template_is_known_by_its_text():
    assert parsed(STEPS).hash == parsed(STEPS).hash != parsed(STEPS + " ").hash
