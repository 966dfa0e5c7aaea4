"""`plan`: what a mixture would hold, as a table that keeps every name whole, before any row is rendered."""

import pytest
from command import command, on_a_real_terminal, refused
from small_task import lines, task_file

ESTIMATED = (
    "~ is the size that a task file states, its pairs as long as in the sample; ? is not known before a first build"
)


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
    assert cells(told) == [["cherries", "sorting", *"??????"]]
    assert told.splitlines()[-4:] == [
        "the number of training pairs is not known yet",
        "measured: apples",
        "leaves: berries (berries -> apples (family orchard))",
        ESTIMATED,
    ]


def test_the_numbers_are_known_once_a_build_has_read_the_rows(file, tmp_path):
    path = file("tasks: [snli, sst2]\nhold_out: [snli]\ndata: sample\nphrasings: 2\n")
    assert command("build", path, tmp_path / "built").code == 0
    told = command("plan", path).out
    amount = cells(told)[0][3:7]
    assert cells(told) == [
        ["sst2", "sentiment", "22", *amount, "1"],
        ["cluster", "sentiment", *amount],
        ["setting", "zero_shot.options", *amount],
    ]
    assert (amount[:2], amount[3]) == (["44", "100.0%"], "100.0%")
    assert f"\n44 training pairs, about {amount[2]} tokens\nmeasured: snli\n" in told
    assert "?" not in told


def test_stated_sizes_are_marked_as_estimates(file):
    told = command("plan", file("tasks: [sst2]\nrates: {kind: equal}\nnum_pairs: 1000\n")).out
    assert "~67,349" in told
    assert told.endswith(f"{ESTIMATED}\n")


def test_long_names_stay_whole_in_a_narrow_terminal(file):
    lines = on_a_real_terminal("plan", file("tasks: [cb, sst2]\n"), columns=60)
    told = "\n".join(line for line in lines if line.startswith("│"))
    assert max(map(len, told.splitlines())) <= 60
    assert "".join(row[1] for row in cells(told)[:-3]).startswith("natural_language_inferencesentiment")


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


def test_a_recipe_goes_by_its_name_and_takes_other_values():
    code, told, err = command("plan", "flan2021_clusters", "--set", "data=sample", "--set", "num_clusters=2")
    assert (code, err) == (0, "")
    assert {row[1] for row in cells(told) if row[0] == "cluster"} == {"summarization", "translation"}
    assert "leaves: sst2 (cluster sentiment is not among the first 2 (num_clusters))\n" in told


def test_a_mixture_of_mixtures_is_summed_by_its_parts(file):
    text = "parts:\n  one: {weight: 3, tasks: [sst2]}\n  two: {weight: 1, tasks: [copa]}\nnum_pairs: 40\ndata: sample\n"
    told = command("plan", file(text)).out
    assert [row[:4] for row in cells(told) if row[0] == "part"] == [
        ["part", "one", "30", "75.0%"],
        ["part", "two", "10", "25.0%"],
    ]


def test_names_and_values_that_mean_nothing_are_refused(file):
    assert refused("plan", "flan2021x").startswith("flan2021x: neither a file nor a recipe; did you mean flan2021 or ")
    told = "--set num_clusters: give KEY=VALUE, such as num_clusters=3 or hold_out=[sentiment]"
    assert refused("plan", "flan2021", "--set", "num_clusters") == told
    assert refused("plan", "flan2021", "--set", "seeds=1") == "seeds: unknown key; did you mean seed?"
    assert refused("plan", file("tasks: [sst2]\n"), "--set", "seed=x") == "seed: input should be a valid integer"


def test_a_file_that_lacks_something_can_be_given_it(file):
    path = file("tasks: [sst2, copa]\nrates: {kind: equal}\nsead: 3\ndata: sample\n")
    assert refused("plan", path, "--set", "num_pairs=8") == f"{path}:3: sead: unknown key; did you mean seed?"
    path = file("tasks: [sst2, copa]\nrates: {kind: equal}\ndata: sample\nhold_out: [snly]\n")
    code, told, err = command("plan", path, "--set", "num_pairs=8", "--set", "hold_out=[]")
    assert (code, err) == (0, "")
    assert {row[0]: row[3] for row in cells(told)[:2]} == {"copa": "4", "sst2": "4"}
