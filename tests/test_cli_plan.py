"""`plan`: what a mixture would hold, as a table that keeps every name whole, before any row is rendered."""

import pytest
from command import command, on_a_real_terminal, refused
from small_task import lines, task_file


def cells(table: str) -> list[list[str]]:
    """Of each line of the table's body."""
    lines = [line.split("│")[1:-1] for line in table.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line] for line in lines]


@pytest.fixture
def file(tmp_path):
    """Write a mixture and give its path."""

    def write(text):
        path = tmp_path / "mixture.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_what_trains_what_is_measured_and_what_leaves(file, tmp_path):
    for name in ("apples", "berries", "cherries"):
        path = task_file(tmp_path, name, train=lines(9, start=40))  # rows that no other test has scanned
        if name != "cherries":
            path.write_text(path.read_text().replace('license="mit"', 'license="mit", families=["orchard"]'))
    code, told, err = command("plan", file("tasks: [sorting]\npaths: [.]\nhold_out: [apples]\n"))
    assert (code, err) == (0, "")
    assert told.splitlines()[0] == "training"
    assert cells(told) == [["cherries", "sorting", "?", "?", "?", "?"]]
    assert told.splitlines()[-4:] == [
        "the number of training pairs is not known yet",
        "measured: apples",
        "leaves: berries (berries -> apples (family orchard))",
        "~ is the size that a task file states; ? is not known before a first build",
    ]


def test_the_numbers_are_known_once_a_build_has_read_the_rows(file, tmp_path):
    path = file("tasks: [snli, sst2]\nhold_out: [snli]\ndata: sample\nphrasings: 2\n")
    assert command("build", path, tmp_path / "built").code == 0
    told = command("plan", path).out
    assert cells(told) == [["sst2", "sentiment", "22", "44", "100.0%", "1"]]
    assert "\n44 training pairs\nsettings: zero_shot.options 100.0%\nmeasured: snli\n" in told
    assert "?" not in told


def test_stated_sizes_are_marked_as_estimates(file):
    told = command("plan", file("tasks: [sst2]\nrates: {kind: equal}\nnum_pairs: 1000\n")).out
    assert "~67,349" in told
    assert told.endswith("~ is the size that a task file states; ? is not known before a first build\n")


def test_long_names_stay_whole_in_a_narrow_terminal(file):
    lines = on_a_real_terminal("plan", file("tasks: [cb, sst2]\n"), columns=60)
    told = "\n".join(line for line in lines if line.startswith("│"))
    assert max(map(len, told.splitlines())) <= 60
    assert "".join(row[1] for row in cells(told)) == "natural_language_inferencesentiment"


def test_files_lie_under_the_data_folder_that_is_named(file, tmp_path):
    task_file(tmp_path, "notes", train=lines(30))
    path = file("tasks: [notes]\npaths: [.]\n")
    assert command("build", path, tmp_path / "built", "--data-dir", tmp_path / "tasks/sorting").code == 0
    assert " 26 " in command("plan", path, "--data-dir", tmp_path / "tasks/sorting").out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tasks: [snly]\n", "{}:1: tasks: snly is neither a task nor a cluster; did you mean snli"),
        ("data: sample\nrate: {}\n", "{}:2: rate: unknown key; did you mean rates?"),
        ("tasks: [sst2\n", "{}:2: expected ',' or ']', but got '<stream end>'"),
        ("[1, 2]\n", "{}:1: expected `key: value` lines"),
        (b"\xff", "{}: not UTF-8 (invalid start byte at byte 0)"),
        ("tasks: [sst2]\nhold_out: [sst]\n", "{}:2: hold_out: "),
        ("tasks: [sst2]\npaths: [nowhere]\n", "{}:2: paths: "),
    ],
)
def test_a_mixture_that_cannot_be_is_refused_with_its_line(text, words, file):
    path = file(text)
    assert refused("plan", path).startswith(words.format(path))


def test_a_file_that_is_none_is_refused(tmp_path):
    assert refused("plan", tmp_path / "no.yaml") == f"{tmp_path / 'no.yaml'}: no such file"
    assert refused("plan", tmp_path) == f"{tmp_path}: is a folder; name a YAML file"
