"""The pages of a measurement and of a tuning run, in a real browser."""

from pathlib import Path

import pytest
from browser import Page, browser
from test_evaluation_page import PAGE
from tiny_model import tune, watched_built

WIDTHS = (360, 1280)
TOO_WIDE = """[...document.querySelectorAll('body *')].filter(
    (node) => node.getBoundingClientRect().right > innerWidth + 1 && !node.closest('.wide')
).map((node) => node.outerHTML.slice(0, 80))"""
UNREADABLE = """[...document.querySelectorAll('h1, h2, h3, p, th, td, figcaption, svg text')].filter((node) => {
    const style = getComputedStyle(node)
    return node.textContent.trim() && (style.visibility === 'hidden' || parseFloat(style.fontSize) < 9)
}).length"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "report.html").write_text(PAGE, encoding="utf-8")
    flags = {"dataset_name": watched_built(), "eval_strategy": "steps", "eval_steps": 2, "held_out_rows": 2}
    run = tune(folder / "out", **flags, max_steps=2, logging_steps=1)
    return {"report": folder / "report.html", "tuning": run / "tuning.html"}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["report", "tuning"])
def test_a_page_shows_whole_at_any_width_and_asks_nobody(tab: Page, pages, name, width, dark):
    page = tab.open(pages[name], width=width, dark=dark)
    assert page.complaints() == []
    assert [Path(url).name for url in page.asked()] == [pages[name].name]
    assert page.value("document.documentElement.scrollWidth") <= width, page.value(TOO_WIDE)
    assert page.value(UNREADABLE) == 0
    assert page.value("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
