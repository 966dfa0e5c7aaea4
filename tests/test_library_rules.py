"""What ships keeps the rules of the library (docs/library.md): one test a task."""

import pytest
from library import READ, TASKS, rows_of, templates_of

from instruction_kit.render.setting import SETTINGS, serving
from instruction_kit.review.review import task_findings
from instruction_kit.review.unused import unused_findings

every_task = pytest.mark.parametrize("name", TASKS)


def test_every_file_can_be_used():
    assert [str(one) for one in READ.problems] == []


@every_task
def test_a_task_its_sample_and_its_phrasings_keep_the_rules(name):
    assert [str(one) for one in task_findings(TASKS[name], READ, library=True)] == []


def test_every_template_is_of_use_to_some_task():
    used = {template.name for name in TASKS for template in templates_of(name)}
    found = unused_findings(READ.templates, TASKS.values(), used)
    assert [str(one) for one in found if one.level != "remark"] == []


@every_task
def test_a_task_can_be_measured_with_and_without_options_by_several_phrasings(name):
    settings = [SETTINGS["zero_shot.options"], SETTINGS["zero_shot.no_options"]]
    assert min(len(serving(templates_of(name), setting, task=TASKS[name])) for setting in settings) >= 4


def test_samples_are_read_and_not_empty():
    assert min(len(rows_of(name).usable) for name in TASKS) > 0
