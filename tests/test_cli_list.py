"""`list`: what lies on the search path, whole as JSON, and as tables that lose no name."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from command import command, on_a_real_terminal, on_a_terminal, refused
from small_task import phrasings, task_file

from instruction_kit.cli.option import Kind
from instruction_kit.holdout import LEAVE_TOGETHER
from instruction_kit.library import library_folder

KINDS = get_args(Kind)
LIBRARY = library_folder()

OWN_TASK = '''
from instruction_kit import Files, Task
from instruction_kit.schema import Free, LongText, Schema, Text


class Haiku(Schema):
    """A short poem on a theme."""

    target = Free("poem")
    theme: Text
    poem: LongText
    season: Text | None = None


task = Task(
    schema=Haiku,
    source=Files({"train": "haiku.csv", "test": "test.csv"}),
    columns={"theme": "theme", "poem": "poem"},
    license="cc0-1.0",
    languages=["ja"],
    families=["old_pond"],
    sizes={"train": 17},
)
'''


def listed(kind: str, *paths: Path) -> dict[str, dict[str, Any]]:
    """Name -> entry, as `--json` tells them."""
    options = [part for path in paths for part in ("--path", path)]
    code, out, err = command("list", kind, "--json", *options)
    assert (code, err) == (0, "")
    ((told, entries),) = json.loads(out).items()
    assert told == kind
    names = [entry["name"] for entry in entries]
    assert names == sorted(names)
    return dict(zip(names, entries, strict=True))


@pytest.fixture
def haiku(tmp_path):
    """A folder with a task over a schema of its own, and phrasings for it."""
    path = tmp_path / "tasks/poetry/poems.py"
    path.parent.mkdir(parents=True)
    path.write_text(OWN_TASK)
    texts = {
        "haiku/on": "---\nlanguages: [en, ja]\n---\nWrite about {{ theme }}.\n|||\n{{ answer }}",
        "haiku/about": "{{ poem }}\n\nWhat is it about?\n|||\n{{ theme }}",
        "poems/reason": "{{ theme }}\n|||\n{{ rationale }}\nSo: {{ answer }}",
    }
    return phrasings(tmp_path, texts)


def test_every_task_file_of_the_library_is_listed():
    assert set(listed("tasks")) == {path.stem for path in LIBRARY.glob("tasks/*/*.py")}


def test_every_template_file_of_the_library_is_listed():
    files = {f"{path.parent.name}/{path.stem}" for path in LIBRARY.glob("templates/*/*.jinja")}
    assert set(listed("templates")) == files


def test_the_clusters_hold_every_task_once_and_say_what_leaves_with_them():
    found = listed("clusters")
    assert sorted(name for entry in found.values() for name in entry["tasks"]) == sorted(listed("tasks"))
    assert {name: tuple(entry["leaves_with"]) for name, entry in found.items() if entry["leaves_with"]} == {
        name: others for name, others in LEAVE_TOGETHER.items() if name in found
    }


def test_families_name_their_tasks():
    tasks = listed("tasks")
    for name, entry in listed("families").items():
        assert entry == {"name": name, "tasks": [task for task in tasks if name in tasks[task]["families"]]}


def test_schemas_count_their_tasks_and_templates():
    tasks, templates = listed("tasks"), listed("templates")
    for name, entry in listed("schemas").items():
        assert entry["tasks"] == [task for task in tasks if tasks[task]["schema"] == name]
        assert entry["templates"] == sum(t.startswith(f"{entry['folder']}/") for t in templates)
        assert "rationale" in entry["optional"]
        assert entry["meaning"]


def test_a_task_of_ones_own_is_listed_with_all_that_its_file_says(haiku):
    assert listed("tasks", haiku)["poems"] == {
        "name": "poems",
        "cluster": "poetry",
        "schema": "Haiku",
        "source": "files",
        "hub": None,
        "splits": {"train": 17, "test": None},
        "license": "cc0-1.0",
        "status": "usable",
        "languages": ["ja"],
        "families": ["old_pond"],
        "metrics": ["accuracy"],
        "file": str(haiku / "tasks/poetry/poems.py"),
    }
    assert listed("tasks")["sst2"]["hub"] == "nyu-mll/glue:sst2"


def test_templates_say_what_they_ask_for(haiku):
    found = listed("templates", haiku)
    assert found["haiku/on"] == {
        "name": "haiku/on",
        "schema": "Haiku",
        "task": None,
        "output": "answer",
        "options": "none",
        "style": None,
        "languages": ["en", "ja"],
        "file": str(haiku / "templates/haiku/on.jinja"),
    }
    assert found["haiku/about"]["output"] == "inverted"
    assert (found["poems/reason"]["output"], found["poems/reason"]["task"]) == ("rationale", "poems")
    assert found["classification/pick_one_option"]["options"] == "needed"
    assert found["classification/answer_in_a_sentence"]["options"] == "shown"


def test_a_schema_of_ones_own_is_listed(haiku):
    assert listed("schemas", haiku)["Haiku"] == {
        "name": "Haiku",
        "folder": "haiku",
        "answer": "free",
        "required": ["theme", "poem"],
        "optional": ["rationale", "season"],
        "tasks": ["poems"],
        "templates": 2,
        "meaning": "A short poem on a theme.",
    }


def test_clusters_and_families_of_ones_own_are_listed(haiku):
    assert listed("clusters", haiku)["poetry"] == {"name": "poetry", "tasks": ["poems"], "leaves_with": []}
    assert listed("families", haiku)["old_pond"] == {"name": "old_pond", "tasks": ["poems"]}


def test_recipes_are_the_yaml_files_under_recipes(tmp_path):
    for name, text in {"a.yaml": "# Two tasks, one held out\ntasks: all\n", "deep/b.yml": "tasks: all\n"}.items():
        (tmp_path / "recipes" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "recipes" / name).write_text(text)
    mine = {name: entry for name, entry in listed("recipes", tmp_path).items() if str(tmp_path) in entry["file"]}
    assert mine == {
        "a": {"name": "a", "meaning": "Two tasks, one held out", "file": str(tmp_path / "recipes/a.yaml")},
        "b": {"name": "b", "meaning": "", "file": str(tmp_path / "recipes/deep/b.yml")},
    }


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_is_cut_on_a_narrow_terminal(kind, haiku):
    lines = on_a_terminal("list", kind, "--path", haiku)
    assert max(len(line.rstrip()) for line in lines) <= 80
    for name in listed(kind, haiku):
        assert any(line.startswith(name) for line in lines) or any(
            name.startswith(line.split(" ")[0]) for line in lines
        )


def test_a_real_terminal_shows_what_the_tests_take_for_one():
    shown, real = on_a_terminal("list", "tasks"), on_a_real_terminal("list", "tasks")
    assert [line.rstrip() for line in real] == [line.rstrip() for line in shown]


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_reads_one_line_an_entry_and_no_colour(kind, haiku):
    out = command("list", kind, "--path", haiku).out
    assert "\x1b" not in out
    if names := list(listed(kind, haiku)):
        assert [line.split()[0] for line in out.splitlines()[2:]] == names


def test_what_cannot_be_used_is_told_as_check_tells_it(tmp_path):
    task_file(tmp_path, "broken", train="").write_text("import nothing_here\n")
    path = tmp_path / "tasks/sorting/broken.py"
    assert refused("list", "tasks", "--path", tmp_path) == (
        f"{path}:1: ModuleNotFoundError: No module named 'nothing_here'"
    )
    path.unlink()
    phrasings(tmp_path, {"clasification/one": "{{ text }}", "classification/two": "{{ txt }}\n|||\n{{ answer }}"})
    assert refused("list", "templates", "--path", tmp_path).splitlines() == [
        (
            f"{tmp_path}/templates/clasification/one.jinja: the folder clasification is neither a schema nor a task; "
            "did you mean classification?"
        ),
        f"{tmp_path}/templates/classification/two.jinja:1: Classification has no field txt; did you mean text?",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_that_is_none_is_told(kind, tmp_path):
    assert refused("list", kind, "--path", tmp_path / "nowhere").startswith(f"{tmp_path / 'nowhere'}: does not exist; ")


def test_a_kind_that_is_none_is_told_with_the_nearest_or_with_those_there_are():
    code, out, err = command("list", "things")
    assert (code, out) == (2, "")
    assert all(kind in err for kind in KINDS)
    code, out, err = command("list", "recipe")
    assert (code, out) == (2, "")
    assert "Invalid value for 'KIND': there is no kind recipe; did you mean recipes?" in err
