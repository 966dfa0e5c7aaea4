"""`preview`: rows of a task as its templates render them, and what it says where there is nothing to show."""

from pathlib import Path

import pytest
from command import command, refused
from small_task import lines, task_file

from instruction_kit.task import load_tasks

ANSWERS = {
    "zero_shot.options": "classification/pick_one_option",
    "zero_shot.no_options.inverted": "classification/write_a_text_for_the_label",
}


def shown(*arguments: str | Path) -> str:
    code, out, _ = command("preview", *arguments)
    assert code == 0
    return out


def test_the_first_row_stands_under_each_template_with_the_separator_of_a_template_file():
    code, out, err = command("preview", "sst2")
    assert (code, err) == (0, "sst2: sample, split train, Classification, cluster sentiment\n")
    assert out.splitlines()[0].strip("─ ") == "sst2.sample.jsonl:0"
    assert out.count("╭─ ") == len(list(Path("templates").glob("classification/*"))) + 2 == out.count("│ |||")
    assert "a warm , funny and quietly brave film" in out


def test_one_template_is_named_with_or_without_its_folder():
    short = shown("sst2", "--template", "pick_one_option")
    assert short == shown("sst2", "--template", "classification/pick_one_option")
    assert short.count("╭─ ") == 1


def test_rows_and_split_are_chosen():
    out = shown("snli", "--rows", "3", "--split", "test", "--template", "quiz_card")
    assert out.count("╭─ natural_language_inference/quiz_card ") == out.count("snli.sample.jsonl:") == 3


@pytest.mark.parametrize(("setting", "template"), ANSWERS.items())
def test_a_setting_shows_the_templates_that_serve_it(setting, template):
    out = shown("sst2", "--setting", setting)
    assert f"─ {template} ─" in out
    assert out.count("╭─ ") == out.count(f" {setting} ─╯")


def test_a_task_of_ones_own_is_read_from_its_files(tmp_path):
    task_file(tmp_path, "notes", train=lines(30), validation=lines(9, start=100))
    told = command("preview", "notes", "--path", tmp_path, "--template", "pick_one_option", "--rows", "40").err
    assert told == "notes: source, split train, Classification, cluster sorting\n"
    out = shown("notes", "--path", tmp_path, "--template", "pick_one_option", "--rows", "40")
    assert out.count("notes.train.jsonl:") == 26  # four of thirty have no text


def test_rows_are_taken_from_as_many_files_as_need_be(tmp_path):
    path = task_file(tmp_path, "notes", train=lines(3), validation=lines(3))
    path.write_text(path.read_text().replace("'notes.train.jsonl'", '["notes.train.jsonl", "notes.validation.jsonl"]'))
    out = shown("notes", "--path", tmp_path, "--template", "pick_one_option", "--rows", "5")
    assert out.count("notes.train.jsonl:") == 3
    assert out.count("notes.validation.jsonl:") == 2


def test_files_lie_under_the_data_folder_that_is_named(tmp_path):
    task_file(tmp_path / "mine", "notes", train=lines(3))
    (tmp_path / "data").mkdir()
    (tmp_path / "mine/tasks/sorting/notes.train.jsonl").rename(tmp_path / "data/notes.train.jsonl")
    arguments = ("preview", "notes", "--path", tmp_path / "mine", "--data-dir")
    assert command(*arguments, tmp_path / "data").code == 0
    assert "notes.train.jsonl" in refused(*arguments, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["snly"], "no task snly; did you mean snli?"),
        (
            ["sst2", "--template", "pick_options"],
            "no template pick_options for this task; did you mean pick_one_option",
        ),
        (
            ["sst2", "--template", "clasification/pick_one_option"],
            "no template clasification/pick_one_option for this task; did you mean classification/pick_one_option",
        ),
        (["sst2", "--setting", "zero_shot.option"], "no setting zero_shot.option; did you mean zero_shot.options"),
        (["sst2", "--split", "test"], "task sst2 has no split test; there are: train, validation"),
        (
            ["sst2", "--template", "pick_one_option", "--setting", "zero_shot.no_options"],
            "task sst2: none of these templates serves zero_shot.no_options; did you mean zero_shot.options",
        ),
        (["sst2", "--path", "nowhere"], "nowhere: does not exist; name a folder that holds tasks/ or templates/"),
    ],
)
def test_what_does_not_exist_is_told_with_the_nearest_that_does(arguments, words):
    assert refused("preview", *arguments).startswith(words)


def test_a_task_without_a_usable_row_says_why(tmp_path):
    task_file(tmp_path, "notes", train='{"text": null, "label": 1}\n{"text": "words", "label": 7}\n', test="")
    assert refused("preview", "notes", "--path", tmp_path) == (
        "task notes: no row of train can be used: text: missing; label: not one of the labels"
    )
    assert refused("preview", "notes", "--path", tmp_path, "--split", "test") == (
        "task notes: no row of test can be used: there are none"
    )


def test_a_sample_that_is_asked_for_and_not_there_is_told(tmp_path):
    path = task_file(tmp_path, "notes", train=lines(3))
    told = refused("preview", "notes", "--path", tmp_path, "--data", "sample")
    assert str(path.with_suffix(".sample.jsonl")) in told


def test_every_shipped_task_can_be_previewed():
    for name in load_tasks([Path.cwd()]):
        assert command("preview", name).code == 0


def test_square_brackets_in_rows_and_names_are_no_markup(tmp_path):
    task_file(tmp_path, "notes", train='{"text": "[bold]loud[/bold] [/red]", "label": 1}\n')
    assert "[bold]loud[/bold] [/red]" in shown("notes", "--path", tmp_path, "--template", "pick_one_option")


@pytest.mark.parametrize("rows", ["0", "-1", "many"])
def test_a_number_of_rows_is_at_least_one(rows):
    code, out, err = command("preview", "sst2", "--rows", rows)
    assert (code, out) == (2, "")
    assert "Invalid value for '--rows'" in err
