"""The order of training pairs: whoever reads them from the front sees the mixture in its proportions all along."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from binomial import binomial_bounds
from small_task import built, claims, pairs, phrasings, verdicts

from instruction_kit.build import shard

WINDOW = 1_000
ROWS = {"large": 3_000, "middling": 900, "small": 150, "tiny": 12}
MIXTURES: dict[str, dict[str, Any]] = {
    "one pass": {},
    "several phrasings of each row": {"phrasings": 3, "settings": {"zero_shot.no_options": 1}},
    "rows repeated in rounds": {"num_pairs": 5_000, "rates": {"kind": "equal"}, "max_repeats": 200},
}


def counts_in_windows(tasks: pl.Series, name: str) -> list[int]:
    """Rows of one task in every window of so many rows."""
    until = np.concatenate([[0], np.cumsum((tasks == name).to_numpy())])
    return list(until[WINDOW:] - until[:-WINDOW])


@pytest.mark.parametrize("which", MIXTURES)
def test_every_window_of_1000_training_rows_holds_each_task_by_its_share(which, tmp_path, monkeypatch):
    monkeypatch.setattr(shard, "SHARD_PAIRS", 1_700)  # windows reach over the ends of files
    tasks = [
        verdicts(claims(n, start=10_000 * at), name=name, cluster=name) for at, (name, n) in enumerate(ROWS.items())
    ]
    made = built(tmp_path / "out", phrasings(tmp_path / "paths"), *tasks, **MIXTURES[which])
    trained = pairs(tmp_path / "out")["task"]
    assert trained.len() >= 4_000
    for name in ROWS:
        low, high = binomial_bounds(WINDOW, made.tasks[name].realised_share)
        found = counts_in_windows(trained, name)
        assert len(found) == trained.len() - WINDOW + 1
        assert low <= min(found) <= max(found) <= high
