"""The shipped library as the tests see it: read once, its samples mapped once, in each process that asks."""

from functools import cache

from instruction_kit.render.pair import Pair
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import Setting
from instruction_kit.review.files import read_folders
from instruction_kit.review.phrasing import usable
from instruction_kit.review.rows import Row, Rows, read_rows
from instruction_kit.schema import Choice, Label
from instruction_kit.task import Task
from instruction_kit.template import Template
from instruction_kit.template.template import Place

READ = read_folders([])
TASKS = READ.tasks


@cache
def rows_of(name: str) -> Rows:
    return read_rows(TASKS[name])


@cache
def templates_of(name: str) -> list[Template]:
    return usable(TASKS[name], READ.templates_of(TASKS[name]))


def rendered(task: Task, template: Template, setting: Setting, row: Row) -> Pair:
    return render(row.example, template=template, setting=setting, task=task, prompting=Prompting())


def first_rows(name: str) -> dict[str, Row]:
    """The first usable row of each class; of a task whose rows bring options, of the first and of the second place."""
    target, rows = TASKS[name].schema.target, rows_of(name).usable
    if isinstance(target, Label):
        return {word: next(row for row in rows if row.example[target.field] == word) for word in TASKS[name].classes}
    if isinstance(target, Choice):
        places = {"first option": 0, "second option": 1}
        return {word: next(row for row in rows if row.example[target.answer] == at) for word, at in places.items()}
    return {}


def plain(name: str) -> Template:
    """A phrasing whose output is the answer in the task's own words, where no options are listed."""
    found = (t for t in templates_of(name) if t.place == Place() and not t.front.needs and not t.front.answers)
    return next(found)
