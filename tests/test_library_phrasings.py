"""The phrasings of every shipped schema, with or without a shipped task: they differ, and fit whole and bare rows."""

import re
from functools import cache
from itertools import combinations
from typing import Any

import polars as pl
import pytest
from rendering import wording
from schema_rows import ROWS, SCHEMAS, example_task

from instruction_kit.build.examples import Mapper
from instruction_kit.library import library_folder
from instruction_kit.render.pair import Pair
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import SETTINGS, Setting, serves
from instruction_kit.schema import Choice, Free
from instruction_kit.source.raw import Where
from instruction_kit.task import Task, load_tasks
from instruction_kit.template import Template, template_files, templates_of
from instruction_kit.template.environment import RowProblem

LIBRARY = library_folder()
ZERO_SHOT = [setting for setting in SETTINGS.values() if not setting.few_shot]
FILES = {name: path.read_text(encoding="utf-8") for name, path in template_files([LIBRARY]).items()}
TEMPLATES = {name: templates_of([LIBRARY], schema=schema, task="none") for name, schema in SCHEMAS.items()}
TASKS = load_tasks([LIBRARY])
MAIN = {
    "NaturalLanguageInference": "premise",
    "MultipleChoice": "question",
    "Classification": "text",
    "Paraphrase": "sentence1",
    "BooleanQA": "question",
    "Coreference": "text",
    "Translation": "text",
    "StructToText": "data",
    "Dialogue": "turns",
    "OpenInstruction": "instruction",
    "SequenceLabelling": "text",
    "Rewriting": "text",
    "ReadingComprehension": "passage",
    "Summarization": "document",
    "MathWordProblem": "question",
    "ClosedBookQA": "question",
}
every_schema = pytest.mark.parametrize("name", SCHEMAS)
every_phrasing = pytest.mark.parametrize(
    ("name", "template"), [pytest.param(name, t, id=t.name) for name, found in TEMPLATES.items() for t in found]
)


@cache
def task_of(name: str) -> Task:
    return example_task(name)


@cache
def examples(name: str) -> list[dict[str, Any]]:
    mapper, source = Mapper(task_of(name), "train"), task_of(name).source
    (part,) = source.ranges("train", Where())
    found = [mapper.examples(batch, file="f") for batch in source.read(part, Where(), None)]
    assert [rejected for one in found for rejected in one.rejected.to_dicts()] == []
    return pl.concat([one.accepted for one in found]).drop("row", "hash").to_dicts()


def served(name: str, template: Template) -> list[Setting]:
    task = task_of(name)
    found = [setting for setting in ZERO_SHOT if serves(template, setting, task=task)]
    return found if task.has_options else found[:1]


def pairs(name: str, template: Template) -> list[tuple[Setting, dict[str, Any], Pair]]:
    made = []
    for setting in served(name, template):
        for row in examples(name):
            try:
                pair = render(row, template=template, setting=setting, task=task_of(name), prompting=Prompting())
            except RowProblem:
                continue
            made.append((setting, row, pair))
    return made


def literals(template: Template) -> str:
    return re.sub(r"\A---\n.*?\n---\n", "", FILES[template.name], flags=re.DOTALL)


def trigrams(text: str) -> set[tuple[str, ...]]:
    """Runs of three words that a template writes itself."""
    pieces = re.split(r"\{\{.*?\}\}|\{%.*?%\}|\|\|\|", text, flags=re.DOTALL)
    words = [re.findall(r"\w+", piece.lower()) for piece in pieces]
    return {run for piece in words for run in zip(piece, piece[1:], piece[2:], strict=False)}


def place_of(field: str, prompt: str) -> int:
    """Where a prompt first prints a field."""
    found = re.search(rf"\{{[{{%][^}}]*\b{field}\b", prompt)
    assert found
    return found.start()


# --- how many, and how different --------------------------------------------------------------------------------------


