"""Rows without loss behind the last ones: several processes then take the steps that one takes."""

import functools
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from conftest import SCRATCH
from test_training_two_sided import t5
from tiny_model import FLAGS, built, model

from instruction_kit.token.row import IGNORED
from instruction_kit.training.even import evened
from instruction_kit.training.flag import as_arguments, parse
from instruction_kit.training.start import Prepared, prepare


@functools.cache
def run_of(name: str, *weights: str) -> Prepared:
    folder = SCRATCH / "even" / f"{name}{len(weights)}"
    flags = {**FLAGS, "dataset_name": built(), "model_name_or_path": {"toy": model, "t5": t5}[name]()}
    return prepare(parse([*as_arguments({**flags, "output_dir": folder}), *weights]))


def settings(processes: int) -> Any:
    return SimpleNamespace(per_device_train_batch_size=3, world_size=processes)


def test_one_process_and_an_even_number_of_rows_take_the_rows_as_they_are():
    rows = run_of("toy").rows
    assert evened(rows, settings(1)) is rows
    even = rows.select(range(54))
    assert evened(even, settings(2)) is even


@pytest.mark.parametrize("weights", [(), ("--weigh", "pair")])
def test_rows_are_added_behind_the_last_one_until_every_process_has_as_many(weights):
    rows = run_of("toy", *weights).rows
    found = evened(rows, settings(5))
    assert (len(rows), len(found)) == (56, 60)
    assert found.features == rows.features
    assert found.select(range(56)).to_list() == rows.to_list()
    for row in found.select(range(56, 60)).to_list():
        assert row["labels"] == [IGNORED, IGNORED]
        assert row["loss_weights"] == ([0.0, 0.0] if weights else None)


@pytest.mark.parametrize("name", ["toy", "t5"])
@pytest.mark.parametrize("weights", [(), ("--weigh", "pair")])
def test_a_batch_of_rows_that_were_added_changes_no_gradient(name, weights):
    trainer, rows, _, _ = run_of(name, *weights)
    added = evened(rows, settings(5)).select(range(56, 58)).to_list()
    tuned = cast("torch.nn.Module", trainer.model)
    tuned.zero_grad()
    batch = trainer.data_collator([{key: value for key, value in row.items() if value is not None} for row in added])
    loss = trainer.compute_loss(tuned, dict(batch), num_items_in_batch=torch.tensor(7))
    loss.backward()
    assert loss.item() == 0
    assert all(weight.grad is None or not weight.grad.any() for weight in tuned.parameters())
