"""Exemplars from prompts of the user's own: a folder of text files goes in, examples of a task come out.

Each file holds solved questions, as `instruction_kit.exemplar.solved` reads them. They stand in the columns of the
task's source that its `prompts` names, and are mapped and checked as a row of the source would be.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from instruction_kit.build.examples import Mapper
from instruction_kit.build.rowid import HASH, ROW
from instruction_kit.errors import MixtureError, TaskError
from instruction_kit.exemplar.solved import Solved, solved
from instruction_kit.library import text_hash
from instruction_kit.source.raw import INDEX, Batch
from instruction_kit.task.task import Task
from instruction_kit.template.language import RATIONALE


def prompt_files(folder: Path) -> list[Path]:
    """The files of a folder of prompts, by name.

    Raises:
        MixtureError: there is no such folder, or no text file in it.

    """
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise MixtureError(
            f"exemplars.folder: {folder}: {'holds no .txt file' if folder.is_dir() else 'no such folder'}; name the "
            "folder of your prompts, relative to data_dir"
        )
    return files


def prompts_hash(folder: Path) -> str:
    """Hash of all that stands in a folder of prompts."""
    return text_hash(*(part for file in prompt_files(folder) for part in (file.name, file.read_bytes())))


def read_prompts(task: Task, folder: Path) -> dict[str, dict[str, Any]]:
    """File and number of the question -> fields.

    Raises:
        MixtureError: there are no files.
        TaskError: a question is no example of the task; all of them at once.

    """
    found: dict[str, dict[str, Any]] = {}
    told: list[str] = []
    for file in prompt_files(folder):
        questions = list(_questions(file))
        examples, wrong = _mapped(task, file, questions)
        told += wrong if questions else [f"{file}: no line begins with `Q:`; write `Q: …` and below it `A: …`"]
        for number, example in examples.items():
            reasons = {RATIONALE: questions[number].rationale or None}
            found[f"{file.name}:{number + 1}"] = {**example, **reasons}
    if told:
        raise TaskError("\n".join(told))
    return found


def _questions(file: Path) -> Iterator[Solved]:
    try:
        yield from solved(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise TaskError(f"{file}: not UTF-8 ({error.reason} at byte {error.start})") from error


def _mapped(task: Task, file: Path, questions: list[Solved]) -> tuple[dict[int, dict[str, Any]], list[str]]:
    """Number -> fields, and what is wrong with the others."""
    rows = [_row(task.prompts, file, one) for one in questions]
    if not rows:
        return {}, []
    raw = pl.DataFrame(rows, schema=dict.fromkeys(task.prompts, pl.String())).with_row_index(INDEX)
    made = Mapper(task, "exemplars").examples(Batch(raw.cast({INDEX: pl.Int64})), file=file.name)
    numbers = [int(row.rpartition(":")[2]) for row in made.accepted[ROW]]
    lost = made.rejected.select("row", "field", "reason", "value").iter_rows()
    told = [f"{file}: question {int(row.rpartition(':')[2]) + 1}: {field}: {why}" for row, field, why, _ in lost]
    return dict(zip(numbers, made.accepted.drop(ROW, HASH).to_dicts(), strict=True)), told


def _row(columns: Mapping[str, str], file: Path, one: Solved) -> dict[str, str]:
    told = {"file": file.stem, "question": one.question, "answer": one.answer}
    return {column: told[part] for column, part in columns.items()}
