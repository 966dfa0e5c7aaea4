"""`probe`: does a source look as its task file says."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from instruction_kit.cli.app import app
from instruction_kit.cli.probe import Probed, probe
from instruction_kit.library import search_path
from instruction_kit.task.load import load_tasks

TASK = """
from instruction_kit import Files, Task, labels
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    source=Files({splits}),
    columns={{"text": "text", "label": labels({column!r}, ["bad", "good"])}},
)
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "tasks" / "mood").mkdir(parents=True)
    (tmp_path / "rows.jsonl").write_text(
        "".join(f'{{"text": "Note {n}", "mood": {n % 2}, "odd": {7 if n else 0}}}\n' for n in range(30)) + "{broken\n",
        encoding="utf-8",
    )
    (tmp_path / "empty.jsonl").write_text("", encoding="utf-8")
    return Path(tmp_path)


def write(folder: Path, name: str, *, splits: dict[str, str], column: str = "mood") -> None:
    text = TASK.format(splits=splits, column=column)
    (folder / "tasks" / "mood" / f"{name}.py").write_text(text, encoding="utf-8")


def probed(folder: Path, name: str, rows: int = 100) -> list[Probed]:
    tasks = load_tasks(search_path([folder]), names=[name])
    return list(probe(list(tasks.values()), rows=rows, data_dir=folder))


def test_a_split_that_fits_tells_what_became_of_its_rows(folder):
    write(folder, "fits", splits={"train": "rows.jsonl"})
    (found,) = probed(folder, "fits")
    assert (found.read, found.usable, found.skipped, sum(found.rejected.values())) == (31, 30, 0, 1)
    assert found.problem == ""


def test_no_more_rows_are_read_than_asked_for(folder):
    write(folder, "fits", splits={"train": "rows.jsonl"})
    (found,) = probed(folder, "fits", rows=7)
    assert (found.read, found.usable) == (7, 7)


def test_a_source_that_does_not_fit_is_one_answer_among_the_others(folder):
    write(
        folder, "odd", splits={"train": "rows.jsonl", "validation": "none.jsonl", "test": "empty.jsonl"}, column="odd"
    )
    train, validation, test = probed(folder, "odd")
    assert train.problem == "most rows are rejected: label: not one of the labels"
    assert "none.jsonl: no such file; " in validation.problem
    assert test.problem == "no rows"


def test_a_column_that_is_not_there_is_named(folder):
    write(folder, "lost", splits={"train": "rows.jsonl"}, column="mod")
    (found,) = probed(folder, "lost")
    assert "split train has no column mod; did you mean mood" in found.problem


@pytest.mark.parametrize(("column", "status"), [("mood", 0), ("odd", 1)])
def test_the_command_prints_a_table_and_fails_where_a_source_does_not_fit(folder, column, status):
    write(folder, "mine", splits={"train": "rows.jsonl"}, column=column)
    told = CliRunner().invoke(app, ["probe", "mine", "--path", str(folder), "--data-dir", str(folder)])
    assert told.exit_code == status
    assert "mine" in told.stdout
    assert ("most rows are" in told.stdout) == bool(status)
