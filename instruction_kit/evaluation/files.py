"""The files of a measurement: `rows.parquet`, and the report as `.json`, `.md`, `.html` and `.png`, in a folder.

`rows.parquet` is enough: the report is made again from it, the note on the run travels in its metadata. No file holds
a clock, a host or an absolute path. Each is written beside its name and then renamed.
"""

import json
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.markdown import markdown
from instruction_kit.evaluation.report import Report, Run
from instruction_kit.evaluation.report_page import report_page
from instruction_kit.evaluation.summary import summarise

REPORT_JSON, REPORT_MARKDOWN, REPORT_PAGE, REPORT_PICTURE = "report.json", "report.md", "report.html", "report.png"
ROWS_PARQUET = "rows.parquet"
RUN_KEY = "instruction_kit.run"


def write_report(folder: str | Path, report: Report, rows: pl.DataFrame) -> None:
    """Write the five files; those of an earlier measurement in the same folder are replaced.

    Raises:
        MissingExtraError: matplotlib, which draws the picture, is not installed.

    """
    from instruction_kit.evaluation.picture import draw

    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    metadata = {RUN_KEY: report.run.model_dump_json()} if report.run else {}
    rows.write_parquet(_beside(target / ROWS_PARQUET), metadata=metadata)
    _beside(target / REPORT_JSON).write_text(
        json.dumps(report.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    _beside(target / REPORT_MARKDOWN).write_text(markdown(report, picture=REPORT_PICTURE), encoding="utf-8")
    _beside(target / REPORT_PAGE).write_text(report_page(report), encoding="utf-8")
    draw(report, _beside(target / REPORT_PICTURE))
    for name in (ROWS_PARQUET, REPORT_MARKDOWN, REPORT_PAGE, REPORT_PICTURE, REPORT_JSON):
        _beside(target / name).replace(target / name)


def read_report(folder: str | Path) -> Report:
    """Read `report.json`.

    Raises:
        EvaluationError: there is none, or it is of another format.

    """
    path = Path(folder) / REPORT_JSON
    if not path.is_file():
        raise EvaluationError(
            f"{path}: no report there; measure first: python scripts/evaluate.py --output_dir {folder}"
        )
    try:
        return Report.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise EvaluationError(f"{path}: not a report of this version ({error}); measure again") from error


def recompute(path: str | Path) -> Report:
    """Make the report again from `rows.parquet` alone.

    Raises:
        EvaluationError: there is no such file, or it is not of the layout that `write_report` writes.

    """
    rows, run = read_rows(path)
    return summarise(rows, run=run)


def read_rows(path: str | Path) -> tuple[pl.DataFrame, Run | None]:
    """Read `rows.parquet`, with the note on how its rows came about.

    Raises:
        EvaluationError: there is no such file.

    """
    if not Path(path).is_file():
        raise EvaluationError(f"{path}: no rows there; it is the {ROWS_PARQUET} that scripts/evaluate.py writes")
    found = pl.read_parquet_metadata(path).get(RUN_KEY)
    return pl.read_parquet(path), None if found is None else Run.model_validate_json(found)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")
