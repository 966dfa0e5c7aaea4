"""Every shipped chain-of-thought phrasing: its answer is read back from what it writes, and from nothing else."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from library import READ

from instruction_kit.build.first import first_examples
from instruction_kit.render.listing import Listing
from instruction_kit.render.pair import Pair
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import SETTINGS
from instruction_kit.task.exemplars import read_exemplars
from instruction_kit.task.task import Task
from instruction_kit.template.style import STYLES
from instruction_kit.template.template import Template

REASONS = "The text says so twice. It says nothing that would speak against it."
"""For rows of tasks whose reasons are written by hand, beside the task."""
TASKS = {name: task for name, task in READ.tasks.items() if "rationale" in task.columns or task.exemplar_path}
TEMPLATES = {t.name: t for task in TASKS.values() for t in READ.templates_of(task) if t.cot and not t.inverted}
every_task = pytest.mark.parametrize("name", TASKS)


def reasoning(task: Task) -> list[Template]:
    return [template for template in READ.templates_of(task) if template.name in TEMPLATES]


@cache
def rows(name: str) -> list[dict[str, Any]]:
    """The sample's rows, with reasons where they have none, and what was written by hand."""
    task, found = TASKS[name], []
    for split in task.reading("sample").split_names:
        examples, _ = first_examples(task, split, data="sample", data_dir=None)
        found += [
            {**row, "rationale": row.get("rationale") or REASONS} for row in examples.drop("row", "hash").to_dicts()
        ]
    return [*found, *(row for row in read_exemplars(task).values() if row["rationale"])]


def pairs(task: Task, template: Template) -> Iterator[Pair]:
    settings = [s for s in SETTINGS.values() if s.cot and not s.few_shot and not s.inverted]
    settings = [
        s for s in settings if s.options <= template.shows_options and (s.options or not template.needs_options)
    ]
    for setting in settings:
        for number, row in enumerate(rows(task.name)):
            listing = Listing(style=STYLES[("dash", "letter", "roman_round")[number % 3]])
            yield render(row, template=template, setting=setting, task=task, prompting=Prompting(), listing=listing)


@every_task
def test_the_answer_of_every_sample_row_is_read_back(name):
    for template in reasoning(TASKS[name]):
        made = [*pairs(TASKS[name], template)]
        assert made
        for pair in made:
            assert pair.answer_start is not None
            said = pair.completion[pair.answer_start : pair.answer_end]
            assert template.extract(pair.completion) == template.extract(f"{pair.completion}\n") == said


@every_task
def test_of_text_that_broke_off_nothing_is_read_and_nothing_is_raised(name):
    for template in reasoning(TASKS[name]):
        assert template.place is not None
        for broken in ("", " ", "\n\n", REASONS, template.place.marker, template.place.marker.strip()):
            assert template.extract(broken) is None
        pair = next(pairs(TASKS[name], template))
        before = pair.completion[: pair.answer_start]
        assert all(template.extract(before[:end]) is None for end in range(len(before) + 1))


@given(st.sampled_from(sorted(TEMPLATES)), st.text(max_size=80))
def test_any_text_is_read_or_not_and_never_raises(name, text):
    template = TEMPLATES[name]
    said = template.extract(text)
    assert said is None or (said in text and said.strip() == said != "")
    assert said is None or (template.place is not None and template.place.marker in text)


@pytest.mark.parametrize("task", [pytest.param(t, id=name) for name, t in TASKS.items() if t.exemplar_path])
def test_hand_written_exemplars_give_their_reasons_and_stand_in_every_phrasing(task):
    written = read_exemplars(task)
    assert len(written) >= 6
    assert all(row["rationale"] for row in written.values())
    assert set(task.classes) == ({row["label"] for row in written.values()} if task.classes else set())


def test_seven_tasks_or_more_have_hand_written_exemplars():
    assert len([name for name, task in TASKS.items() if task.exemplar_path]) >= 7
