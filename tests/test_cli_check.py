"""`check`: every problem of a folder at once, each with its file, its line and the way out."""

import io
from pathlib import Path

import pytest
from command import command, refused

TASK = """\
from instruction_kit import Files, Task, labels
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    source=Files({"train": "notes.csv"}),
    columns={"text": "note", "label": labels("stars", ["negative", "positive"])},
)
"""
TEMPLATE = "{{ text }}\n\n{{ options }}\n|||\n{{ answer }}\n"


def write(folder: Path, **files: str | bytes) -> Path:
    """Write files, `__` for a slash and `_dot_` for a dot."""
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def problems(folder: Path) -> list[str]:
    """What `check` says of a folder, without the folder's name."""
    code, out, err = command("check", folder)
    told = [line for line in out.splitlines() if ": advice: " not in line]
    assert f" {len(told)} problem" in err
    assert code == (1 if told else 0)
    return [line.replace(f"{folder}/", "") for line in told]


def test_a_sound_folder_is_counted_without_the_library(tmp_path):
    folder = write(tmp_path, tasks__moods__notes_dot_py=TASK, templates__notes__ask_dot_jinja=TEMPLATE)
    assert command("check", folder) == (0, "", "1 task, 1 template, 0 problems\n")


def test_an_empty_template_is_told_as_any_other(tmp_path):
    place = "templates/classification/void.jinja:1"
    assert problems(write(tmp_path, templates__classification__void_dot_jinja="")) == [
        f"{place}: lacks its output: a line `|||` and, below it, what the model is to answer",
        f"{place}: the prompt is the same for every row; print a field above `|||`",
    ]


def test_every_problem_of_every_file_is_told_at_once(tmp_path):
    folder = write(
        tmp_path,
        tasks__moods__broken_dot_py="import no_such_module\n",
        tasks__moods__columns_dot_py=TASK.replace('"text": "note"', '"txt": "note"'),
        tasks__moods__open_dot_py="task = Task(\n",
        tasks__Moods__empty_dot_py="",
        templates__classification__field_dot_jinja=TEMPLATE.replace("text", "txt"),
        templates__classification__output_dot_jinja="Premise:\n\n{{ premise }}\n",
        templates__classification__syntax_dot_jinja="{{ text }\n",
        templates__natural_language_inference__front_dot_jinja=(
            "---\nanswers: {entailmen: so}\nlanguage: [en]\n---\n{{ premise }} {{ hypothesis }}\n|||\n{{ answer }}\n"
        ),
    )
    known = "answer, label, options, rationale, text"
    assert problems(folder) == [
        "tasks/Moods/empty.py: the cluster name 'Moods' may only hold a-z, 0-9 and _",
        "tasks/Moods/empty.py: the file defines no `task = Task(…)`",
        "tasks/moods/broken.py:1: ModuleNotFoundError: No module named 'no_such_module'",
        (
            "tasks/moods/columns.py:4: Classification has no field txt; did you mean text?; "
            "columns lacks text, which Classification requires"
        ),
        "tasks/moods/open.py:1: SyntaxError: '(' was never closed (open.py, line 1)",
        "templates/classification/field.jinja:1: Classification has no field txt; did you mean text?",
        (
            "templates/classification/output.jinja:4: lacks its output: "
            "a line `|||` and, below it, what the model is to answer"
        ),
        f"templates/classification/output.jinja:3: Classification has no field premise; there are: {known}",
        "templates/classification/syntax.jinja:1: unexpected '}'",
        "templates/natural_language_inference/front.jinja:3: unknown key language; did you mean languages?",
        (
            "templates/natural_language_inference/front.jinja:2: answers has entailmen, which is no class here; "
            "did you mean entailment or not_entailment?"
        ),
    ]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise RuntimeError('no more')", "RuntimeError: no more"),
        ("import sys; sys.exit('enough')", "SystemExit: enough"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("input()", "EOFError: EOF when reading a line"),
        ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
        ("open('nowhere.txt')", "FileNotFoundError: [Errno 2] No such file or directory: 'nowhere.txt'"),
        ("task = 1\0", "SyntaxError: source code string cannot contain null bytes"),
    ],
)
def test_whatever_a_task_file_raises_is_told_and_stops_no_other(code, told, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    folder = write(tmp_path, tasks__moods__a_dot_py=code, tasks__moods__b_dot_py="")
    first, second = problems(folder)
    assert first.startswith("tasks/moods/a.py")
    assert told in first
    assert second == "tasks/moods/b.py: the file defines no `task = Task(…)`"


def test_two_tasks_of_one_name_are_told_beside_all_else(tmp_path):
    folder = write(
        tmp_path,
        tasks__moods__notes_dot_py=TASK,
        tasks__sorting__notes_dot_py=TASK,
        templates__notes__ask_dot_jinja=TEMPLATE.replace("text", "txt"),
    )
    assert problems(folder) == [
        f"tasks/sorting/notes.py: a task of this name stands in {folder}/tasks/moods/notes.py too; rename one".replace(
            f"{folder}/", ""
        ),
        "templates/notes/ask.jinja:1: Classification has no field txt; did you mean text?",
    ]


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ("{postive: good}", "answers has postive, which is no class here; did you mean positive?"),
        ("{positive: bad, negative: bad}", "gives two classes of task notes the same words: bad, bad"),
        ("{positive: negative}", "gives two classes of task notes the same words: negative, negative"),
    ],
)
def test_the_answer_words_of_a_template_are_held_against_the_classes_of_its_tasks(answers, problem, tmp_path):
    template = f"---\nstyle: letters\nanswers: {answers}\n---\n{TEMPLATE}".replace("style: letters\n", "")
    folder = write(tmp_path, tasks__moods__notes_dot_py=TASK, templates__notes__ask_dot_jinja=template)
    assert problems(folder) == [f"templates/notes/ask.jinja:2: {problem}"]


