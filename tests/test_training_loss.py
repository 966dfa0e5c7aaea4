"""The loss: TRL's own bit by bit where all tokens weigh the same, else a weighted mean; told by task in any pack."""

import functools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from conftest import SCRATCH
from safetensors.torch import load_file
from tiny_model import FLAGS, built, cut, model, one_thread, tune
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM
from trl.trainer.sft_trainer import SFTTrainer

from instruction_kit.errors import TokenError, TrainingError
from instruction_kit.token.row import IGNORED
from instruction_kit.training.flag import as_arguments, parse
from instruction_kit.training.start import Prepared, prepare

PACKED = {**FLAGS, "packing": True, "max_length": 256, "per_device_train_batch_size": 1}
WEIGHED = {"weigh": "pair", "task_weight": ["color=0.25"]}


@functools.cache
def prepared(name: str, packing: bool, *weights: str) -> Prepared:  # noqa: FBT001
    settled = {"dataset_name": built(), "model_name_or_path": model(), "output_dir": SCRATCH / "loss" / name}
    flags = PACKED if packing else FLAGS
    return prepare(parse([*as_arguments({**settled, **flags}), *weights]))


def even(*, packing: bool) -> Prepared:
    return prepared(f"even-{packing}", packing)


def weighed(*, packing: bool) -> Prepared:
    return prepared(f"weighed-{packing}", packing, *as_arguments(WEIGHED))


def batch(run: Prepared, numbers: Sequence[int], *, ones: bool = False) -> dict[str, Any]:
    rows = [run.rows[number] for number in numbers]
    if ones:
        rows = [{**row, "loss_weights": [1.0] * len(row["labels"])} for row in rows]
    return dict(run.trainer.data_collator(rows))


def step(run: Prepared, batches: list[dict[str, Any]]) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The loss of one optimiser step over several batches, and its gradients, through the trainer's own path."""
    trainer, tuned = run.trainer, cast("torch.nn.Module", run.trainer.model)
    tuned.zero_grad()
    device = torch.device("cpu")
    with one_thread():
        count = trainer._get_num_items_in_batch(batches, device)
        losses = [trainer.compute_loss(tuned, dict(one), num_items_in_batch=count) for one in batches]
        total = torch.stack(losses).sum()
        total.backward()
    found = [weight.grad.clone() for weight in tuned.parameters() if weight.grad is not None]
    tuned.zero_grad()
    return total.detach(), found


@functools.cache
def trl_s_own(packing: bool) -> SFTTrainer:  # noqa: FBT001
    run = even(packing=packing)
    return SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(model()),
        args=run.trainer.args,
        train_dataset=run.rows,
        processing_class=run.trainer.encoder.tokenizer,
    )


@pytest.mark.parametrize("ones", [False, True])
@pytest.mark.parametrize("packing", [False, True])
def test_where_all_tokens_weigh_the_same_loss_and_gradients_are_those_of_trl_bit_by_bit(packing, ones):
    run, own = even(packing=packing), trl_s_own(packing)
    fresh = cast("torch.nn.Module", own.model)
    rows = [[run.rows[number] for number in numbers] for numbers in ((0, 1), (2, 3))]
    theirs = [
        own.data_collator([{name: row[name] for name in ("input_ids", "labels", "seq_lengths")} for row in of])
        for of in rows
    ]
    count = own._get_num_items_in_batch(theirs, torch.device("cpu"))
    with one_thread():
        loss = torch.stack([own.compute_loss(fresh, dict(one), num_items_in_batch=count) for one in theirs]).sum()
        loss.backward()
    gradients = [weight.grad.clone() for weight in fresh.parameters() if weight.grad is not None]
    fresh.zero_grad()
    mine, found = step(run, [batch(run, (0, 1), ones=ones), batch(run, (2, 3), ones=ones)])
    assert torch.equal(mine, loss.detach())
    assert all(torch.equal(one, other) for one, other in zip(found, gradients, strict=True))


def pair_losses(pairs: Sequence[dict[str, Any]]) -> list[torch.Tensor]:
    """The losses of the trained tokens of pairs, each read alone by a model that no trainer has touched."""
    fresh = AutoModelForCausalLM.from_pretrained(model())
    found = []
    with one_thread():
        for pair in pairs:
            logits = fresh(input_ids=torch.tensor([pair["input_ids"]])).logits[0, :-1]
            labels = torch.tensor(pair["labels"][1:])
            losses = cross_entropy(logits, labels, ignore_index=IGNORED, reduction="none")
            found.append(losses[labels != IGNORED].detach())
    return found


def pairs_of(run: Prepared, numbers: Sequence[int]) -> list[dict[str, Any]]:
    return [pair for number in numbers for pair in cut(run.rows[number])]


