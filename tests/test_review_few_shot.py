"""Few-shot prompts as `check` looks at them: those that a build makes, and what is said of them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from library import TASKS, rows_of, templates_of

from instruction_kit import Mixture
from instruction_kit.render.setting import ExemplarSource, parse_setting
from instruction_kit.review.asked import rendered
from instruction_kit.review.finding import Finding
from instruction_kit.review.review import review
from instruction_kit.review.showing import Showing


@pytest.mark.parametrize(
    ("task", "setting", "source"),
    [
        ("copa", "few_shot.options", "rows"),
        ("sst2", "few_shot.no_options", "file"),
        ("quac", "few_shot.options", "rows"),
    ],
)
def test_what_is_looked_at_is_what_a_build_makes(task: str, setting: str, source: ExemplarSource, tmp_path: Path):
    mixture = Mixture(
        tasks=[task],
        hold_out=[task],
        only="held_out",
        data="sample",
        held_out_settings=[setting],
        option_order="source",
        exemplars={"source": source},
    )
    mixture.build(tmp_path)
    built = pl.concat([pl.read_parquet(file) for file in tmp_path.glob("held_out/*.parquet")])
    prompts = {(row["template"], row["split"], row["row"]): row["prompt"] for row in built.iter_rows(named=True)}
    made = rendered(TASKS[task], templates_of(task), rows_of(task).usable)
    showing, few_shot = Showing(TASKS[task], rows_of(task), made, source), parse_setting(setting)
    looked_at = {
        (one.template.name, asked.row.split, asked.row.name): showing.pair(asked, one.template, few_shot).prompt
        for one in made
        if replace(one.setting, few_shot=True) == few_shot
        for asked in one.asked
        if (one.template.name, asked.row.split, asked.row.name) in prompts
    }
    assert looked_at == prompts
    assert len(prompts) > 20


TASK = """\
from instruction_kit import Files, Task, labels
from instruction_kit.schema import Free, Label, LongText, Schema, Text, Turn


class Poem(Schema):
    target = Free("line")
    cue: LongText
    theme: Text | None = None
    line: Text
    said: list[Turn] | None = None


class Mood(Schema):
    target = Label("mood")
    cue: LongText
    theme: Text | None = None
    mood: Text


