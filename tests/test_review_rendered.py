"""What is said of phrasings as they are rendered over samples: each flaw with its line, its setting and its row."""

import json
from pathlib import Path

import pytest
from command import command

from instruction_kit.review.finding import Finding
from instruction_kit.review.review import review

CLASSES = """\
from instruction_kit import Files, Task, labels
from instruction_kit.schema import Label, LongText, Schema, Text


class Verdict(Schema):
    target = Label("label")
    title: Text | None = None
    body: LongText
    label: Text


task = Task(
    schema=Verdict,
    source=Files({"train": "posts.csv"}),
    columns={"title": "title", "body": "post", "label": labels("stars", ["bad", "good"]), "rationale": "why"},
)
"""
FREE = """\
from instruction_kit import Files, Task
from instruction_kit.schema import Free, LongText, Schema, Text


class Title(Schema):
    target = Free("title")
    body: LongText
    title: Text


task = Task(schema=Title, source=Files({"train": "posts.csv"}), columns={"title": "title", "body": "post"})
"""
ROWS: list[dict[str, object]] = [
    {"title": "Soup", "post": "The soup was cold.", "stars": 0, "why": "Nobody likes it cold.", "_split": "train"},
    {"title": None, "post": "{{ Great soup }}  ||| None!!", "stars": 1, "why": None, "_split": "train"},
    {"title": "Cold", "post": "It was hot", "stars": 0, "why": "So it is good. It was not.", "_split": "train"},
    {"title": "Tea", "post": "Fine tea", "stars": 1, "why": "Somebody likes it.", "_split": "train"},
]
SOUND = "{{ body }}\n\nHow was it?\n\n{{ options }}\n|||\n{{ answer }}\n"
SETTINGS = ("zero_shot.options", "zero_shot.no_options", "zero_shot.options.cot", "zero_shot.no_options.inverted")


