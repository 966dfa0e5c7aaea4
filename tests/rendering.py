"""One example through one template: templates, tasks and rows to try, and texts that are hard to keep whole."""

from collections.abc import Mapping
from string import ascii_letters, digits
from typing import Any

import polars as pl
from hypothesis import strategies as st
from small_task import Verdict, claims, verdicts

from instruction_kit import Frame, Task
from instruction_kit.render.pair import Pair
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import Setting
from instruction_kit.schema import MathWordProblem, MultipleChoice, ReadingComprehension, Schema
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.template import Template, parse_template

OPTIONS, NO_OPTIONS = Setting(options=True), Setting(options=False)
COT = Setting(options=False, cot=True)
INVERTED = Setting(options=True, inverted=True)
JUDGE = verdicts(claims(1))
CLAIM = {"claim": "The sky is green.", "label": "false", "rationale": None}

ASK = "{{ claim }}\n\nIs that so?\n\n{{ options }}\n|||\n{{ answer }}"
SENTENCE = "{{ claim }}\n\n{{ options }}\n|||\nI find it {{ answer }}."
INVERTING = "Write a claim that is {{ answer }}.\n\n{{ options }}\n|||\n{{ claim }}"
REASONED = "{{ question }}\n|||\n{{ rationale }}\nThe answer is {{ answer }}."

any_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)
"""Text as a frame can hold it."""
TRAPS = [
    "|||",
    "a\n|||\nb",
    "{{ claim }}",
    "{% if x %}",
    "{# no #}",
    "\u202eright to left\u202c",
    "👩‍👧 family",
    "é e\u0301",
    "{label}) {text}",
    "%s {0}",
    "\r\nlines\r",
    "a\u2028b\u0085c",
    "<s> </s> [INST]",
    "Options:\n- true",
]
odd_text = st.one_of(any_text, st.sampled_from(TRAPS))


def template(text: str, schema: type[Schema] = Verdict) -> Template:
    return parse_template(text, name="tests/one", schema=schema, where="one.jinja")


def rendered(
    text: str,
    example: Mapping[str, Any],
    *,
    task: Task = JUDGE,
    setting: Setting = OPTIONS,
    measured: bool = False,
    budget: int | None = None,
    joiner: str = "\n",
) -> Pair:
    prompting = Prompting(joiner, budget)
    made = template(text, task.schema)
    return render(example, template=made, setting=setting, task=task, prompting=prompting, measured=measured)


def attempted(text: str, example: Mapping[str, Any], **options: Any) -> Pair | str:
    """The pair, or the row's problem."""
    try:
        return rendered(text, example, **options)
    except RowProblem as problem:
        return str(problem)


def quiz(**columns: Any) -> Task:
    frame = pl.DataFrame({"question": ["q"], "options": [["a", "b"]], "answer": [0]})
    fields = {name: name for name in ("question", "options", "answer")}
    return Task(name="quiz", cluster="quizzing", schema=MultipleChoice, source=Frame(frame), columns=fields | columns)


def question(*words: str, answer: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "question": "Which?",
        "options": list(words),
        "answer": answer,
        "context": None,
        "rationale": None,
        **fields,
    }


MATHS = Task(
    name="maths",
    cluster="math",
    schema=MathWordProblem,
    source=Frame(pl.DataFrame({"question": ["q"], "answer": ["1"], "rationale": ["r"]})),
    columns={"question": "question", "answer": "answer", "rationale": "rationale"},
)
READING = Task(
    name="reading",
    cluster="reading",
    schema=ReadingComprehension,
    source=Frame(pl.DataFrame({"passage": ["p"], "question": ["q"], "answers": [["a"]]})),
    columns={"passage": "passage", "question": "question", "answers": "answers"},
)


def wording(pair: Pair, row: dict[str, Any]) -> list[str]:
    """Both sides with each text of the row reduced to `x` and the stop at its end."""
    values = [item for value in row.values() for item in (value if isinstance(value, list) else [value])]
    texts = sorted({value for value in values if isinstance(value, str)} | set(pair.options), key=len, reverse=True)
    found = [pair.prompt.removesuffix("\n"), pair.completion]
    for text in texts:
        found = [side.replace(text, "x" + text[-1:].strip(ascii_letters + digits + "'\"(){}[]<>")) for side in found]
    return found