@every_schema
def test_a_schema_has_five_phrasings_that_measure_and_one_that_is_turned_around(name):
    assert len([t for t in TEMPLATES[name] if not t.inverted and not t.cot]) >= 5
    assert [t for t in TEMPLATES[name] if t.inverted]


@pytest.mark.parametrize("name", ["BooleanQA", "ClosedBookQA", "MultipleChoice", "NaturalLanguageInference"])
def test_a_schema_whose_rows_bring_reasons_has_a_phrasing_that_asks_for_them(name):
    assert [t for t in TEMPLATES[name] if t.cot and not t.inverted]


def of_one_task() -> dict[str, list[Template]]:
    own = {task.name: templates_of([LIBRARY], schema=task.schema, task=task.name) for task in TASKS.values()}
    return {**TEMPLATES, **own}


@pytest.mark.parametrize("name", of_one_task())
def test_two_phrasings_share_less_than_half_of_their_runs_of_three_words(name):
    for one, other in combinations(of_one_task()[name], 2):
        first, second = trigrams(literals(one)), trigrams(literals(other))
        assert len(first & second) < 0.5 * max(1, len(first | second)), (one.name, other.name)


@every_schema
def test_the_main_field_stands_now_at_the_start_and_now_further_down(name):
    prompts = [literals(t).split("|||")[0] for t in TEMPLATES[name] if not t.inverted]
    places = [place_of(MAIN[name], prompt) / len(prompt) for prompt in prompts]
    assert min(places) < 0.25
    assert max(places) > 0.5


@pytest.mark.parametrize("name", [name for name, schema in SCHEMAS.items() if not isinstance(schema.target, Free)])
def test_options_stand_now_before_the_main_field_and_now_after_it(name):
    prompts = [literals(t).split("|||")[0] for t in TEMPLATES[name] if t.shows_options and not t.inverted]
    before = [place_of("options", prompt) < place_of(MAIN[name], prompt) for prompt in prompts]
    assert 2 <= sum(before) <= len(before) - 2


# --- what they print --------------------------------------------------------------------------------------------------


@every_phrasing
def test_a_phrasing_stands_for_every_row_that_has_what_it_asks_for(name, template):
    able = [row for row in examples(name) if "rationale" not in template.reads or row["rationale"]]
    assert len(pairs(name, template)) == len(able) * len(served(name, template))


@every_phrasing
def test_what_a_phrasing_prints_reads_as_written_text(name, template):
    for setting, row, pair in pairs(name, template):
        assert (pair.prompt, pair.completion) == (f"{pair.prompt.strip()}\n", pair.completion.strip())
        for side in wording(pair, row):
            assert not re.search(r"[{}]|None|Undefined|\|\|\|", side)
            assert not re.search(r"\n\n\n|[ \t]\n|\S {2,}| [,.;!?](?!\.)", side.replace(" ?", "?"))
            assert not re.search(r"[?!.,;:][?!.,;:]", side.replace("...", "…").replace(":?", "?"))
        if task_of(name).has_options and not setting.options and not template.inverted:
            assert not re.search(r"(?i)\b(options?|choices?|letter|listed|list|numbered)\b", wording(pair, row)[0])


@every_phrasing
def test_the_answer_is_read_back_from_what_a_phrasing_prints(name, template):
    for _, row, pair in pairs(name, template):
        if template.inverted:
            continue
        assert pair.answer_start is not None
        read = template.extract(pair.completion)
        assert read == pair.completion[pair.answer_start : pair.answer_end]
        target = task_of(name).schema.target
        if isinstance(target, Free):
            texts = row[target.field]
            assert read in (texts if isinstance(texts, list) else [texts])
        elif isinstance(target, Choice) and template.front.style not in ("letter", "number"):
            assert read == row[target.options][row[target.answer]]


def test_rows_for_every_schema_that_ships():
    assert set(ROWS) == set(SCHEMAS)
