"""Folders of the user's own: named on the command line or in the environment, and what they override, said aloud."""

import pytest
from command import command
from small_task import lines, task_file

TEMPLATE = "{{ text }}\n\nYes or no?\n|||\n{{ answer }}\n"
MIXTURE = "tasks: [notes]\nnum_validation: 0\n"


@pytest.fixture
def mine(tmp_path):
    """A folder with a task of its own, one in place of the library's, and so a template."""
    task_file(tmp_path / "mine", "notes", train=lines(9))
    task_file(tmp_path / "mine", "sst2", train=lines(9))
    folder = tmp_path / "mine/templates/classification"
    folder.mkdir(parents=True)
    (folder / "pick_one_option.jinja").write_text(TEMPLATE)
    return tmp_path / "mine"


def test_what_a_folder_overrides_is_said_aloud(mine):
    told = f"{mine}: in place of others of these names: classification/pick_one_option, sst2\n"
    code, out, err = command("list", "tasks", "--path", mine)
    assert (code, err) == (0, told)
    assert any(line.split()[:2] == ["sst2", "sorting"] for line in out.splitlines())
    out = command("preview", "sst2", "--path", mine, "--template", "pick_one_option").out
    assert "line 0" in out
    assert "Yes or no?" in out


def test_the_environment_may_name_folders_too(mine, tmp_path, monkeypatch):
    task_file(tmp_path / "more", "others", train=lines(9))
    monkeypatch.setenv("INSTRUCTION_KIT_PATH", f"{mine}:{tmp_path / 'more'}")
    assert [command("preview", name).code for name in ("notes", "others")] == [0, 0]
    told = f"{mine}: by INSTRUCTION_KIT_PATH; in place of others of these names: classification/pick_one_option, sst2\n"
    assert command("list", "tasks").err == f"{told}{tmp_path / 'more'}: by INSTRUCTION_KIT_PATH\n"
    monkeypatch.delenv("INSTRUCTION_KIT_PATH")
    assert command("preview", "notes").code == 1


def test_a_later_folder_counts(mine, tmp_path):
    task_file(tmp_path / "later", "notes", cluster="elsewhere", train=lines(9))
    code, out, err = command("list", "tasks", "--path", mine, "--path", tmp_path / "later")
    assert code == 0
    assert [line.split()[1] for line in out.splitlines() if line.startswith("notes ")] == ["elsewhere"]
    assert err.endswith(f"{tmp_path / 'later'}: in place of others of these names: notes\n")


@pytest.mark.parametrize("written", ["", "paths: [mine]\n"])
def test_a_mixture_takes_folders_from_the_command_line_behind_its_own(written, mine, tmp_path):
    (tmp_path / "mixture.yaml").write_text(MIXTURE + written)
    more = () if written else ("--path", mine)
    code, out, err = command("plan", tmp_path / "mixture.yaml", *more)
    assert (code, err.split(": ")[0]) == (0, str(mine))
    assert "notes" in out
    assert command("build", tmp_path / "mixture.yaml", tmp_path / "out", *more).code == 0


def test_an_unknown_task_of_a_mixture_is_known_once_its_folder_is_named(mine, tmp_path):
    (tmp_path / "mixture.yaml").write_text(MIXTURE)
    assert "notes is neither a task" in command("plan", tmp_path / "mixture.yaml").err
    assert command("plan", tmp_path / "mixture.yaml", "--path", mine).code == 0


def test_check_looks_at_the_folders_of_the_environment_unless_others_are_named(mine, tmp_path, monkeypatch):
    (mine / "templates/notes").mkdir()
    (mine / "templates/notes/odd.jinja").write_text("{{ txt }}\n|||\n{{ answer }}\n")
    monkeypatch.setenv("INSTRUCTION_KIT_PATH", str(mine))
    told = f"{mine}: by INSTRUCTION_KIT_PATH; in place of others of these names: classification/pick_one_option, sst2\n"
    code, out, err = command("check")
    assert (code, err.startswith(told)) == (1, True)
    assert out.startswith(f"{mine}/templates/notes/odd.jinja:1: Classification has no field txt; did you mean text?\n")

    (mine / "templates/notes/odd.jinja").unlink()
    folder = tmp_path / "beside/templates/notes"
    folder.mkdir(parents=True)
    (folder / "even.jinja").write_text("{{ text }}\n\nHigh or low?\n|||\n{{ answer }}\n")
    assert command("check", tmp_path / "beside") == (0, "", f"{told}0 tasks, 1 template, 0 problems\n")
    monkeypatch.delenv("INSTRUCTION_KIT_PATH")
    assert "the folder notes is neither a schema nor a task" in command("check", tmp_path / "beside").out
    assert command("check", tmp_path / "beside", "--path", mine).code == 0


def test_a_task_that_takes_a_name_with_phrasings_of_another_schema_is_told(tmp_path):
    path = task_file(tmp_path, "copa", train=lines(9))
    code, out, _ = command("check", tmp_path)
    assert code == 1
    (told,) = out.splitlines()[:1]
    assert told.startswith(f"{path}: the phrasings in ")
    assert told.endswith(
        "templates/copa are for a task of this name, and not for Classification; give the task another name"
    )
