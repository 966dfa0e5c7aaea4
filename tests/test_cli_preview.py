"""`preview`: rows of a task as its templates render them, and what it says where there is nothing to show."""

import re
from pathlib import Path

import pytest
from command import command, on_a_terminal, refused
from rich.text import Text
from small_task import lines, task_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import PreTrainedTokenizerFast

from instruction_kit.cli.panel import ANSWER, OPTIONS, RIGHT, pair_panel
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import SETTINGS
from instruction_kit.task import load_tasks
from instruction_kit.template import parse_template

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
    assert out.count("╭─ ") == out.count("│ |||") >= 10
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
        (["snly"], "no task snly; did you mean snli or esnli?"),
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
        (
            ["wsc273", "--setting", "few_shot.options"],
            "task wsc273: it has no rows of train to serve few_shot.options with; did you mean zero_shot.options",
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


def test_exemplars_stand_before_the_question_in_a_few_shot_setting():
    arguments = ("copa", "--setting", "few_shot.options", "--template", "quiz_night")
    assert shown(*arguments, "--exemplars", "3").count("QUIZ NIGHT") == 4
    assert shown(*arguments).count("QUIZ NIGHT") == 3


def test_reasons_may_be_shown_by_exemplars_too():
    out = shown("gsm8k", "--setting", "few_shot.options.cot", "--template", "step_by_step")
    assert out.count("╭─ ") == 1
    assert "this row cannot stand here" not in out


def test_lengths_are_told_in_characters_and_in_tokens_of_a_given_tokenizer(tmp_path):
    words = {word: number for number, word in enumerate(["?", *"abcdefghijklmnopqrstuvwxyz"])}
    made = Tokenizer(WordLevel(words, unk_token="?"))
    made.pre_tokenizer = Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=made).save_pretrained(tmp_path)
    out = shown("copa", "--template", "quiz_night", "--tokenizer", tmp_path)
    assert re.search(r"│ 2\d\d \+ 36 characters, \d+ \+ \d+ tokens ", out)
    assert "token" not in shown("copa", "--template", "quiz_night")


def test_a_tokenizer_that_is_none_is_told(tmp_path):
    assert "no tokenizer can be read from" in refused("preview", "copa", "--tokenizer", tmp_path)


def test_on_a_terminal_phrasings_stand_beside_each_other():
    lines = on_a_terminal("preview", "sst2")
    assert max(line.count("╭─") for line in lines) == 2
    assert {len(line) for line in lines} == {80}


def shown_in(text: str) -> Text:
    """What a panel shows of one pair."""
    task = load_tasks([Path.cwd()], names=["copa"])["copa"]
    template = parse_template(text, name="x/y", schema=task.schema, where="x")
    pair = render(ROW, template=template, setting=SETTINGS["zero_shot.options"], task=task, prompting=Prompting())
    panel = pair_panel(pair, template, SETTINGS["zero_shot.options"], measures=[])
    assert isinstance(panel.renderable, Text)
    return panel.renderable


def marked(text: str, style: str) -> list[str]:
    """The parts of it that are in one style."""
    found = shown_in(text)
    return [found.plain[span.start : span.end] for span in found.spans if span.style == style]


ROW = {
    "question": "What is a?",
    "options": ["not it", "it", "a letter"],
    "answer": 1,
    "context": "it",
    "rationale": "Because.",
}


def test_options_and_answer_are_marked_in_colour():
    text = "{{ context }} {{ question }}\n\n{{ options }}\n|||\nI say {{ answer }}."
    assert marked(text, OPTIONS) == ["Options:\n- not it\n- it\n- a letter"]
    assert marked(text, RIGHT) == ["- it"]
    assert marked(text, ANSWER) == ["it"]


def test_an_option_that_holds_the_words_of_another_is_not_marked_for_it():
    text = "---\nstyle: plain\n---\n{{ question }}\n\n{{ options }}\n|||\n{{ answer }}"
    (span,) = [span for span in shown_in(text).spans if span.style == RIGHT]
    assert (span.start, span.end) == (len("What is a?\n\nnot it\n"), len("What is a?\n\nnot it\nit"))


def test_a_label_marks_its_option():
    text = "---\nstyle: letter\n---\n{{ question }}\n\n{{ options }}\n|||\n{{ answer }}"
    assert (marked(text, RIGHT), marked(text, ANSWER)) == (["(B) it"], ["(B)"])


def test_an_inverted_output_marks_no_answer():
    text = "Ask something to which this is the answer: {{ answer }}\n|||\n{{ question }}"
    assert (marked(text, OPTIONS), marked(text, ANSWER)) == ([], [])


def test_a_task_of_every_schema_can_be_previewed():
    tasks = load_tasks([Path.cwd()])
    for name in {task.schema: name for name, task in tasks.items()}.values():
        assert command("preview", name).code == 0


def test_square_brackets_in_rows_and_names_are_no_markup(tmp_path):
    task_file(tmp_path, "notes", train='{"text": "[bold]loud[/bold] [/red]", "label": 1}\n')
    assert "[bold]loud[/bold] [/red]" in shown("notes", "--path", tmp_path, "--template", "pick_one_option")


@pytest.mark.parametrize("rows", ["0", "-1", "many"])
def test_a_number_of_rows_is_at_least_one(rows):
    code, out, err = command("preview", "sst2", "--rows", rows)
    assert (code, out) == (2, "")
    assert "Invalid value for '--rows'" in err