task = Task(
    schema={schema},
    source=Files({{"train": "poems.jsonl", "test": "more.jsonl"}}),
    columns={columns},
)
"""
COLUMNS = '"cue": "cue", "theme": "theme", "rationale": "why"'
POEM = TASK.format(schema="Poem", columns=f'{{{COLUMNS}, "line": "line", "said": "said"}}')
MOOD = TASK.format(schema="Mood", columns=f'{{{COLUMNS}, "mood": labels("mood", ["glad", "sad"])}}')
ASK = "{{ cue }}\n\nHow does it go on?\n|||\n{{ answer }}\n"
TURNED = "On {{ theme }}: what comes before this? {{ answer }}\n|||\n{{ cue }}\n"
REASONED = "{{ cue }}\n\nThink.\n|||\n{{ rationale }}\nSo: {{ answer }}\n"
JUDGE = "{{ cue }}\n\nGlad or sad?\n\n{{ options }}\n|||\nMine is {{ answer }}\n"


def poem(number: int, **changes: Any) -> dict[str, Any]:
    """A row that differs from every other."""
    line = f"and line {number} follows it"
    told = {"cue": f"Cue {number}", "theme": "Sea", "line": line, "said": None, "why": f"Since it is {number}."}
    return {**told, "mood": number % 2, "_split": "train", **changes}


def said(
    folder: Path, template: str, rows: list[dict[str, Any]], *, task: str = POEM, written: Sequence[dict[str, Any]] = ()
) -> list[Finding]:
    """What is said of what one template prints."""
    path = folder / "tasks/verses/poems.py"
    path.parent.mkdir(parents=True)
    path.write_text(task)
    path.with_suffix(".sample.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if written:
        path.with_suffix(".exemplars.jsonl").write_text("".join(json.dumps(row) + "\n" for row in written))
    (folder / "templates/poems").mkdir(parents=True)
    (folder / "templates/poems/one.jinja").write_text(template)
    return [one for one in review([folder]).findings if one.row or one.rule == "no_exemplar"]


def lines(found: list[Finding]) -> list[str]:
    return [f"{one.rule}: {one.told}" for one in found]


@pytest.mark.parametrize(("template", "task"), [(ASK, POEM), (TURNED, POEM), (REASONED, POEM), (JUDGE, MOOD)])
def test_of_rows_that_differ_nothing_is_said(template, task, tmp_path):
    written = [{"cue": "Mine", "mood": "sad", "rationale": "It is."}] if task is MOOD else []
    assert lines(said(tmp_path, template, [poem(n) for n in range(6)], task=task, written=written)) == []


def test_a_row_that_finds_no_exemplar_is_told(tmp_path):
    rows = [poem(1), poem(2, cue="CUE  1"), poem(3, _split="test")]
    assert lines(said(tmp_path, ASK, rows)) == [
        (
            "no_exemplar: finds no exemplar for every row: no other row of train has another input and can stand here "
            "(few_shot.options, poems.sample.jsonl:1)"
        )
    ]


def test_where_only_one_row_gives_reasons_it_has_no_other_to_show(tmp_path):
    rows = [poem(1), poem(2, why=None), poem(3, why=None)]
    (found,) = said(tmp_path, REASONED, rows)
    assert (found.rule, found.row) == ("no_exemplar", "few_shot.options.cot, poems.sample.jsonl:1")


def test_a_sample_without_a_row_to_show_is_told_once(tmp_path):
    (found,) = said(tmp_path, ASK, [poem(1, _split="test"), poem(2, _split="test")])
    assert found.file.endswith("poems.sample.jsonl")
    assert lines([found]) == ["no_exemplar: no row of train can be used, so no question finds an exemplar"]


def test_an_output_that_stands_whole_in_an_exemplar_is_told(tmp_path):
    rows = [poem(1), poem(2, line="and line 1 follows it")]
    assert lines(said(tmp_path / "asked", ASK, rows)) == [
        (
            "exemplar_leak: shows its output, 'and line 1 follows it', in the exemplar poems.sample.jsonl:1 "
            "(few_shot.options, poems.sample.jsonl:1)"
        )
    ]
    (found,) = said(tmp_path / "reasoned", REASONED, [poem(1), poem(2, line=poem(1)["line"], why=poem(1)["why"])])
    assert found.rule == "exemplar_leak"
    cue = "This cue is long"
    (found,) = said(tmp_path / "turned", TURNED, [poem(1, cue=cue), poem(2, cue=cue, theme="Land"), poem(3)])
    assert found.rule == "exemplar_leak"


def test_an_output_that_many_texts_share_says_no_more_than_a_class(tmp_path):
    assert said(tmp_path, ASK, [poem(n, line="I do not know.") for n in range(3)]) == []


def test_an_exemplar_may_have_the_same_class(tmp_path):
    assert said(tmp_path, JUDGE, [poem(n, mood=1) for n in range(3)], task=MOOD) == []


def test_a_row_that_goes_on_with_a_conversation_takes_another_setting(tmp_path):
    turns = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hi."}]
    assert said(tmp_path, ASK, [poem(1), poem(2), poem(3, said=turns)]) == []


def test_what_an_exemplar_says_where_no_options_are_listed_is_told(tmp_path):
    (found,) = said(tmp_path, JUDGE.replace("Mine", "My choice"), [poem(n) for n in range(4)], task=MOOD)
    assert lines([found]) == [
        "dangling_options: says 'choice' where no options are listed (few_shot.no_options, poems.sample.jsonl:1)"
    ]


def test_exemplars_of_the_file_are_looked_at(tmp_path):
    written = [{"cue": "One.", "theme": "Sea.", "mood": "sad"}, {"cue": "Two.", "mood": "glad"}]
    about = JUDGE.replace("Glad", "Of {{ theme or 'all' }}. Glad")
    (found,) = said(tmp_path, about, [poem(n) for n in range(4)], task=MOOD, written=written)
    assert lines([found]) == [
        ("doubled_punctuation: doubles a stop, 'Of ⟦theme⟧.. Glad or sad' (few_shot.options, poems.exemplars.jsonl:1)")
    ]


def test_what_was_told_without_exemplars_is_not_told_again(tmp_path):
    (found,) = said(tmp_path, ASK.replace("cue }}", "cue }} ,"), [poem(n) for n in range(4)])
    assert (found.rule, found.row) == ("blanks", "zero_shot.options, poems.sample.jsonl:1")