def said(folder: Path, template: str, *, task: str = CLASSES, rows: list[dict[str, object]] = ROWS) -> list[Finding]:
    """What is said of one template."""
    path = folder / "tasks/moods/posts.py"
    path.parent.mkdir(parents=True)
    path.write_text(task)
    path.with_suffix(".sample.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "templates/posts").mkdir(parents=True)
    (folder / "templates/posts/one.jinja").write_text(template)
    return [one for one in review([folder]).findings if one.file.endswith(".jinja")]


def test_odd_rows_are_no_fault_of_a_sound_phrasing(tmp_path):
    assert said(tmp_path, SOUND) == []


@pytest.mark.parametrize(
    "bid", ["Choose bad or good.", "Which verdict would you choose?", "Are both of these true?", "<part>It</part>"]
)
def test_words_that_need_no_list_may_stand_without_one(tmp_path, bid):
    assert said(tmp_path, SOUND.replace("How was it?", bid)) == []


def test_where_nothing_is_listed_ever_a_text_may_be_chosen_freely(tmp_path):
    assert said(tmp_path, "{{ body }}\n\nChoose a title.\n|||\n{{ answer }}\n", task=FREE) == []


@pytest.mark.parametrize(
    ("template", "place", "told"),
    [
        (
            "{{ body }}\n\nChoose one of the options.\n\n{{ options }}\n|||\n{{ answer }}\n",
            3,
            "dangling_options: says 'Choose one' where no options are listed (zero_shot.no_options, {}:1)",
        ),
        *(
            (
                f"{{{{ body }}}}\n\n{bid}\n\n{{{{ options }}}}\n|||\n{{{{ answer }}}}\n",
                3,
                f"dangling_options: says {word!r} where no options are listed (zero_shot.no_options, {{}}:1)",
            )
            for bid, word in [
                ("Choose the verdict.", "Choose"),
                ("Please select:", "select"),
                ("Which of these fits best?", "Which of these"),
                ("Take one of the answers below.", "answers below"),
                ("Possible verdicts:", "Possible verdicts"),
                ("Say A, B or C.", "A, B"),
            ]
        ),
        *(
            (
                f"{{{{ body }}}}\n\nWhat of {slot}?\n|||\n{{{{ answer }}}}\n",
                3,
                f"unfilled_slot: prints {slot!r}, as if something had not been filled in ({SETTINGS[1]}, {{}}:1)",
            )
            for slot in ["<title>", "%s", "TODO"]
        ),
        (
            "{{ body }}.\n\nHow was it?\n\n{{ options }}\n|||\n{{ answer }}\n",
            1,
            "doubled_punctuation: doubles a stop, '⟦body⟧..' (zero_shot.options, {}:1)",
        ),
        (
            "{{ body }}\n\nHow  was it?\n\n{{ options }}\n|||\n{{ answer }}\n",
            3,
            "blanks: has odd blanks, 'How  was it?' (zero_shot.options, {}:1)",
        ),
        (
            "{{ body }}\n\nHow was { }?\n\n{{ options }}\n|||\n{{ answer }}\n",
            3,
            "unfilled_slot: prints '{ }', as if something had not been filled in (zero_shot.options, {}:1)",
        ),
        (
            "{{ title }}: {{ body }}\n|||\n{{ answer }}\n",
            1,
            "row_left_out: cannot take every row: prints nothing (zero_shot.no_options, {}:2)",
        ),
        (
            "{{ body }}\n\nWas it good?\n|||\n{{ answer }}\n",
            3,
            "leak: names 'good' in its prompt, and none of the other answers (zero_shot.no_options, {}:1)",
        ),
        (
            "{{ body }}\n\nWhich post is {{ answer }}?\n|||\n{{ body }}\n",
            1,
            "leak: shows body in its prompt, and asks for it (zero_shot.no_options.inverted, {}:1)",
        ),
        (
            "{{ body }}\n\nWhy?\n|||\n{{ rationale }} So it is {{ answer }}.\n",
            1,
            (
                "not_read_back: cannot take every row: its answer or rationale holds the words by which the answer is "
                "found again (zero_shot.no_options.cot, {}:3)"
            ),
        ),
        (
            "{{ body }}\n\nHow was it?\n|||\n{% if title %}{{ title }}{% endif %}\n",
            1,
            "empty: cannot take every row: its output is empty (zero_shot.no_options.inverted, {}:2)",
        ),
    ],
)
def test_a_flaw_is_told_with_its_line_its_setting_and_the_first_row_that_shows_it(template, place, told, tmp_path):
    found = said(tmp_path, template)
    assert [(one.line, f"{one.rule}: {one.told}") for one in found] == [
        (place, told.replace("{}", "posts.sample.jsonl"))
    ]


def test_both_answers_may_be_named(tmp_path):
    assert said(tmp_path, "{{ body }}\n\nWas it good or bad?\n|||\n{{ answer }}\n") == []


def test_an_answer_that_stands_whole_in_every_row_is_told_at_the_sample(tmp_path):
    rows: list[dict[str, object]] = [
        {"title": f"My long title {n}", "post": f"My long title {n}, and a text", "_split": "train"} for n in range(5)
    ]
    assert said(tmp_path, "{{ body }}\n\nWhich title?\n|||\n{{ answer }}\n", task=FREE, rows=rows) == []
    (found,) = [one for one in review([tmp_path]).findings if one.rule == "leak"]
    assert str(found) == (
        f"{tmp_path}/tasks/moods/posts.sample.jsonl: body holds the whole answer of every usable row, "
        "and every prompt would show it"
    )


def test_a_template_that_no_task_can_use_is_told(tmp_path):
    needy = "---\nneeds: options\n---\n{{ body }}\n\n{{ options }}\n|||\n{{ answer }}\n"
    (found,) = said(tmp_path, needy, task=FREE)
    assert found.told == "no task can use it: it needs options, and none has any"


def test_templates_that_wait_for_somebody_elses_task_are_only_remarked(tmp_path):
    folder = tmp_path / "templates/sequence_labelling"
    folder.mkdir(parents=True)
    (folder / "ask.jinja").write_text("{{ text }}\n|||\n{{ answer }}\n")
    (found,) = review([tmp_path]).findings
    assert (found.level, found.place) == ("remark", str(folder))
    assert command("check", tmp_path, "--library").code == 0


def test_a_phrasing_with_reasons_waits_for_rows_that_bring_some(tmp_path):
    folder = tmp_path / "templates/summarization"
    folder.mkdir(parents=True)
    (folder / "think.jinja").write_text("{{ document }}\n|||\n{{ rationale }}\nIn short: {{ answer }}\n")
    (found,) = review([tmp_path]).findings
    assert (found.level, found.told) == (
        "remark",
        "tasks can be measured with it, and none can train on it: it prints a rationale, which the rows of none bring",
    )


def test_a_phrasing_with_reasons_is_looked_at_as_rows_without_any_are_measured_in_it(tmp_path):
    thinking = "{{ body }}.\n\nThink.\n|||\n{{ rationale }}\nSo it is a title: {{ answer }}\n"
    found = said(tmp_path, thinking, task=FREE, rows=[row for row in ROWS if row["title"]])
    assert [one.told for one in found if one.rule == "doubled_punctuation"] == [
        "doubles a stop, '⟦body⟧..' (zero_shot.options.cot, posts.sample.jsonl:1)"
    ]


def test_a_template_of_ones_own_is_looked_at_over_the_samples_of_the_library(tmp_path):
    folder = tmp_path / "templates/natural_language_inference"
    folder.mkdir(parents=True)
    (folder / "ask.jinja").write_text('{{ premise }}\n\nSo, "{{ hypothesis }}" - yes?\n|||\n{{ answer }}\n')
    code, out, err = command("check", tmp_path)
    assert (code, err) == (0, "0 tasks, 1 template, 0 problems, 1 piece of advice\n")
    place = f"{folder}/ask.jinja:3: advice: names 'yes' in its prompt, and none of the other answers"
    assert out.startswith(f"{place} (zero_shot.no_options, ")
