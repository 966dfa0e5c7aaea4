"""The phrasings of every shipped schema over whole and bare rows, whether a shipped task is of it or not."""

from functools import cache
from pathlib import Path

import polars as pl
import pytest
from library import READ
from schema_rows import ROWS, SCHEMAS, example_task

from instruction_kit.build.examples import Mapper
from instruction_kit.review.masked import masked, whole_values
from instruction_kit.review.position import position_findings
from instruction_kit.review.rendered import rendered_findings
from instruction_kit.review.rows import Row, Rows
from instruction_kit.source.raw import Where
from instruction_kit.task import Task
from instruction_kit.template import Template

every_schema = pytest.mark.parametrize("name", SCHEMAS)


@cache
def task_of(name: str) -> Task:
    return example_task(name)


@cache
def templates_of(name: str) -> list[Template]:
    return READ.templates_of(task_of(name))


def rows_of(name: str) -> Rows:
    mapper, source = Mapper(task_of(name), "train"), task_of(name).source
    (part,) = source.ranges("train", Where())
    found = [mapper.examples(batch, file="f") for batch in source.read(part, Where(), None)]
    assert [rejected for one in found for rejected in one.rejected.to_dicts()] == []
    examples = pl.concat([one.accepted for one in found])
    named = zip(examples["row"], examples.drop("row", "hash").to_dicts(), strict=True)
    rows = tuple(Row(number, one, "train", row) for number, (row, one) in enumerate(named, start=1))
    return Rows(Path("rows"), (), rows, {})


@every_schema
def test_a_schema_has_five_phrasings_that_measure_and_one_that_is_turned_around(name):
    assert len([t for t in templates_of(name) if not t.inverted and not t.cot]) >= 5
    assert [t for t in templates_of(name) if t.inverted]


@every_schema
def test_its_phrasings_stand_for_whole_and_for_bare_rows_and_read_as_written(name):
    found = rendered_findings(task_of(name), templates_of(name), READ.templates, rows_of(name))
    of_rows = {"no_exemplar", "exemplar_leak"}  # these few are alike, which is no phrasing's fault
    assert [str(one) for one in found if one.rule not in of_rows] == []


@every_schema
def test_its_phrasings_put_the_main_field_and_the_options_in_several_places(name):
    values = whole_values(task_of(name))
    said = [one for t in templates_of(name) if not t.inverted and (one := masked(t, values))]
    assert [str(one) for one in position_findings(task_of(name), said)] == []


def test_rows_for_every_schema_that_ships():
    assert set(ROWS) == set(SCHEMAS)
