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
from instruction_kit.schema.columns import frame_schema
from instruction_kit.schema.field import Free, Label
from instruction_kit.source import Sample
from instruction_kit.source.raw import Where
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


From = tuple[int, int]
"""Line of a sample, and which of the rows that were made of it."""


def sources(name: str, row: str, split: str) -> list[From]:
    """The lines that a row was made of; several where a task groups them."""
    task, (key, _, number) = TASKS[name], row.rpartition(":")[2].partition("#")
    if not task.scope.startswith("group:"):
        return [(int(key), int(number or 0))]
    field = task.scope.removeprefix("group:")
    return [(n, 0) for n, line in enumerate(lines_of(name)) if (line["_split"], str(line[field])) == (split, key)]


@cache
def examples(name: str) -> tuple[dict[From, dict[str, Any]], dict[int, str]]:
    """The examples by their first line, and of each line from which one was lost all that was wrong."""
    task, source = TASKS[name], Sample(TASKS[name].sample_path)
    kept: dict[From, dict[str, Any]] = {}
    fates: dict[int, dict[str, None]] = {number: {} for number in range(len(lines_of(name)))}
    used: set[int] = set()
    for split in source.split_names:
        mapper = Mapper(task, split)
        for part in source.ranges(split, Where()):
            for batch in source.read(part, Where(), task.reads):
                found = mapper.examples(batch, file=part.name)
                for row in found.accepted.drop("hash").to_dicts():
                    places = sources(name, row.pop("row"), split)
                    kept[places[0]] = row
                    used |= {line for line, _ in places}
                for row in found.rejected.to_dicts():
                    for line, _ in sources(name, row["row"], split):
                        fates[line][f"rejected: {row['field']}: {row['reason']}"] = None
    lost = {line: "; ".join(told) or "skipped" for line, told in fates.items() if told or line not in used}
    return dict(sorted(kept.items())), lost


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
    _, lost = examples(name)
    assert lost == {number: line[FATE] for number, line in enumerate(lines_of(name)) if FATE in line}


@every_task
def test_a_sample_holds_the_columns_that_its_task_reads(name):
    lines = lines_of(name)
    reads = TASKS[name].reads or set(lines[0]) - {FATE}  # `rows=` may read any column
    assert all(reads <= set(line) for line in lines)


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
    kinds, target = frame_schema(TASKS[name].schema), TASKS[name].schema.target
    texts = {field: [f"<{field}>"] if kind == pl.List(pl.String) else f"<{field}>" for field, kind in kinds.items()}
    if isinstance(target, Label):
        del texts[target.field]  # conditions ask for its classes
    example = next(iter(examples(name)[0].values()))
    values = {**example, **texts, "options": "<options>", "answer": "<answer>"}
    asked = set(re.findall(r"<\w+>", template.output(values)))
    assert asked
    assert not asked & set(re.findall(r"<\w+>", template.prompt(values)))


# --- goldens ----------------------------------------------------------------------------------------------------------


def first_rows(name: str) -> dict[str, From]:
    """The first line of the sample for each class; of a task without classes, the first of the train split."""
    task, (kept, _) = TASKS[name], examples(name)
    target = task.schema.target
    if isinstance(target, Label):
        field = target.field
        return {label: next(place for place in kept if kept[place][field] == label) for label in task.classes}
    return {"": first_to_train(name)}


def first_to_train(name: str) -> From:
    """The last row that the first usable line to train on was made into: that of a conversation has all its turns."""
    kept, lines = examples(name)[0], lines_of(name)
    first = next(line for line, _ in kept if lines[line]["_split"] == "train")
    return max(place for place in kept if place[0] == first)


def golden(name: str) -> str:
    """What a person checks against the dataset and reads for its wording."""
    task, (kept, _), lines = TASKS[name], examples(name), lines_of(name)
    told = [f"# {name} ({task.schema.__name__})", "", "## rows and what they mean", ""]
    whole = [t for t in TEMPLATES[name] if t.place == Place() and t.front.style is None and not t.front.answers]
    for label, place in first_rows(name).items():
        setting = settings_of(whole[0], task)[-1]
        told += [f"line {place[0] + 1}: {json.dumps(lines[place[0]], ensure_ascii=False)}"]
        told += [f"class {label}"] if label else []
        told += [f"answer: {rendered(name, whole[0], setting, kept[place]).completion}", ""]
    for template in TEMPLATES[name]:
        for setting in settings_of(template, task):
            pair = rendered(name, template, setting, kept[first_to_train(name)])
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
