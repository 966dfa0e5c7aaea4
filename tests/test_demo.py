"""The demo from end to end on a small mixture of the shipped samples, and the two ways in which it must fail."""

import json
import re
import sys
from itertools import dropwhile, takewhile
from typing import Any

import pytest
from tiny_model import loss_on_the_prompt

from instruction_kit.demo import LAST_LINE, demo, main
from instruction_kit.errors import BuildError, EvaluationError
from instruction_kit.training import feed, run

MIXTURE = """
tasks: [sst2, copa, gsm8k, rte]
hold_out: [natural_language_inference]
data: sample
phrasings: 12
option_styles: [dash]
option_order: source
num_validation: 6
num_held_out: 6
"""
BELOW = r"rank accuracy on rows seen in training is 0\.[0-8]\d*, expected at least 0\.9"
LINES = ["Rows seen in training", "Rows of trained tasks, not seen", "Held-out clusters"]
EPOCHS = 7
SIZE: dict[str, Any] = {"hidden_size": 128, "rows_per_task": 6, "expect_seen": 0.9}


@pytest.fixture
def mixture(tmp_path):
    path = tmp_path / "mixture.yaml"
    path.write_text(MIXTURE, encoding="utf-8")
    return path


def accuracy_lines(told: str) -> list[str]:
    """The names of the lines of the accuracy table, which a rule opens and a blank line or the end closes."""
    printed = [line.strip() for line in told.splitlines()]
    _, *body = dropwhile(lambda line: not line.startswith("──"), printed[printed.index("Rank accuracy, %") :])
    return [re.split(r" {2,}", line)[0] for line in takewhile(bool, body)]


def test_rows_seen_in_training_are_answered_after_it_and_not_before(mixture, tmp_path, capsys):
    demo(mixture, folder=tmp_path / "demo", epochs=EPOCHS, **SIZE)
    told = capsys.readouterr().out
    assert accuracy_lines(told) == LINES
    assert told.rstrip().endswith(LAST_LINE)
    report = json.loads((tmp_path / "demo" / "report" / "report.json").read_text(encoding="utf-8"))
    seen = next(split for split in report["splits"] if split["split"] == "seen")
    figures = next(group for group in seen["overall"] if group["measure"] == "accuracy")["figures"]
    assert figures["model"]["mean"] >= 0.9
    assert figures["baseline"]["mean"] < 0.6
    assert (tmp_path / "demo" / "report" / "report.png").stat().st_size > 10_000


def test_it_fails_when_the_learning_rate_is_zero(mixture, tmp_path):
    with pytest.raises(EvaluationError, match=BELOW):
        demo(mixture, folder=tmp_path / "demo", epochs=1, learning_rate=0.0, **SIZE)


def test_it_fails_when_the_loss_is_on_the_prompt(mixture, tmp_path, monkeypatch):
    monkeypatch.setattr(feed, "tokenise", loss_on_the_prompt)
    monkeypatch.setattr(run, "prove_spans", lambda *_, **__: 0)
    with pytest.raises(EvaluationError, match=BELOW):
        demo(mixture, folder=tmp_path / "demo", epochs=EPOCHS, **SIZE)


def test_it_replaces_an_earlier_demo_and_nothing_else(mixture, tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(BuildError, match="holds something that is no earlier demo"):
        demo(mixture, folder=folder, **SIZE)
    assert (folder / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_an_option_that_it_does_not_have_is_told_in_a_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["demo.py", "--bogus"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "No such option: --bogus" in capsys.readouterr().err
