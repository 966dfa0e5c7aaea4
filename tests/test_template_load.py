"""Template files: found by their place, read as they are now, and refused with file and line."""

from pathlib import Path

import pytest

from instruction_kit.errors import TemplateError
from instruction_kit.library import library_folder
from instruction_kit.schema import MathWordProblem, NaturalLanguageInference
from instruction_kit.template import load_template, template_files, templates_of

GOOD = "{{ premise }} {{ hypothesis }}\n|||\n{{ answer }}\n"


def write(folder: Path, name: str, text: str = GOOD) -> Path:
    path = folder / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def of_rte(*folders: Path) -> list[str]:
    return [t.name for t in templates_of(folders, schema=NaturalLanguageInference, task="rte")]


def test_a_task_has_the_phrasings_of_its_schema_and_its_own(tmp_path):
    write(tmp_path, "natural_language_inference/b.jinja")
    write(tmp_path, "rte/a.jinja")
    write(tmp_path, "snli/c.jinja")
    assert of_rte(tmp_path) == ["natural_language_inference/b", "rte/a"]


def test_a_later_folder_adds_phrasings_and_overrides_those_of_an_earlier_one(tmp_path):
    write(tmp_path / "one", "rte/a.jinja")
    write(tmp_path / "one", "rte/b.jinja")
    own = write(tmp_path / "two", "rte/a.jinja", "Mine: {{ premise }}\n|||\n{{ answer }}")
    assert template_files([tmp_path / "one", tmp_path / "two"])["rte/a"] == own
    assert of_rte(tmp_path / "one", tmp_path / "two") == ["rte/a", "rte/b"]


def test_a_file_that_was_edited_is_read_anew(tmp_path):
    path = write(tmp_path, "rte/a.jinja")
    values = {"premise": "p", "hypothesis": "h"}
    assert load_template(path, NaturalLanguageInference).prompt(values) == "p h"
    write(tmp_path, "rte/a.jinja", GOOD.replace("{{ premise }}", "Now"))
    assert load_template(path, NaturalLanguageInference).prompt(values) == "Now h"


def test_windows_files_are_the_same_templates(tmp_path):
    path = write(tmp_path, "rte/a.jinja", "---\r\nnotes: x\r\n---\r\n" + GOOD.replace("\n", "\r\n"))
    assert load_template(path, NaturalLanguageInference).prompt({"premise": "p", "hypothesis": "h"}) == "p h"


def test_all_files_that_cannot_be_used_are_told_at_once(tmp_path):
    first = write(tmp_path, "rte/a.jinja", "{{ premis }}\n|||\n{{ answer }}")
    second = write(tmp_path, "rte/b.jinja", "{{ premise }}\n{{ answer }}")
    with pytest.raises(TemplateError) as error:
        of_rte(tmp_path)
    assert str(error.value) == (
        f"{first}:1: NaturalLanguageInference has no field premis; did you mean premise?\n"
        f"{second}:2: lacks its output: a line `|||` and, below it, what the model is to answer"
    )


def test_a_task_without_any_phrasing_is_told_where_to_write_one(tmp_path):
    with pytest.raises(TemplateError) as error:
        of_rte(tmp_path)
    assert str(error.value) == (
        "task rte: no template for it; write one in templates/natural_language_inference/ or templates/rte/"
    )


@pytest.mark.parametrize("name", ["My-words", "two words", "Ü", "a.b"])
def test_the_name_of_a_template_holds_few_characters(name, tmp_path):
    path = write(tmp_path, f"rte/{name}.jinja")
    with pytest.raises(TemplateError) as error:
        load_template(path, NaturalLanguageInference)
    assert str(error.value) == f"{path}: the name of a template may only hold a-z, 0-9 and _"


def test_a_file_that_is_not_utf_8_is_told_with_the_byte(tmp_path):
    path = write(tmp_path, "rte/a.jinja")
    path.write_bytes(b"caf\xe9 " + GOOD.encode())
    with pytest.raises(TemplateError) as error:
        load_template(path, NaturalLanguageInference)
    assert str(error.value) == f"{path}: not UTF-8 (invalid continuation byte at byte 3)"


def test_a_byte_order_mark_is_told(tmp_path):
    path = write(tmp_path, "rte/a.jinja", "\ufeff" + GOOD)
    with pytest.raises(TemplateError) as error:
        load_template(path, NaturalLanguageInference)
    assert str(error.value) == f"{path}:1: starts with a byte order mark; save it as UTF-8 without one"


def test_the_shipped_phrasings_of_a_task_stand_in_the_order_of_their_names():
    names = [t.name for t in templates_of([library_folder()], schema=MathWordProblem, task="gsm8k")]
    assert names == sorted(names)
    assert "math_word_problem/step_by_step" in names
