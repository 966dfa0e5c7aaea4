"""The report of a run, from its own files alone: curves, a picture, and a page that needs nothing beside it."""

import base64
import json
import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from tiny_model import tune, watched_built

from instruction_kit.errors import TrainingError
from instruction_kit.training.curve import Curve, Panel, panels, read_history
from instruction_kit.training.page import main, write_page
from instruction_kit.training.picture import LEGEND_LINES, draw, figure

PNG = b"\x89PNG\r\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    flags = {"dataset_name": watched_built(), "eval_strategy": "steps", "eval_steps": 2, "held_out_rows": 2}
    folder: Path = tune(tmp_path_factory.mktemp("page") / "out", **flags, max_steps=4, logging_steps=1, save_steps=2)
    return folder


def test_a_run_leaves_a_picture_and_a_page_that_holds_it(run):
    picture = (run / "tuning.png").read_bytes()
    assert picture.startswith(PNG)
    page = (run / "tuning.html").read_text(encoding="utf-8")
    [source] = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert base64.b64decode(source) == picture
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert "://" not in page
    assert re.findall(r"<h2>(.*?)</h2>", page) == [
        "Loss", "Loss by cluster", "Loss by task", "Held-out clusters, zero-shot",
    ]  # fmt: skip
    history = read_history(run)
    losses = [entry["loss"] for entry in history if "loss" in entry]
    cells = [losses[0], losses[-1], min(losses), max(losses)]
    whole = re.findall(r">all</th>(.*?)</tr>", page)[0]
    assert re.findall(r"<td>(.*?)</td>", whole) == [*(f"{value:.4f}" for value in cells), "4"]
    assert ">toy math (validation)</th>" in page


def test_the_curves_are_what_the_run_logged(run):
    found = {panel.title: panel for panel in panels(read_history(run))}
    assert [curve.name for curve in found["Loss by cluster"].curves] == ["toy", "toy_math"]
    assert [curve.steps for curve in found["Loss by cluster"].dashed] == [[2, 4], [2, 4]]
    assert [curve.name for curve in found["Held-out clusters, zero-shot"].curves] == ["all", "toy_shape"]
    [loss] = found["Loss"].curves
    history = json.loads((run / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    assert loss == Curve("all", [1, 2, 3, 4], [entry["loss"] for entry in history if "loss" in entry])


def test_a_run_that_was_stopped_is_shown_as_far_as_its_newest_whole_checkpoint(run, tmp_path):
    for step in (2, 4):
        shutil.copytree(run / f"checkpoint-{step}", tmp_path / f"checkpoint-{step}")
    (tmp_path / "checkpoint-4" / "instruction_kit_run.json").unlink()
    assert max(entry["step"] for entry in read_history(tmp_path)) == 2
    assert [path.name for path in write_page(tmp_path)] == ["tuning.png", "tuning.html"]


def test_legends_keep_to_their_panels_and_name_no_more_than_fits():
    tasks = [Curve(f"reading_comprehension_task_{number}", [1, 2], [2.0, 1.0]) for number in range(60)]
    validation = [Curve(f"validation_{number}", [1, 2], [2.0, 1.0]) for number in range(60)]
    many = Panel("Loss by task", "loss", tasks, [])
    canvas = figure([many, Panel("Loss by task", "loss", [], validation), many])
    whole = canvas.bbox
    legends = [legend for axes in canvas.axes if (legend := axes.get_legend())]
    boxes = [legend.get_window_extent() for legend in legends]
    for above, below in pairwise(boxes):
        assert above.y0 >= below.y1
    for axes, legend, box in zip(canvas.axes, legends, boxes, strict=True):
        assert box.x1 <= whole.x1
        named = [text.get_text() for text in legend.get_texts()]
        assert (len(named), named[-1]) == (LEGEND_LINES + 1, f"{60 - LEGEND_LINES} more")
        assert all(float(tick).is_integer() for tick in axes.get_xticks())
    assert draw([many]).startswith(PNG)


def test_one_figure_alone_makes_no_curve():
    assert panels([{"step": 1, "loss": 2.0, "train_loss": 2.0}]) == []
    assert [panel.title for panel in panels([{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}])] == ["Loss"]


def test_the_command_says_what_it_wrote_or_what_is_missing(run, tmp_path, capsys):
    assert main([str(run)]) == 0
    assert capsys.readouterr().out == f"{run / 'tuning.png'}\n{run / 'tuning.html'}\n"
    assert main([str(tmp_path)]) == 1
    assert "no trainer_state.json in it or in a checkpoint of it" in capsys.readouterr().err
    assert main([]) == 1
    assert "usage: python -m instruction_kit.training.page RUN" in capsys.readouterr().err


def test_a_folder_without_a_run_is_an_error(tmp_path):
    with pytest.raises(TrainingError, match="so no run has written here yet"):
        write_page(tmp_path)
