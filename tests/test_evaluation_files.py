"""The files of a measurement: recomputed from the rows alone, the same bytes each time, made for machine and person."""

import json
import re
from io import StringIO

import pytest
from rich.console import Console
from test_evaluation_summary import dropped, frame, likely, ranked, right

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.files import read_report, recompute, write_report
from instruction_kit.evaluation.markdown import markdown
from instruction_kit.evaluation.report import Report, Run
from instruction_kit.evaluation.summary import summarise
from instruction_kit.evaluation.table import overview_table, report_table

RUN = Run(
    dataset="f" * 64,
    models={"model": "tuned", "baseline": "untuned"},
    layout='{"kind":"plain"}',
    dtype="float32",
    device="cpu",
    rows_per_task=None,
    generation="{}",
    versions={"torch": "2"},
)
ROWS = frame(
    [
        row
        for model in ("model", "baseline")
        for split in ("seen", "held_out")
        for number in range(4)
        for row in (
            right("rte", number, is_right=number < 3 or model == "baseline", model=model, measured_split=split),
            right("rte", number, is_right=number < 1, model=model, measured_split=split, template="nli/two"),
            ranked("copa", number, [-1.0, -1.0, -3.0], [0], model=model, measured_split=split, cluster="commonsense"),
            likely("sums", number, -number - 1.0, 2, model=model, measured_split=split),
        )
    ]
    + [dropped(right("rte", 9, model=model, template="nli/a|b"), "too long") for model in ("model", "baseline")]
)


RESULT = "protocol shots measure num_rows chance majority figures difference"


@pytest.fixture(scope="module")
def report() -> Report:
    return summarise(ROWS, run=RUN)


def test_the_report_is_made_again_from_the_rows_alone(report, tmp_path):
    write_report(tmp_path / "one", report, ROWS)
    (tmp_path / "one" / "rows.parquet").rename(tmp_path / "alone.parquet")
    assert recompute(tmp_path / "alone.parquet") == report == read_report(tmp_path / "one")


def test_the_rows_alone_do_without_a_note_on_the_run(tmp_path):
    write_report(tmp_path, summarise(ROWS), ROWS)
    assert recompute(tmp_path / "rows.parquet") == summarise(ROWS)


def test_the_files_have_the_same_bytes_wherever_they_are_written_and_replace_earlier_ones(report, tmp_path):
    for name in ("one", "elsewhere/deep", "one"):
        write_report(tmp_path / name, report, ROWS)
    one, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "elsewhere/deep")
    )
    assert sorted(one) == ["report.html", "report.json", "report.md", "report.png", "rows.parquet"]
    assert one == other
    assert all(str(tmp_path).encode() not in content for content in one.values())


def test_the_schema_of_the_report_is_the_one_of_its_format_version():
    """A change here is a new format_version: readers of report.json count on it."""
    parts = Report.model_json_schema()["$defs"] | {"Report": Report.model_json_schema()}
    assert Report.model_json_schema()["properties"]["format_version"]["type"] == "integer"
    assert {name: " ".join(part["properties"]) for name, part in parts.items()} == {
        "Report": "format_version run models splits",
        "Run": "dataset models layout dtype device rows_per_task generation versions",
        "SplitResult": "split overall clusters tasks left_out",
        "GroupResult": f"{RESULT} cluster num_tasks",
        "TaskResult": f"{RESULT} task cluster num_groups unread spread best templates",
        "Best": "chosen_on templates figure",
        "TemplateResult": "template setting num_rows figures",
        "Figure": "mean low high",
        "Spread": "min lower_quartile median upper_quartile max standard_deviation",
        "LeftOut": "task template setting model reason rows",
    }


def test_the_json_is_plain_json_with_the_models_side_by_side(report, tmp_path):
    write_report(tmp_path, report, ROWS)
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    rte = next(task for task in content["splits"][0]["tasks"] if task["task"] == "rte")
    assert rte["figures"]["model"]["mean"] == 0.5
    assert rte["figures"]["baseline"]["mean"] == 0.625
    assert rte["difference"]["mean"] == -0.125


def test_the_markdown_has_a_line_a_split_a_task_and_a_template_and_escapes_names(report):
    text = markdown(report, picture="report.png")
    assert "| Rows seen in training | 2 | 8 | 31.2 | 25.0 | 0.0 to 50.0 | -6.2 | -25.0 to +0.0 | 41.7 | 100.0 |" in text
    assert (
        "| 62.5 | 50.0 | 0.0 to 100.0 | -12.5 | -50.0 to +0.0 | 2 | 25.0 | 37.5 | 50.0 | 62.5 | 75.0 | - | 50.0 |"
        in text
    )
    assert "| rte | nli/two | zero_shot.options | 4 | 25.0 | 25.0 |" in text
    assert "| rte | nli/a\\|b | zero_shot.options | model | too long | r9 | 1 |" in text
    assert "| math | sums | 4 | -1.250 | -1.250 |" in text
    assert "![The same as a picture](report.png)" in text
    assert "- model before: `untuned`" in text


def test_a_model_alone_has_no_columns_of_before_and_after():
    text = markdown(summarise(ROWS.filter(model="model")), picture="p.png")
    assert "before |" not in text
    assert "|  | tasks | rows | mean | 95% interval | chance | majority |" in text


def test_the_terminal_shows_a_line_a_split_then_clusters_with_their_tasks_in_80_columns(report):
    console = Console(width=80, record=True, file=StringIO())
    console.print(overview_table(report))
    overview = console.export_text()
    assert re.search(r"^Rows seen in training +8 +31\.2 +25\.0 +0\.0 to 50\.0 +-6\.2 +41\.7 *$", overview, re.MULTILINE)
    assert "rte" not in overview
    console.print(report_table(report))
    names = [line.split()[0] for line in console.export_text().splitlines() if line.strip()]
    assert names[names.index("natural_language_inference") + 1] == "rte"


def test_files_that_are_not_there_or_not_a_report_are_named(tmp_path):
    with pytest.raises(EvaluationError, match=r"report.json: no report there; measure first: .* --output_dir"):
        read_report(tmp_path)
    with pytest.raises(EvaluationError, match=r"rows.parquet: no rows there; it is the rows.parquet that"):
        recompute(tmp_path / "rows.parquet")
    (tmp_path / "report.json").write_text("{}", encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"(?s)not a report of this version .*; measure again"):
        read_report(tmp_path)