@pytest.mark.parametrize("packing", [False, True])
def test_weights_give_the_weighted_mean_whatever_their_size_and_however_it_is_accumulated(packing):
    run = weighed(packing=packing)
    numbers = (0, 1, 2, 3)
    pairs = pairs_of(run, numbers)
    assert {pair["m_task"] for pair in pairs} == {"color", "add"}
    weights = [torch.tensor([w for w, label in zip(p["loss_weights"], p["labels"], strict=True) if label != IGNORED])
               for p in pairs]  # fmt: skip
    for pair, weight in zip(pairs, weights, strict=True):
        assert float(weight.sum()) == pytest.approx(0.25 if pair["m_task"] == "color" else 1.0)
    summed = sum(float((loss * weight).sum()) for loss, weight in zip(pair_losses(pairs), weights, strict=True))
    by_hand = summed / float(torch.cat(weights).sum())
    whole, gradients = step(run, [batch(run, numbers)])
    parts, found = step(run, [batch(run, (0,)), batch(run, (1, 2)), batch(run, (3,))])
    assert float(whole) == pytest.approx(by_hand, abs=1e-5)
    assert float(parts) == pytest.approx(by_hand, abs=1e-5)
    for one, other in zip(gradients, found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    unweighed, _ = step(even(packing=packing), [batch(even(packing=packing), numbers)])
    assert float(unweighed) != pytest.approx(by_hand, abs=1e-3)


@pytest.mark.parametrize("packing", [False, True])
def test_the_log_tells_the_loss_of_each_task_and_cluster_inside_mixed_packs(packing):
    run = weighed(packing=packing)
    run.trainer.losses.take(lambda found: found, device=torch.device("cpu"))
    numbers = (0, 1, 2)
    if packing:
        assert any(len(set(run.rows[number]["task_ids"])) > 1 for number in numbers)
    step(run, [batch(run, (0, 1)), batch(run, (2,))])
    logs = {"loss": 0.0}
    run.trainer.log(logs)
    pairs = pairs_of(run, numbers)
    of_pairs = pair_losses(pairs)
    for task, cluster in (("color", "toy"), ("add", "toy_math")):
        mine = torch.cat([loss for pair, loss in zip(pairs, of_pairs, strict=True) if pair["m_task"] == task])
        assert logs[f"loss_task/{task}"] == pytest.approx(float(mine.mean()), abs=1e-5)
        assert logs[f"loss_cluster/{cluster}"] == logs[f"loss_task/{task}"]
    later = {"loss": 0.0}
    run.trainer.log(later)
    assert [name for name in later if "task" in name] == []


def test_a_weighed_run_trains_otherwise_and_says_how_it_weighed(tmp_path):
    flags = {**PACKED, "save_strategy": "no", "logging_steps": 1}
    weighed_run = tune(tmp_path / "weighed", **flags, **WEIGHED)
    even_run = tune(tmp_path / "even", **flags)
    assert (weighed_run / "model.safetensors").read_bytes() != (even_run / "model.safetensors").read_bytes()
    run = json.loads((weighed_run / "instruction_kit_run.json").read_text(encoding="utf-8"))
    assert run["identity"]["weighing"] == {"per": "pair", "answer": 1.0, "rationale": 1.0, "tasks": {"color": 0.25}}
    assert "| weigh | per pair; color 0.25 |" in (weighed_run / "README.md").read_text(encoding="utf-8")
    history = json.loads((weighed_run / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    assert {"loss_task/color", "loss_task/add", "loss_cluster/toy"} <= set(history[0])


def test_weights_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(TrainingError, match="--loss_type dft: its loss cannot be weighed"):
        tune(tmp_path / "out", loss_type="dft", answer_weight=2.0, rationale_weight=0.5)
    with pytest.raises(TokenError, match="--task_weight color: write each once, as TASK=NUMBER"):
        tune(tmp_path / "out", task_weight=["color"])
    with pytest.raises(TokenError, match="weights: answer -1"):
        tune(tmp_path / "out", answer_weight=-1)
    with pytest.raises(TokenError, match="colour: did you mean color"):
        tune(tmp_path / "out", task_weight=["colour=2"])


def test_two_steps_of_accumulated_weighed_batches_are_those_of_large_ones(tmp_path):
    flags = {**PACKED, **WEIGHED, "save_strategy": "no"}
    large = tune(tmp_path / "large", **{**flags, "per_device_train_batch_size": 4})
    small = tune(tmp_path / "small", **flags, gradient_accumulation_steps=4)
    first, second = load_file(large / "model.safetensors"), load_file(small / "model.safetensors")
    for name, weight in first.items():
        torch.testing.assert_close(second[name], weight, rtol=1e-4, atol=1e-5)


def test_a_gradient_that_is_no_number_names_the_step_and_the_rows_of_all_its_batches(tmp_path):
    halves = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}
    with pytest.raises(TrainingError) as told:
        tune(tmp_path / "out", learning_rate=1e30, max_grad_norm=0, optim="sgd", max_steps=5, **halves)
    first, _, rest = str(told.value).partition(" on ")
    found = re.fullmatch(r"step (\d): the norm of the gradient is (nan|inf)", first)
    assert found is not None
    start = 4 * (int(found[1]) - 1)
    rows = rest.split("; lower --learning_rate")[0].split("; ")
    wanted = [pair for number in range(start, start + 4) for pair in cut(even(packing=False).rows[number])]
    assert rows == [f"{p['m_task']} train row {p['m_row']}, template {p['m_template']}" for p in wanted]
    assert not Path(tmp_path / "out" / "model.safetensors").exists()
