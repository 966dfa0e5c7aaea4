"""`.ci/environment.py`: when the one `.venv` is made, gone on with, or left alone."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = range(11, 14)


@pytest.fixture
def done():
    return []


@pytest.fixture
def environment(tmp_path, monkeypatch, done):
    """The script over a project of its own, whose install only notes that it ran."""
    spec = importlib.util.spec_from_file_location("environment", ROOT / ".ci" / "environment.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    venv = tmp_path / ".venv"
    places = {"ROOT": tmp_path, "VENV": venv, "STAMP": venv / "stamp", "INSIDE": venv / "bin" / "python"}
    for name, place in places.items():
        monkeypatch.setattr(module, name, place)

    def make(_minors):
        done.append("make")
        shutil.rmtree(venv, ignore_errors=True)
        venv.mkdir()
        monkeypatch.setattr(module, "inside", lambda: 11)

    monkeypatch.setattr(module, "make", make)
    monkeypatch.setattr(module, "install", lambda: done.append("install"))
    return module


def replace(tmp_path, old, new):
    project = tmp_path / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    assert old in text
    project.write_text(text.replace(old, new), encoding="utf-8")


def test_it_is_made_once_and_then_left_alone(environment, done):
    environment.main()
    environment.main()
    assert done == ["make", "install"]


def test_another_dependency_installs_into_it_and_another_lint_rule_does_not(environment, done, tmp_path):
    environment.main()
    replace(tmp_path, '"polars>=', '"polars!=1.0,>=')
    environment.main()
    assert done == ["make", "install", "install"]
    replace(tmp_path, "line-length = 120", "line-length = 119")
    environment.main()
    assert done == ["make", "install", "install"]


def test_an_interrupted_install_is_gone_on_with(environment, done, tmp_path, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    environment.main()
    replace(tmp_path, '"polars>=', '"polars!=1.0,>=')
    with monkeypatch.context() as patch:
        patch.setattr(environment, "install", interrupted)
        with pytest.raises(KeyboardInterrupt):
            environment.main()
    replace(tmp_path, '"polars!=1.0,>=', '"polars>=')  # what stood before does not make the half of the new one whole
    environment.main()
    assert done == ["make", "install", "install"]


@pytest.mark.parametrize("found", [None, 10, 14])
def test_a_python_that_is_broken_or_not_supported_is_replaced(environment, done, monkeypatch, found):
    environment.main()
    monkeypatch.setattr(environment, "inside", lambda: found)
    environment.main()
    assert done == ["make", "install", "make", "install"]


def test_a_folder_that_moved_is_installed_again(environment, done, monkeypatch, tmp_path):
    environment.main()
    moved = shutil.copytree(tmp_path, tmp_path / "moved")
    monkeypatch.setattr(environment, "ROOT", moved)
    monkeypatch.setattr(environment, "STAMP", moved / ".venv" / "stamp")
    environment.main()
    assert done == ["make", "install", "install"]


def test_a_failed_install_ends_with_what_to_do(environment, monkeypatch):
    def failing():
        raise subprocess.CalledProcessError(1, ["pip", "install", "torch"])

    monkeypatch.setattr(environment, "install", failing)
    with pytest.raises(SystemExit, match=r"`pip install torch` failed\. `make venv` goes on where it stopped\."):
        environment.main()
    assert not environment.STAMP.exists()


def test_no_fitting_python_ends_with_what_to_do(environment, monkeypatch):
    monkeypatch.setattr(environment.shutil, "which", lambda _name: None)
    with pytest.raises(SystemExit, match=r"No Python 3\.11, 3\.12, 3\.13 with venv and pip was found\. Install one"):
        environment.find(SUPPORTED)


def test_a_python_counts_only_if_it_starts_and_has_what_is_needed(environment, tmp_path):
    broken = tmp_path / "python3.11"
    broken.symlink_to(tmp_path / "gone")
    assert environment.minor(broken, needs="pip") is None
    assert environment.minor(sys.executable, needs="no_such_module") is None
    assert environment.minor(sys.executable, needs="venv") == sys.version_info[1]


def test_the_supported_versions_are_those_of_the_project(environment):
    assert environment.supported((ROOT / "pyproject.toml").read_text(encoding="utf-8")) == SUPPORTED
    with pytest.raises(SystemExit, match="requires-python is not of the form"):
        environment.supported('requires-python = ">=3.11"')
