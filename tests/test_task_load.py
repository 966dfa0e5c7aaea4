"""Task files: found by their place, run once, and refused with file and line."""

import sys
from pathlib import Path

import pytest

from instruction_kit.errors import TaskError
from instruction_kit.library import library_folder
from instruction_kit.task import load_task, load_tasks, task_files

GOOD = '''"""Kitchen notes."""

from instruction_kit import Files, Task, labels
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    source=Files({"train": "a.csv"}),
    columns={"text": "note", "label": labels("stars", ["negative", "positive"])},
)
'''


def write(folder: Path, code: str = GOOD, *, name: str = "notes", cluster: str = "sentiment") -> Path:
    path = folder / "tasks" / cluster / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code, encoding="utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(TaskError) as error:
        load_task(path)
    return str(error.value)


def test_a_task_is_named_by_its_file_and_its_cluster_by_its_folder(tmp_path):
    path = write(tmp_path)
    task = load_task(path)
    assert (task.name, task.cluster, task.path) == ("notes", "sentiment", path)


def test_a_later_folder_adds_tasks_and_overrides_those_of_an_earlier_one(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    write(first, name="a")
    write(first, name="b")
    own = write(second, name="b", cluster="other")
    assert task_files([first, second]) == {"a": first / "tasks" / "sentiment" / "a.py", "b": own}
    assert load_tasks([first, second])["b"].cluster == "other"


def test_two_files_of_one_name_in_one_folder_are_refused(tmp_path):
    first, second = write(tmp_path, cluster="a"), write(tmp_path, cluster="b")
    with pytest.raises(TaskError) as error:
        task_files([tmp_path])
    assert str(error.value) == f"{second}: a task of this name stands in {first} too; rename one"


def test_an_unknown_task_is_told_with_the_nearest_one():
    with pytest.raises(TaskError) as error:
        load_tasks([library_folder()], names=["snil", "gsm"])
    assert str(error.value) == "no task snil; did you mean snli or esnli?\nno task gsm; did you mean gsm8k?"


def test_every_file_that_cannot_be_used_is_told_at_once(tmp_path):
    first, second = write(tmp_path, "x = 1\n", name="a"), write(tmp_path, "y = \n", name="b")
    with pytest.raises(TaskError) as error:
        load_tasks([tmp_path], names=["a", "b", "c"])
    assert str(error.value) == (
        f"{first}: the file defines no `task = Task(…)`\n{second}:1: SyntaxError: invalid syntax (b.py, line 1)\n"
        "no task c; there are: a, b"
    )


def test_a_file_that_does_not_parse_is_refused_with_its_line(tmp_path):
    path = write(tmp_path, GOOD.replace('"note",', '"note" 7,'))
    assert refused(path) == (f"{path}:9: SyntaxError: invalid syntax. Perhaps you forgot a comma? (notes.py, line 9)")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("import Files", "import Filez", 3, "ImportError: cannot import name 'Filez' from 'instruction_kit'"),
        ("from instruction_kit.schema", "from instruction_kit.scheme", 4, "ModuleNotFoundError: No module named"),
        ("task = Task(", "lacking\ntask = Task(", 6, "NameError: name 'lacking' is not defined"),
        ("task = Task(", "task = Tsk(", 6, "NameError: name 'Tsk' is not defined; did you mean Task?"),
        ("task = Task(", "label\ntask = Task(", 6, "NameError: name 'label' is not defined; did you mean"),
        ("task = Task(", "1 / 0\ntask = Task(", 6, "ZeroDivisionError: division by zero"),
        ("task = Task(", "[][0]\ntask = Task(", 6, "IndexError: list index out of range"),
        ("task = Task(", "open('gone')\ntask = Task(", 6, "FileNotFoundError: [Errno 2] No such file or directory"),
        ("task = Task(", "assert False, 'no'\ntask = Task(", 6, "AssertionError: no"),
        ('"text": "note"', '"text": 7', 6, "text: 7 is no column; give a column's name, a Polars expression"),
        ('"text": "note"', '"txet": "note"', 6, "Classification has no field txet; did you mean text?"),
        ("schema=", "schem=", 6, "schema: is required; schem: unknown key; did you mean schema"),
        ("schema=Classification", "schema=dict", 6, "schema: Input should be a subclass of Schema"),
        (
            'Files({"train"',
            'Files({"dev"',
            8,
            "Files: splits.dev: Input should be 'train', 'validation', 'test' or 'exemplars'",
        ),
        ('"a.csv"}', '"a.csv"}, quotng="none"', 8, "Files: no key quotng; did you mean quoting?"),
        (
            'labels("stars", ["negative", "positive"])',
            'labels("stars", [])',
            9,
            "labels('stars'): 0 classes, 0 names; give one name for each class",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line_and_the_way_out(old, new, line, words, tmp_path):
    path = write(tmp_path, GOOD.replace(old, new))
    assert refused(path).startswith(f"{path}:{line}: {words}")


@pytest.mark.parametrize("code", ["", "task = 7\n", '"""Only words."""\n'])
def test_a_file_without_a_task_is_refused(code, tmp_path):
    path = write(tmp_path, code)
    assert refused(path) == f"{path}: the file defines no `task = Task(…)`"


@pytest.mark.parametrize(
    ("name", "cluster", "words"),
    [
        ("My-notes", "sentiment", "the task name 'My-notes' may only hold a-z, 0-9 and _"),
        ("notes", "Sentiment", "the cluster name 'Sentiment' may only hold a-z, 0-9 and _"),
        ("notes", "dot.ted", "the cluster name 'dot.ted' may only hold a-z, 0-9 and _"),
    ],
)
def test_names_hold_few_characters(name, cluster, words, tmp_path):
    path = write(tmp_path, name=name, cluster=cluster)
    assert refused(path) == f"{path}: {words}"


def test_a_file_that_is_not_utf_8_is_refused_by_name(tmp_path):
    path = write(tmp_path)
    path.write_bytes(b"# caf\xe9\n")
    assert refused(path).startswith(f"{path}: UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe9")


def test_a_task_file_is_run_and_never_imported(tmp_path):
    write(tmp_path)
    before = set(sys.modules)
    load_tasks([tmp_path])
    assert {name for name in set(sys.modules) - before if "notes" in name} == set()
