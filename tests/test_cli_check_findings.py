"""Every kind of thing that `check` finds in what templates print, planted in an author's own folder.

It is read as text and as JSON: advice with exit 0, and a problem with exit 1 by the rules of the library.
"""

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from command import command

TASK = """\
from instruction_kit import Files, Task, labels
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    source=Files({"train": "posts.csv"}),
    columns={"text": "post", "label": labels("stars", ["Awful", "Great"]), "rationale": "why"},
)
"""
ROWS = [
    {"post": "The soup was cold.", "stars": 0, "why": "Nobody likes it cold.", "_split": "train"},
    {"post": "It was hot", "stars": 1, "why": "Warm soup is what they came for.", "_split": "train"},
    {"post": "Fine tea", "stars": 1, "why": "They say that it is fine.", "_split": "train"},
    {"post": "Never again", "stars": 0, "why": "They stay away. So it is Great? No.", "_split": "train"},
]
ALIKE = [
    {"post": "Not bad", "stars": 1, "_split": "train"},
    {"post": "NOT  bad", "stars": 0, "_split": "train"},
]
"""Of the task `alike`: neither may be shown before the other, and none gives reasons."""
ASK = "{{ text }}\n\nWhat did this guest think of it all, {}?\n\n{{ options }}\n|||\n{{ answer }}\n"


class Planted(NamedTuple):
    template: str
    rule: str
    line: int
    what: str
    row: str = ""


PLANTED = {
    "posts/empty_output": Planted(
        "What follows from this?\n\n{{ rationale }}\n|||\n{% if label == 'Great' %}{{ text }}{% endif %}\n",
        "empty",
        1,
        "cannot take every row: its output is empty",
        "zero_shot.no_options.inverted, posts.sample.jsonl:1",
    ),
    "posts/leaked": Planted(
        "{{ text }}\n\nDid they find it Great?\n|||\n{{ answer }}\n",
        "leak",
        3,
        "names 'Great' in its prompt, and none of the other answers",
        "zero_shot.no_options, posts.sample.jsonl:1",
    ),
    "posts/not_among_the_options": Planted(
        "{{ text }}\n\nWhat did they say of it?\n\n{{ options | lower }}\n|||\n{{ answer }}\n",
        "not_an_option",
        1,
        "answers 'Awful', which is not among the options as its prompt lists them",
        "zero_shot.options, posts.sample.jsonl:1",
    ),
    "posts/near_duplicate": Planted(
        ASK.replace("{}", "do you suppose"),
        "phrasing_likeness",
        1,
        "shares 55% of its runs of three words with posts/asked_before; phrasings share under 50%",
    ),
    "posts/asked_before": Planted(ASK.replace("{}", "dear reader"), "", 1, ""),
    "posts/dangling_options": Planted(
        "{{ text }}\n\nWhich of the options is it?\n\n{{ options }}\n|||\n{{ answer }}\n",
        "dangling_options",
        3,
        "says 'options' where no options are listed",
        "zero_shot.no_options, posts.sample.jsonl:1",
    ),
    "posts/dangling_choose": Planted(
        "{{ text }}\n\nChoose from these.\n\n{{ options }}\n|||\n{{ answer }}\n",
        "dangling_options",
        3,
        "says 'Choose from' where no options are listed",
        "zero_shot.no_options, posts.sample.jsonl:1",
    ),
    "posts/doubled_stop": Planted(
        "{{ text }}. What now?\n|||\n{{ answer }}\n",
        "doubled_punctuation",
        1,
        "doubles a stop, '⟦text⟧.. What now?'",
        "zero_shot.no_options, posts.sample.jsonl:1",
    ),
    "posts/unfilled": Planted(
        "{{ text }}\n\nWhat does {guest} think?\n|||\n{{ answer }}\n",
        "unfilled_slot",
        3,
        "prints '{guest}', as if something had not been filled in",
        "zero_shot.no_options, posts.sample.jsonl:1",
    ),
    "posts/not_read_back": Planted(
        "{{ text }}\n\nThink first.\n|||\n{{ rationale }} So it is {{ answer }}.\n",
        "not_read_back",
        1,
        "cannot take every row: its answer or rationale holds the words by which the answer is found again",
        "zero_shot.no_options.cot, posts.sample.jsonl:4",
    ),
    "alike/nothing_to_show": Planted(
        "{{ text }}\n\nGood news?\n|||\n{{ answer }}\n",
        "no_exemplar",
        1,
        "finds no exemplar for every row: no other row of train has another input and can stand here",
        "few_shot.no_options, alike.sample.jsonl:1",
    ),
    "alike/unused": Planted(
        "{{ text }}\n\nWhy?\n|||\n{{ rationale }} So: {{ answer }}\n",
        "unused",
        1,
        "tasks can be measured with it, and none can train on it: it prints a rationale, which the rows of none bring",
    ),
}
FOUND = [name for name, planted in PLANTED.items() if planted.rule]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = Path(tmp_path_factory.mktemp("planted"))
    (made / "tasks/moods").mkdir(parents=True)
    for name, rows, task in (("posts", ROWS, TASK), ("alike", ALIKE, TASK.replace(', "rationale": "why"', ""))):
        (made / f"tasks/moods/{name}.py").write_text(task)
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        (made / f"tasks/moods/{name}.sample.jsonl").write_text(lines)
        (made / "templates" / name).mkdir(parents=True)
    for name, planted in PLANTED.items():
        (made / f"templates/{name}.jinja").write_text(planted.template)
    return made


