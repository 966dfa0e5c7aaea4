"""The rules for the phrasings of a task: what is said of a task that breaks each of them."""

import json
from pathlib import Path

import pytest
from command import command
from hypothesis import given
from hypothesis import strategies as st
from small_task import lines, task_file

from instruction_kit.review.finding import Finding
from instruction_kit.review.likeness import runs, shared
from instruction_kit.review.review import review

OWN = """\
from typing import Literal

from instruction_kit import Files, Task, labels
from instruction_kit.schema import Label, LongText, Schema, Text


class Verdict(Schema):
    target = Label("label")
    title: Text
    body: LongText
    label: Text


task = Task(
    schema=Verdict,
    source=Files({"train": "posts.csv"}),
    columns={"title": "title", "body": "post", "label": labels("stars", ["bad", "good"]), "rationale": "why"},
)
"""
FIRST = "{{ body }}\n\nHow is the post on {{ title }} that {word}?\n\n{{ options }}\n|||\n{{ answer }}\n"
MIDDLE = "Of the {word} kind:\n\n{{ body }}\n\nWhat is it, and how?\n\n{{ options }}\n|||\n{{ answer }}\n"
LAST = "{{ options }}\n\nWhich of the {word} is that?\n\n{{ body }}\n|||\n{{ answer }}\n"
INVERTED = "Write a {word} post that is {{ answer }}.\n|||\n{{ body }}\n"
REASONING = "{{ body }}\n\nGive {word} reasons.\n\n{{ options }}\n|||\n{{ rationale }}\nSo it is {{ answer }}.\n"


def said(folder: Path, *templates: str) -> list[Finding]:
    """What is said of a task with these phrasings, each of which is of other words where it holds `{word}`."""
    write(folder, OWN, *templates)
    return [one for one in review([folder]).findings if not one.file.endswith(".csv")]


def write(folder: Path, task: str, *templates: str) -> None:
    (folder / "tasks/moods").mkdir(parents=True)
    (folder / "tasks/moods/posts.py").write_text(task)
    (folder / "templates/posts").mkdir(parents=True)
    for number, text in enumerate(templates):
        words = " ".join(f"word{number}of{place}" for place in range(20))
        (folder / f"templates/posts/p{number:02}.jinja").write_text(text.replace("{word}", words))


ENOUGH = (*[FIRST] * 3, *[MIDDLE] * 2, *[LAST] * 2, *[REASONING] * 3, INVERTED)


def test_of_a_task_with_phrasings_enough_of_every_kind_nothing_is_said(tmp_path):
    assert said(tmp_path, *ENOUGH) == []


@pytest.mark.parametrize(
    ("templates", "rule", "words"),
    [
        (ENOUGH[2:], "num_phrasings", "9 phrasings (8 answer); write 10 or more, in templates/verdict/ or"),
        (ENOUGH[:-1], "num_inverted", "0 inverted phrasings; 1 to 3 turn the task around"),
        ((*ENOUGH, *[INVERTED] * 3), "num_inverted", "4 inverted phrasings; 1 to 3 turn the task around"),
        ((*ENOUGH[:9], INVERTED), "num_reasoning", "2 phrasings ask for reasons, which its rows bring; write 3 or"),
        (
            (*[FIRST] * 8, *[REASONING] * 3, INVERTED),
            "main_position",
            "over its phrasings body stands in 1 positions (first); let it stand in 3 of first, middle and last block",
        ),
        (
            (*[FIRST] * 4, *[MIDDLE] * 4, *[REASONING] * 3, INVERTED),
            "options_position",
            "over its phrasings options stands in 1 positions (last); let it stand in 2 of first, middle and last",
        ),
    ],
)
def test_what_a_task_lacks_is_told_at_its_task(templates, rule, words, tmp_path):
    (found,) = [one for one in said(tmp_path, *templates) if one.rule == rule]
    assert found.place == f"{tmp_path}/tasks/moods/posts.py:14"
    assert found.what.startswith(words)


def test_two_phrasings_that_say_nearly_the_same_are_told_at_the_later_one(tmp_path):
    same = "Here is a post that somebody wrote.\n\n{{ body }}\n\nIs it good or bad, {}?\n|||\n{{ answer }}\n"
    (found,) = said(tmp_path, *ENOUGH, same.replace("{}", "dear reader"), same.replace("{}", "do you think"))
    assert str(found) == (
        f"{tmp_path}/templates/posts/p12.jinja:1: shares 62% of its runs of three words with posts/p11; "
        "phrasings share under 50%"
    )


def test_rules_are_advice_and_problems_for_the_library(tmp_path):
    task_file(tmp_path, "notes", train=lines(3))
    assert command("check", tmp_path).code == 0
    code, out, err = command("check", tmp_path, "--library")
    place = f"{tmp_path}/tasks/sorting/notes.py"
    assert code == 1
    assert out.splitlines() == [
        f'{place}:1: the first line is no `"""Name: what is asked? Authors year, https://link"""`',
        f"{place}:6: families is empty",
        f"{place}:6: sizes lacks train",
        f"{place}: has no sample; write notes.sample.jsonl beside it",
    ]
    assert err == "1 task, 0 templates, 4 problems\n"


def test_a_task_of_the_library_states_its_license_and_the_revision_of_its_source(tmp_path):
    path = tmp_path / "tasks/moods/posts.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "from instruction_kit import Hub, Task\n"
        "from instruction_kit.schema import Summarization\n"
        'task = Task(schema=Summarization, source=Hub("a/b", splits={"train": "train"}),\n'
        '            columns={"document": "text", "summaries": "short"})\n'
    )
    told = [one.told for one in review([tmp_path], library=True).findings if one.rule == "origin"]
    assert "states no license; write `unknown` where nobody says" in told
    assert "its source states no revision" in told


def test_advice_is_called_so_and_counted(tmp_path):
    write(tmp_path, OWN, FIRST)
    code, out, err = command("check", tmp_path)
    assert code == 0
    assert all(f"{tmp_path}/tasks/moods/posts.py:14: advice: " in line for line in out.splitlines())
    assert err == f"1 task, 1 template, 0 problems, {len(out.splitlines())} pieces of advice\n"


def test_a_program_reads_findings_with_their_places(tmp_path):
    write(tmp_path, OWN, *ENOUGH[:-1])
    code, out, _ = command("check", tmp_path, "--json")
    (found,) = json.loads(out)["findings"]
    assert code == 0
    assert found == {
        "file": f"{tmp_path}/tasks/moods/posts.py",
        "line": 14,
        "rule": "num_inverted",
        "what": "0 inverted phrasings; 1 to 3 turn the task around",
        "level": "rule",
        "row": "",
    }


texts = st.lists(st.text(alphabet="ab ,.", max_size=20), max_size=3)


@given(texts, texts)
def test_how_alike_texts_are_is_a_share_the_same_both_ways(one, other):
    first, second = runs(one), runs(other)
    assert shared(first, second) == shared(second, first)
    assert 0 <= shared(first, second) <= 1
    assert shared(first, first) == (1 if first else 0)
