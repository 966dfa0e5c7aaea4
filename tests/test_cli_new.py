"""`new`: every starter passes `check` at once and can be looked at; nothing that is there is written over."""

import csv
from pathlib import Path

import pytest
from command import command, refused
from schema_rows import ROWS, SCHEMAS

from instruction_kit.cli.starter import task_text, template_text
from instruction_kit.template import parse_template


def test_starters_of_every_schema_pass_check_and_of_templates_there_is_nothing_to_say(tmp_path):
    for name, schema in SCHEMAS.items():
        written = command("new", "template", name, "mine", "--path", tmp_path)
        assert written == (0, f"{tmp_path}/templates/{schema.folder()}/mine.jinja\n", "")
        task = f"my_{schema.folder()}"
        written = command("new", "task", task, "--schema", name, "--cluster", "moods", "--path", tmp_path)
        assert written == (0, f"{tmp_path}/tasks/moods/{task}.py\n", "")
    code, out, err = command("check", tmp_path)
    assert code == 0
    assert err.startswith(f"{len(SCHEMAS)} tasks, {len(SCHEMAS)} templates, 0 problems")
    assert [line for line in out.splitlines() if ".jinja" in line] == []


def test_a_new_task_reads_a_file_whose_columns_are_its_fields(tmp_path):
    command("new", "task", "notes", "--path", tmp_path)
    with (tmp_path / "tasks/mine/notes.csv").open("w") as file:
        csv.writer(file).writerows([["text", "label"], ["Great soup!", "one class"], ["Cold.", "another class"]])
    code, out, _ = command("preview", "notes", "--path", tmp_path, "--rows", "2", "--template", "pick_one_option")
    assert code == 0
    assert "Great soup!" in out
    assert "Cold." in out


def test_a_template_may_be_for_one_task_of_ones_own(tmp_path):
    command("new", "task", "notes", "--path", tmp_path)
    assert command("new", "template", "notes", "ask", "--path", tmp_path).code == 0
    assert (tmp_path / "templates/notes/ask.jinja").is_file()
    assert command("check", tmp_path).err.startswith("1 task, 1 template, 0 problems")


def test_a_schema_may_be_named_by_its_folder(tmp_path):
    assert command("new", "template", "boolean_qa", "ask", "--path", tmp_path).code == 0


def test_a_template_prints_what_may_be_missing_under_a_condition():
    template = parse_template(
        template_text(SCHEMAS["MultipleChoice"]), name="x", schema=SCHEMAS["MultipleChoice"], where="x"
    )
    whole, bare = (dict.fromkeys(SCHEMAS["MultipleChoice"].model_fields) | row for row in ROWS["MultipleChoice"])
    assert template.prompt({**whole, "options": "", "answer": "a"}) == (
        "Ida locks the door.\n\nWhat does she need?\n\nWhich is it?"
    )
    assert template.prompt({**bare, "options": "", "answer": "a"}) == "What do cows drink?\n\nWhich is it?"


def test_a_task_imports_what_it_uses():
    assert "from instruction_kit import Files, Task, text\n" in task_text("x", SCHEMAS["Summarization"])


def test_nothing_is_written_over(tmp_path):
    command("new", "template", "Rewriting", "ask", "--path", tmp_path)
    command("new", "task", "notes", "--path", tmp_path)
    before = {path: path.read_text() for path in tmp_path.rglob("*.*")}
    place = "is there already; give another name"
    assert refused("new", "template", "Rewriting", "ask", "--path", tmp_path).endswith(f"ask.jinja: {place}")
    assert refused("new", "task", "notes", "--path", tmp_path).endswith(f"notes.py: {place}")
    elsewhere = refused("new", "task", "notes", "--cluster", "moods", "--path", tmp_path)
    assert elsewhere.endswith(f"tasks/mine/notes.py: {place}")
    assert {path: path.read_text() for path in tmp_path.rglob("*.*")} == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["template", "Rewritin", "x"], "no schema or task Rewritin; did you mean Rewriting?"),
        (["template", "Rewriting", "X y"], "the template's name 'X y' may only hold a-z, 0-9 and _"),
        (["task", "x", "--schema", "Rewritin"], "no schema Rewritin; did you mean Rewriting?"),
        (["task", "Notes"], "the task name 'Notes' may only hold a-z, 0-9 and _"),
        (["task", "x", "--cluster", "a/b"], "the cluster name 'a/b' may only hold a-z, 0-9 and _"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(arguments, told, tmp_path):
    assert refused("new", *arguments, "--path", tmp_path) == told
    assert list(Path(tmp_path).iterdir()) == []