@pytest.fixture(scope="module")
def told(folder) -> list[str]:
    code, out, err = command("check", folder)
    assert code == 0
    assert err == f"2 tasks, 12 templates, 0 problems, {len(out.splitlines())} pieces of advice\n"
    return out.splitlines()


@pytest.fixture(scope="module")
def found(folder) -> list[dict[str, object]]:
    code, out, _ = command("check", folder, "--json")
    assert code == 0
    return list(json.loads(out)["findings"])


@pytest.fixture(scope="module")
def enforced(folder) -> list[str]:
    code, out, _ = command("check", folder, "--library")
    assert code == 1
    return out.splitlines()


@pytest.mark.parametrize("name", FOUND)
def test_what_is_planted_is_told_as_advice_in_one_line(name, folder, told):
    _, _, line, what, row = PLANTED[name]
    where = f" ({row})" if row else ""
    place = f"{folder}/templates/{name}.jinja"
    mine = [one for one in told if one.startswith(f"{place}:")]
    assert mine == [f"{place}:{line}: advice: {what}{where}"]


@pytest.mark.parametrize("name", FOUND)
def test_a_program_reads_it_with_its_rule(name, folder, found):
    _, rule, line, what, row = PLANTED[name]
    place = f"{folder}/templates/{name}.jinja"
    assert [one for one in found if one["file"] == place] == [
        {"file": place, "line": line, "rule": rule, "what": what, "level": "rule", "row": row}
    ]


@pytest.mark.parametrize("name", FOUND)
def test_by_the_rules_of_the_library_it_is_a_problem(name, folder, enforced):
    place = f"{folder}/templates/{name}.jinja:{PLANTED[name].line}"
    assert any(line.startswith(f"{place}: {PLANTED[name].what}") for line in enforced)


def test_of_the_phrasing_that_was_there_before_nothing_is_told(folder, told):
    assert not [line for line in told if line.startswith(f"{folder}/templates/posts/asked_before.jinja")]


def test_an_answer_that_the_prompt_reads_keeps_a_template_from_being_used(tmp_path):
    path = tmp_path / "templates/classification/tell.jinja"
    path.parent.mkdir(parents=True)
    path.write_text("{{ text }}\n\nThat is {{ answer }}, is it not?\n|||\n{{ answer }}\n")
    what = "the prompt reads answer, which the output then answers; take it out of the prompt"
    assert command("check", tmp_path) == (1, f"{path}:3: {what}\n", "0 tasks, 1 template, 1 problem\n")
    code, out, _ = command("check", tmp_path, "--json")
    (one,) = json.loads(out)["findings"]
    assert (code, one["level"], one["rule"], one["line"], one["what"]) == (1, "problem", "file", 3, what)
