"""What ships: sample rows meet the fates that they state, classes the answers that they mean, phrasings their goldens.

`REWRITE_GOLDEN=1` makes this file write the goldens anew instead of comparing them; the diff is then for reading.
"""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rendering import wording

from instruction_kit import Task
from instruction_kit.build.examples import Mapper
from instruction_kit.library import library_folder
from instruction_kit.render.pair import Pair
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import SETTINGS, Setting, serves
from instruction_kit.schema import Schema, shipped
from instruction_kit.schema.field import Free, Label
from instruction_kit.source import Sample
from instruction_kit.source.raw import INDEX, Where
from instruction_kit.source.sample import FATE
from instruction_kit.task import load_tasks
from instruction_kit.template import Template, template_files, templates_of
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.template import Place

LIBRARY = library_folder()
TASKS = load_tasks([LIBRARY])
TEMPLATES = {task: templates_of([LIBRARY], schema=TASKS[task].schema, task=task) for task in TASKS}
ZERO_SHOT = [setting for setting in SETTINGS.values() if not setting.few_shot]
GOLDENS = Path(__file__).parent / "golden"
REWRITE = bool(os.environ.get("REWRITE_GOLDEN"))
PHRASINGS = [(task, template) for task, templates in TEMPLATES.items() for template in templates]
SHIPPED = {schema.folder() for schema in Schema.__subclasses__() if schema.__module__ == shipped.__name__}
every_task = pytest.mark.parametrize("name", TASKS)


