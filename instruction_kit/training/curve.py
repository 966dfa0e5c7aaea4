"""What a run wrote of itself while it went on, as curves: a folder goes in, named series of (step, value) come out.

The source is the trainer's own `trainer_state.json`: that of the output folder, or of the newest whole checkpoint where
a run is under way or was stopped. No service is asked and no other file is kept.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from instruction_kit.errors import TrainingError
from instruction_kit.training.resume import RUN_FILE, checkpoints

STATE = "trainer_state.json"


class Curve(NamedTuple):
    """One figure over the steps of a run."""

    name: str
    """Of a task or a cluster; `all` where it is about everything."""
    steps: list[int]
    values: list[float]


class Panel(NamedTuple):
    """Curves that share their axes."""

    title: str
    label: str
    """What the values are."""
    curves: list[Curve]
    dashed: list[Curve]
    """The same figures on validation rows."""


def read_history(folder: str | Path) -> list[dict[str, float]]:
    """Read what a run logged.

    Raises:
        TrainingError: the folder holds no run.

    """
    folder = Path(folder)
    whole = [checkpoint for checkpoint in checkpoints(folder) if (checkpoint / RUN_FILE).is_file()]
    paths = [path / STATE for path in (folder, *reversed(whole))]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise TrainingError(f"{folder}: no {STATE} in it or in a checkpoint of it, so no run has written here yet")
    history: list[dict[str, float]] = json.loads(path.read_text(encoding="utf-8"))["log_history"]
    return history


def panels(history: Iterable[dict[str, float]]) -> list[Panel]:
    """Lay out what there is to see: the loss, by cluster, by task, and held-out tasks."""
    entries = list(history)
    wanted = [
        ("Loss", "loss for each token", "loss", True),
        ("Loss by cluster", "loss for each token", "loss_cluster", True),
        ("Loss by task", "loss for each token", "loss_task", True),
        ("Held-out clusters, zero-shot", "rank accuracy", "held_out", False),
        ("Held-out clusters, few-shot", "rank accuracy", "held_out_few_shot", False),
        ("Held-out clusters without options", "log-likelihood for each token", "held_out_log_likelihood", False),
    ]
    found = []
    for title, label, prefix, trained in wanted:
        evaluated = _curves(entries, f"eval_{prefix}")
        curves, dashed = (_curves(entries, prefix), evaluated) if trained else (evaluated, [])
        if any(len(curve.steps) > 1 for curve in (*curves, *dashed)):
            found.append(Panel(title, label, curves, dashed))
    return found


def _curves(entries: Iterable[dict[str, float]], prefix: str) -> list[Curve]:
    """Take the series of one prefix: that of everything first, then those behind a slash by name."""
    found: dict[str, Curve] = {}
    for entry in entries:
        for key, value in entry.items():
            start, _, name = key.partition("/")
            if start == prefix:
                curve = found.setdefault(name or "all", Curve(name or "all", [], []))
                curve.steps.append(int(entry["step"]))
                curve.values.append(value)
    return sorted(found.values(), key=lambda curve: (curve.name != "all", curve.name))
