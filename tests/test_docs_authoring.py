"""docs/authoring.md: every step of it runs, from nothing to a built mixture, and says what the page shows."""

from pathlib import Path

from page import work_through

PAGE = (Path(__file__).parent.parent / "docs/authoring.md").read_text(encoding="utf-8")


def test_a_reader_can_work_through_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    work_through(PAGE)
    assert {path.name for path in tmp_path.iterdir()} >= {"built", "support"}