def test_answer_words_for_a_schema_without_classes_are_refused(tmp_path):
    template = "---\nanswers: {one: 1}\n---\n{{ question }}\n|||\n{{ answer }}\n"
    folder = write(tmp_path, templates__math_word_problem__ask_dot_jinja=template)
    assert problems(folder) == [
        (
            "templates/math_word_problem/ask.jinja:2: answers names words for classes, and MathWordProblem has none; "
            "take it out"
        )
    ]


def test_a_folder_of_templates_that_belongs_to_nothing_is_told_with_the_nearest_name(tmp_path):
    folder = write(tmp_path, templates__clasification__ask_dot_jinja="{{ text }\n")
    assert problems(folder) == [
        (
            "templates/clasification/ask.jinja: the folder clasification is neither a schema nor a task; "
            "did you mean classification?"
        ),
        "templates/clasification/ask.jinja:1: unexpected '}'",
    ]


def test_templates_of_a_task_that_cannot_be_used_are_not_told_to_belong_to_nothing(tmp_path):
    folder = write(
        tmp_path,
        tasks__moods__notes_dot_py="task = None\n",
        templates__notes__ask_dot_jinja=TEMPLATE,
        templates__notes__Upper_dot_jinja=TEMPLATE,
        templates__notes__bytes_dot_jinja=b"\xff" + TEMPLATE.encode(),
    )
    assert problems(folder) == [
        "tasks/moods/notes.py: the file defines no `task = Task(…)`",
        "templates/notes/Upper.jinja: the name of a template may only hold a-z, 0-9 and _",
        "templates/notes/bytes.jinja: not UTF-8 (invalid start byte at byte 0)",
    ]


