"""The page of a report: well formed, alone, accessible, and with every figure in a table."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_evaluation_files import ROWS, RUN
from test_evaluation_summary import frame, right

from instruction_kit.evaluation.chart import PERCENT, Line, Mark, chart, scale_of
from instruction_kit.evaluation.grid import clusters, tasks, templates
from instruction_kit.evaluation.markup import element
from instruction_kit.evaluation.report_page import report_page
from instruction_kit.evaluation.summary import summarise

REPORT = summarise(ROWS, run=RUN)
PAGE = report_page(REPORT)


def well_formed(text: str) -> ET.Element:
    """The page as XML: every element is closed, and no entity but XML's own is used."""
    assert text.startswith("<!DOCTYPE html>\n")
    return ET.fromstring(text)  # noqa: S314 - written by us


def test_the_page_needs_nothing_beside_it():
    page = well_formed(PAGE)
    assert {child.tag for child in page.iter()} & {"script", "link", "img", "iframe", "object", "use", "image"} == set()
    attributes = {name for child in page.iter() for name in child.attrib}
    assert attributes & {"src", "href", "onclick", "srcset", "data"} == set()
    assert re.findall(r"url\(|@import|//[a-z]", page.findtext("head/style") or "") == []
    policy = page.find("head/meta[@http-equiv='Content-Security-Policy']")
    assert policy is not None
    assert policy.attrib["content"] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert len(PAGE.encode()) < 100_000


def test_every_chart_is_told_in_words_and_every_mark_says_its_figure():
    page = well_formed(PAGE)
    charts = [svg for svg in page.iter("svg") if svg.attrib.get("role") == "img"]
    assert len(charts) == 8  # two splits, rank accuracy and likelihood, models and templates
    for svg in charts:
        assert svg.attrib["aria-label"]
        assert [child.tag for child in svg][:2] == ["title", "desc"]
        assert all(mark.findtext("title") for mark in svg.iter("g"))
    assert "rte, after: 50.0 (0.0 to 100.0)" in [mark.findtext("title") for mark in page.iter("g")]
    hidden = [svg for svg in page.iter("svg") if svg not in charts]
    assert all(svg.attrib == {"viewBox": "0 0 16 16", "aria-hidden": "true"} for svg in hidden)


def test_headings_go_down_one_level_at_a_time_and_tables_name_rows_and_columns():
    page = well_formed(PAGE)
    assert page.attrib["lang"] == "en"
    levels = [int(child.tag[1]) for child in page.iter() if re.fullmatch(r"h\d", child.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for table in page.iter("table"):
        assert table.findtext("caption")
        assert all(cell.attrib["scope"] == "col" for cell in table.findall("thead/tr/th"))
        assert all(row.find("th[@scope='row']") is not None for row in table.findall("tbody/tr"))


def test_every_figure_of_the_report_stands_in_a_table():
    cells = ["".join(cell.itertext()) for cell in well_formed(PAGE).iter() if cell.tag in ("td", "th")]
    for result in REPORT.splits:
        for kind in result.kinds:
            for grid in (of(REPORT, result, kind=kind) for of in (clusters, tasks, templates)):
                assert {text for row in grid.rows for text in row} <= set(cells)


def test_a_model_alone_and_one_template_are_drawn_too():
    page = well_formed(report_page(summarise(frame([right("rte", row) for row in range(3)]))))
    assert page.findtext(".//h1") == "Measurement"
    assert [key.text or "".join(key.itertext()) for key in page.iter("span")] == ["model", "chance"]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_name_survives_as_text(name):
    made = ET.fromstring(element("p", name, title=name))  # noqa: S314 - written by us
    assert (made.text or "") == name
    assert made.attrib["title"] == name
    drawing = chart([Line(name, 0, (Mark(0, 0.5, 0.1, 0.9, name),))], PERCENT, title=name, description="d", axis="a")
    assert ET.fromstring(drawing).find("title") is not None  # noqa: S314 - written by us


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.sampled_from([1, 100]))
def test_a_scale_covers_what_there_is_in_a_few_round_steps(values, factor):
    scale = scale_of(values, factor=factor)
    tolerance = 1e-9 * max(1, *map(abs, values))
    assert scale.low <= min(values) + tolerance
    assert scale.high >= max(values) - tolerance
    assert 2 <= len(scale.ticks) <= 7
    assert len({text for _, text in scale.ticks}) == len(scale.ticks)


@pytest.mark.parametrize(
    ("values", "ticks"), [([0.0], "0 0.5"), ([-2.0, -0.5], "-2 -1.5 -1 -0.5"), ([3, 45], "0 20 40 60")]
)
def test_ticks_are_round(values, ticks):
    assert " ".join(text for _, text in scale_of(values).ticks) == ticks