def of_each(phrasings: list[tuple[str, Template]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("name", "template"), phrasings, ids=[f"{task}-{t.name}" for task, t in phrasings])


every_phrasing = of_each(PHRASINGS)
every_answering = of_each([(task, template) for task, template in PHRASINGS if not template.inverted])
every_inverted = of_each([(task, template) for task, template in PHRASINGS if template.inverted])


def lines_of(name: str) -> list[dict[str, Any]]:
    text = TASKS[name].sample_path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@cache
def examples(name: str) -> tuple[dict[int, dict[str, Any]], dict[int, str]]:
    """Of each line of the sample: the example that it became, or why it did not."""
    task, source = TASKS[name], Sample(TASKS[name].sample_path)
    kept: dict[int, dict[str, Any]] = {}
    lost: dict[int, str] = {}
    for split in source.split_names:
        mapper = Mapper(task, split)
        for part in source.ranges(split, Where()):
            for batch in source.read(part, Where(), task.reads):
                found = mapper.examples(batch, file=part.name)
                skipped = set(batch.frame[INDEX])
                for row in found.accepted.drop("hash").to_dicts():
                    kept[number := int(row.pop("row").rpartition(":")[2])] = row
                    skipped.discard(number)
                for row in found.rejected.to_dicts():
                    number = int(row["row"].rpartition(":")[2])
                    fate = f"rejected: {row['field']}: {row['reason']}"
                    lost[number] = f"{lost[number]}; {fate}" if number in lost else fate
                    skipped.discard(number)
                lost |= dict.fromkeys(skipped, "skipped")
    return kept, lost


def settings_of(template: Template, task: Task) -> list[Setting]:
    """The settings that a phrasing serves; for a task without options, the two are one."""
    served = [setting for setting in ZERO_SHOT if serves(template, setting, task=task)]
    return served if task.has_options else served[:1]


def rendered(name: str, template: Template, setting: Setting, row: dict[str, Any]) -> Pair:
    return render(
        row, template=template, setting=setting, task=TASKS[name], prompting=Prompting(), measured=not template.inverted
    )


def pairs(name: str, template: Template) -> list[tuple[Setting, dict[str, Any], Pair]]:
    found = []
    for setting in settings_of(template, TASKS[name]):
        for row in examples(name)[0].values():
            try:
                found.append((setting, row, rendered(name, template, setting, row)))
            except RowProblem:
                continue
    return found


# --- samples ----------------------------------------------------------------------------------------------------------


@every_task
def test_a_sample_has_24_rows_or_more_and_the_splits_of_its_source(name):
    lines = lines_of(name)
    assert len(lines) >= 24
    assert {line["_split"] for line in lines} == set(TASKS[name].source.split_names)


@every_task
def test_each_row_of_a_sample_meets_the_fate_that_it_states(name):
    kept, lost = examples(name)
    stated = {number: line[FATE] for number, line in enumerate(lines_of(name)) if FATE in line}
    assert lost == stated
    assert sorted([*kept, *lost]) == list(range(len(lines_of(name))))


@every_task
def test_a_sample_holds_the_columns_that_its_task_reads(name):
    reads = TASKS[name].reads
    assert reads is not None
    assert all(reads <= set(line) for line in lines_of(name))


@every_task
def test_every_class_and_every_place_among_the_options_is_some_rows_answer(name):
    task, (kept, _) = TASKS[name], examples(name)
    target = task.schema.target
    if isinstance(target, Label):
        assert {row[target.field] for row in kept.values()} == set(task.classes)
    elif not isinstance(target, Free):
        assert {row[target.answer] for row in kept.values()} >= {0, 1}


# --- tasks ------------------------------------------------------------------------------------------------------------


@every_task
def test_a_task_says_where_it_comes_from(name):
    task = TASKS[name]
    assert task.path is not None
    first = task.path.read_text(encoding="utf-8").split("\n")[0]
    assert re.fullmatch(r'""".+\? .+ \d{4}.*, https://\S+"""|""".+\. .+ \d{4}.*, https://\S+"""', first)
    assert (task.families, task.languages, task.metrics) != ((), (), ())
    assert set(task.sizes) == set(task.source.split_names)


def test_there_are_at_least_eight_tasks_over_six_clusters():
    assert len(TASKS) >= 8
    assert len({task.cluster for task in TASKS.values()}) >= 6


# --- templates --------------------------------------------------------------------------------------------------------


def test_every_folder_of_templates_is_that_of_a_schema_or_a_task():
    assert {name.split("/")[0] for name in template_files([LIBRARY])} <= {*SHIPPED, *TASKS}


@every_task
@pytest.mark.parametrize("setting", ["zero_shot.options", "zero_shot.no_options"])
def test_a_task_can_be_measured_in_both_settings_by_several_phrasings(name, setting):
    assert len([t for t in TEMPLATES[name] if serves(t, SETTINGS[setting], task=TASKS[name])]) >= 4


@every_phrasing
def test_a_phrasing_stands_for_every_row_of_the_sample(name, template):
    served = settings_of(template, TASKS[name])
    assert len(pairs(name, template)) == len(served) * len(examples(name)[0])


@every_phrasing
def test_what_a_phrasing_prints_reads_as_written_text(name, template):
    """No doubled blanks or stops, no crowd of blank lines, nothing of Jinja or Python."""
    for _, row, pair in pairs(name, template):
        assert (pair.prompt, pair.completion) == (f"{pair.prompt.strip()}\n", pair.completion.strip())
        for side in wording(pair, row):
            assert not re.search(r"[{}]|None|Undefined|\|\|\|", side)
            assert not re.search(r"\n\n\n|[ \t]\n|\S {2,}| [,.;!?](?!\.)", side.replace(" ?", "?"))
            assert not re.search(r"[?!.,;:][?!.,;:]", side.replace("...", "…").replace(":?", "?"))


@every_phrasing
def test_without_options_nothing_speaks_of_any(name, template):
    for setting, row, pair in pairs(name, template):
        if TASKS[name].has_options and not setting.options:
            asked = (
                r"(?i)\b(options?|choices?|choose|letter|listed|list|numbered|the following (answer|label|class)\w*)\b"
            )
            found = re.findall(asked, wording(pair, row)[0])
            assert not found or [word[0] for word in found] == ["choose"]


@every_phrasing
def test_with_options_each_stands_in_the_prompt_and_the_right_one_is_the_output(name, template):
    task = TASKS[name]
    for setting, _, pair in pairs(name, template):
        if setting.options and task.has_options and not template.inverted:
            assert all(word in pair.prompt for word in pair.options)
            assert len(pair.candidates) == len(pair.options)
            assert {pair.candidates[index] for index in pair.gold} == set(pair.references)
            assert pair.completion == pair.candidates[pair.gold[0]]


@every_answering
def test_an_answer_is_read_back_from_what_its_phrasing_prints(name, template):
    for _, _, pair in pairs(name, template):
        assert pair.answer_start is not None
        assert template.extract(pair.completion) == pair.completion[pair.answer_start : pair.answer_end]


@every_inverted
def test_a_prompt_that_is_turned_around_does_not_show_what_it_asks_for(name, template):
    fields = TASKS[name].schema.model_fields
    texts = {field: f"<{field}>" for field in fields if field != "label"}
    example = next(iter(examples(name)[0].values()))
    values = {**example, **texts, "answers": ["<answers>"], "options": "<options>", "answer": "<answer>"}
    asked = set(re.findall(r"<\w+>", template.output(values)))
    assert asked
    assert not asked & set(re.findall(r"<\w+>", template.prompt(values)))


# --- goldens ----------------------------------------------------------------------------------------------------------


def first_rows(name: str) -> dict[str, int]:
    """The first line of the sample for each class; of a task without classes, the first of the train split."""
    task, (kept, _) = TASKS[name], examples(name)
    target = task.schema.target
    if isinstance(target, Label):
        field = target.field
        return {label: next(n for n in sorted(kept) if kept[n][field] == label) for label in task.classes}
    lines = lines_of(name)
    return {"": next(number for number in sorted(kept) if lines[number]["_split"] == "train")}


def golden(name: str) -> str:
    """What a person checks against the dataset and reads for its wording."""
    task, (kept, _), lines = TASKS[name], examples(name), lines_of(name)
    told = [f"# {name} ({task.schema.__name__})", "", "## rows and what they mean", ""]
    whole = [t for t in TEMPLATES[name] if t.place == Place() and t.front.style is None and not t.front.answers]
    for label, number in first_rows(name).items():
        setting = settings_of(whole[0], task)[-1]
        told += [f"line {number + 1}: {json.dumps(lines[number], ensure_ascii=False)}"]
        told += [f"class {label}"] if label else []
        told += [f"answer: {rendered(name, whole[0], setting, kept[number]).completion}", ""]
    number = next(n for n in sorted(kept) if lines[n]["_split"] == "train")
    for template in TEMPLATES[name]:
        for setting in settings_of(template, task):
            pair = rendered(name, template, setting, kept[number])
            told += [f"## {template.name}, {setting}", "", pair.prompt.removesuffix("\n"), "=>", pair.completion, ""]
            told += [f"candidates: {' | '.join(pair.candidates)}; right: {pair.gold}", ""] if pair.candidates else []
    return "\n".join(told)


@every_task
def test_the_first_row_in_every_phrasing_is_as_in_the_golden(name):
    path = GOLDENS / f"{name}.txt"
    if REWRITE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(golden(name), encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == golden(name), "REWRITE_GOLDEN=1 writes it anew; read the diff"


def test_every_golden_has_its_task():
    assert {path.name for path in GOLDENS.iterdir()} == {f"{name}.txt" for name in TASKS}


def test_frames_and_lines_agree_on_the_rows_of_a_sample():
    for name in TASKS:
        assert Sample(TASKS[name].sample_path).frame.select(pl.len()).item() == len(lines_of(name))