def test_a_schema_of_ones_own_takes_its_templates_from_the_folder_of_its_name(tmp_path):
    schema = """\
from instruction_kit import Files, Task
from instruction_kit.schema import Free, LongText, Schema, Text


class Haiku(Schema):
    target = Free("poem")
    theme: Text
    poem: LongText


task = Task(schema=Haiku, source=Files({"train": "haiku.csv"}), columns={"theme": "theme", "poem": "poem"})
"""
    folder = write(tmp_path, tasks__writing__poems_dot_py=schema)
    assert problems(folder) == [
        "tasks/writing/poems.py: no template serves it; write one in templates/haiku/ or templates/poems/"
    ]
    assert "advice" not in command("check", folder).out
    write(folder, templates__haiku__ask_dot_jinja="{{ them }}\n|||\n{{ answer }}\n")
    assert problems(folder) == ["templates/haiku/ask.jinja:1: Haiku has no field them; did you mean theme?"]


def test_files_that_lie_where_none_is_found_are_told(tmp_path):
    folder = write(
        tmp_path,
        tasks__notes_dot_py=TASK,
        tasks__moods__deep__notes_dot_py=TASK,
        templates__ask_dot_jinja=TEMPLATE,
        templates__classification__deep__ask_dot_jinja=TEMPLATE,
        templates__classification__ask_dot_j2=TEMPLATE,
        templates__classification__ask_dot_jinja2=TEMPLATE,
    )
    task, template = "a task file lies at tasks/<cluster>/<task>.py", "a template lies at templates/<schema or task>"
    assert problems(folder) == [
        f"tasks/notes.py: {task}",
        f"tasks/moods/deep/notes.py: {task}",
        f"templates/ask.jinja: {template}/<name>.jinja",
        f"templates/classification/deep/ask.jinja: {template}/<name>.jinja",
        "templates/classification/ask.jinja2: the suffix of a template is .jinja",
        "templates/classification/ask.j2: the suffix of a template is .jinja",
    ]


def test_what_is_no_file_is_told(tmp_path):
    (tmp_path / "tasks/moods/notes.py").mkdir(parents=True)
    (tmp_path / "templates/classification/ask.jinja").mkdir(parents=True)
    first, second = problems(tmp_path)
    assert first.startswith("tasks/moods/notes.py: IsADirectoryError:")
    assert second == "templates/classification/ask.jinja: cannot be read: Is a directory"


def test_several_folders_are_checked_together(tmp_path):
    tasks = write(tmp_path / "tasks_here", tasks__moods__notes_dot_py=TASK)
    templates = write(tmp_path / "templates_there", templates__notes__ask_dot_jinja=TEMPLATE)
    assert command("check", tasks, templates) == (0, "", "1 task, 1 template, 0 problems\n")


def test_a_folder_that_is_none_is_told_with_what_to_name(tmp_path):
    wanted = "name a folder that holds tasks/ or templates/ or both"
    (tmp_path / "file").touch()
    assert refused("check", tmp_path / "nowhere") == f"{tmp_path / 'nowhere'}: does not exist; {wanted}"
    assert refused("check", tmp_path / "file") == f"{tmp_path / 'file'}: is a file; {wanted}"
    assert refused("check", tmp_path) == f"{tmp_path}: has neither a tasks/ nor a templates/ folder; {wanted}"


def test_problems_are_never_wrapped(tmp_path):
    """So that an editor finds `file:line`, however narrow the terminal."""
    folder = write(tmp_path / ("long" * 30), templates__notes__ask_dot_jinja="{{ text }\n")
    assert len(problems(folder)) == 2


def test_every_line_of_an_exemplar_file_is_checked(tmp_path):
    lines = '{"text": "Good.", "label": "positive"}\n{"text": "Bad.", "label": "bad"}\n[]\n'
    stray = {"tasks__moods__other_dot_exemplars_dot_jsonl": lines}
    write(tmp_path, tasks__moods__notes_dot_py=TASK, templates__notes__ask_dot_jinja=TEMPLATE)
    assert problems(write(tmp_path, tasks__moods__notes_dot_exemplars_dot_jsonl=lines, **stray)) == [
        "tasks/moods/notes.exemplars.jsonl:2: bad is none of the task's classes; there are: negative, positive",
        "tasks/moods/notes.exemplars.jsonl:3: no JSON object; write the fields of one example in a line",
        "tasks/moods/other.exemplars.jsonl: there is no task file of this name beside it, so nothing reads it",
    ]
