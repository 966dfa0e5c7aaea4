"""The goldens: what the first rows of each task mean, and one pair for each of its phrasings, to be read by people.

`REWRITE_GOLDEN=1` writes them and docs/labels.md anew instead of comparing; the diff is then for reading.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from library import TASKS, first_rows, plain, rendered, rows_of, templates_of

from instruction_kit.review.asked import settings_of
from instruction_kit.review.rows import Row
from instruction_kit.schema import Choice, Label
from instruction_kit.source.raw import SPLIT
from instruction_kit.source.sample import FATE
from instruction_kit.template import Template
from instruction_kit.template.language import RATIONALE

GOLDENS = Path(__file__).parent / "golden"
LABELS = Path(__file__).parent.parent / "docs/labels.md"
REWRITE = bool(os.environ.get("REWRITE_GOLDEN"))
STALE = "`make golden` writes it anew; read the diff"
every_task = pytest.mark.parametrize("name", TASKS)
with_options = pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.has_options])


def compare(path: Path, text: str) -> None:
    if REWRITE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == text, STALE


# --- what the rows mean -----------------------------------------------------------------------------------------------


def answer_of(name: str, row: Row) -> str:
    """What a plain phrasing has the model say, where no options are listed."""
    task, template = TASKS[name], plain(name)
    return rendered(task, template, settings_of(template, task)[-1], row).completion


@with_options
def test_the_answer_of_each_class_is_the_one_that_its_row_means(name):
    """By the sample's own value of the column, through the task's mapping, to the words of the answer."""
    task, target = TASKS[name], TASKS[name].schema.target
    for word, row in first_rows(name).items():
        if isinstance(target, Label):
            assert answer_of(name, row) == task.answers.get(word, word)
        elif isinstance(target, Choice):
            assert answer_of(name, row) == row.example[target.options][row.example[target.answer]].strip()


HEAD = """\
# What the labels mean

Of each task whose answer is one of several: what the source says, the class that it is here, and the words of the
answer. Each line is the first usable row of its class in the task's sample, as `make golden` found it; where the rows
bring their own options, it is the first row with the first option right, and the first with the second. A task that
is called unverified names a source that nobody of us has seen.

| task | the source says | class | answer |
|---|---|---|---|
"""


def labels_page() -> str:
    names = sorted(name for name, task in TASKS.items() if task.has_options)
    return HEAD + "".join(f"{line}\n" for name in names for line in label_lines(name))


def label_lines(name: str) -> Iterator[str]:
    task, lines = TASKS[name], rows_of(name).lines
    for word, row in first_rows(name).items():
        called = f"`{name}`" + (" (unverified)" if task.status == "unverified" else "")
        line = lines[row.line - 1] if row.line else {}
        cells = (called, *(cell(text) for text in (source_of(name, line), word, answer_of(name, row))))
        yield f"| {' | '.join(cells)} |"


def source_of(name: str, line: dict[str, object]) -> str:
    """The columns that the class is made from, as the sample has them."""
    target = TASKS[name].schema.target
    field = target.field if isinstance(target, Label) else target.answer if isinstance(target, Choice) else ""
    reads = sorted(TASKS[name].mapping[field].reads & set(line))
    return ", ".join(f"`{column}`: {json.dumps(line[column], ensure_ascii=False)}" for column in reads)


def cell(text: str, limit: int = 80) -> str:
    text = " ".join(text.split()).replace("|", "\\|")
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"


def test_the_page_of_labels_is_what_the_samples_say():
    compare(LABELS, labels_page())


# --- goldens ----------------------------------------------------------------------------------------------------------


def shown_rows(name: str) -> list[Row]:
    """One row for each class; of a task without classes, the last that the first line to train on was made into."""
    found, rows = first_rows(name), rows_of(name)
    if found:
        return list(found.values())
    usable = [row for row in rows.usable if row.line]
    line = next((row.line for row in usable if rows.lines[row.line - 1][SPLIT] == "train"), usable[0].line)
    return [row for row in usable if row.line == line][-1:]


def row_for(name: str, template: Template, number: int) -> Row:
    """Another class for each phrasing in turn; for one that needs reasons, a row that has some."""
    rows = shown_rows(name)
    if RATIONALE in template.reads:
        rows = [row for row in [*rows, *rows_of(name).usable] if row.example[RATIONALE]]
    return rows[number % len(rows[: len(shown_rows(name))])]


def golden(name: str) -> str:
    """What a person checks against the dataset and reads for its wording."""
    task, lines = TASKS[name], rows_of(name).lines
    told = [f"# {name} ({task.schema.__name__})", ""]
    for row in shown_rows(name):
        line = {key: value for key, value in lines[row.line - 1].items() if key not in (SPLIT, FATE)}
        told += [f"line {row.line}: {json.dumps(line, ensure_ascii=False)}", f"answer: {answer_of(name, row)}", ""]
    for number, template in enumerate(templates_of(name)):
        row, setting = row_for(name, template, number), settings_of(template, task)[0]
        pair = rendered(task, template, setting, row)
        told += [f"## {template.name}, {setting}, line {row.line}", ""]
        told += [pair.prompt.removesuffix("\n"), "=>", pair.completion, ""]
    return "\n".join(told)


@every_task
def test_each_phrasing_renders_what_stands_in_the_golden(name):
    compare(GOLDENS / f"{name}.txt", golden(name))


def test_every_golden_has_its_task():
    assert {path.name for path in GOLDENS.iterdir()} == {f"{name}.txt" for name in TASKS}
