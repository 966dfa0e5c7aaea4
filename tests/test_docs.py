"""What the docs show runs: the Python blocks of every page, in order, and the examples in the docstrings."""

import doctest
import importlib
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^(?P<indent> *)```python\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
MODULES = [path for path in sorted((ROOT / "instruction_kit").rglob("*.py")) if path.name != "__main__.py"]
"""Importing a `__main__` runs it."""
ROOMS_WITH_TORCH = {"demo.py", "evaluation", "token", "training"}


def page_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[tuple[int, str]]:
    """Line of each Python block's first line of code, and its code."""
    text = page.read_text(encoding="utf-8")
    return [(text.count("\n", 0, found.start("code")) + 1, found["code"]) for found in BLOCK.finditer(text)]


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_the_python_blocks_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    """In one namespace and an empty folder, as a reader would who types them one after the other."""
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    for line, code in blocks(page):
        exec(compile("\n" * (line - 1) + code, page, "exec"), namespace)  # noqa: S102 - the project's own pages


@pytest.mark.parametrize("module", MODULES, ids=page_name)
def test_the_examples_in_the_docstrings_of_a_module_run(module, tmp_path, monkeypatch):
    parts = module.relative_to(ROOT).with_suffix("").parts
    if ROOMS_WITH_TORCH & {*parts, module.name} and find_spec("torch") is None:
        pytest.skip("the extra `tune` is not installed")
    loaded = importlib.import_module(".".join(parts).removesuffix(".__init__"))
    monkeypatch.chdir(tmp_path)
    outcome = doctest.testmod(loaded, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0
