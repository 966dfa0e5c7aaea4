"""The twenty pitfalls of `test_pitfalls` again, with packing on: packed shards, through the flattened batches of TRL.

Where a pitfall is closed by refusing a flag, the flag is refused together with `--packing` too.
"""

import functools
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import SCRATCH
from safetensors.torch import load_file
from test_pitfalls import RESERVED
from tiny_model import (
    FLAGS,
    built,
    cut,
    encoder,
    model,
    one_thread,
    other_built,
    pairs_in,
    tokenizer,
    tune,
    watched_built,
)
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM

from instruction_kit.errors import TokenError, TrainingError
from instruction_kit.token.record import read_record
from instruction_kit.token.row import IGNORED, SCHEMA
from instruction_kit.token.shard import Wanted, tokenise
from instruction_kit.training.collate import apart
from instruction_kit.training.document import documents
from instruction_kit.training.flag import as_arguments, parse
from instruction_kit.training.resume import read_run
from instruction_kit.training.span import prove_spans
from instruction_kit.training.start import Prepared, prepare

PACKED = {**FLAGS, "packing": True, "max_length": 256, "per_device_train_batch_size": 1}


def prepared(output: Path, **flags: object) -> Prepared:
    settled = {"dataset_name": built(), "model_name_or_path": model(), "output_dir": output, **PACKED, **flags}
    return prepare(parse(as_arguments(settled)))


@functools.cache
def closed() -> Prepared:
    """A packed run before its first step."""
    return prepared(SCRATCH / "pitfalls" / "packed")


def refuses(reason: str, **flags: object) -> None:
    with pytest.raises(TrainingError, match=reason):
        prepared(SCRATCH / "pitfalls" / "refused-packed", **flags)


def batch(*numbers: int) -> dict[str, Any]:
    return dict(closed().trainer.data_collator([closed().rows[number] for number in numbers]))


def loss_of(items: dict[str, Any], num_items: int | None = None) -> float:
    run = closed().trainer
    with one_thread(), torch.no_grad():
        return float(run.compute_loss(run.model, dict(items), num_items_in_batch=num_items))


def pairs(*numbers: int) -> list[dict[str, Any]]:
    return [pair for number in numbers for pair in cut(closed().rows[number])]


def by_hand(items: list[dict[str, Any]]) -> float:
    """The mean over the trained tokens of pairs, each read alone by a model that no trainer has touched."""
    fresh = AutoModelForCausalLM.from_pretrained(model())
    losses = []
    with one_thread(), torch.no_grad():
        for pair in items:
            logits = fresh(input_ids=torch.tensor([pair["input_ids"]])).logits[0, :-1]
            labels = torch.tensor(pair["labels"][1:])
            losses.append(cross_entropy(logits, labels, ignore_index=IGNORED, reduction="none")[labels != IGNORED])
    return float(torch.cat(losses).mean())


def test_01_the_loss_of_a_pack_is_that_of_its_completions_each_alone():
    assert loss_of(batch(0, 1)) == pytest.approx(by_hand(pairs(0, 1)), abs=1e-5)
    whole = [{**pair, "labels": pair["input_ids"]} for pair in pairs(0, 1)]
    assert by_hand(whole) != pytest.approx(loss_of(batch(0, 1)), abs=1e-3)
    refuses("--completion_only_loss: always True", completion_only_loss=False)


def test_02_packing_and_skipped_preparation_go_together_and_the_borders_reach_the_model():
    arguments = vars(closed().trainer.args)
    assert (arguments["packing"], arguments["dataset_kwargs"]) == (True, {"skip_prepare_dataset": True})
    assert closed().trainer.train_dataset is closed().rows
    assert vars(closed().trainer)["padding_free"] is True
    row = closed().rows[0]
    assert sum(row["seq_lengths"]) == len(row["input_ids"])
    places = [place for length in row["seq_lengths"] for place in range(length)]
    assert batch(0)["position_ids"].tolist() == [places]
    assert batch(0)["cu_seq_lens_q"].diff().tolist() == row["seq_lengths"]
    refuses("--dataset_kwargs: always", dataset_kwargs={"skip_prepare_dataset": False})


def test_03_each_pair_of_a_pack_ends_in_its_one_stop_token_and_learns_it():
    stop = encoder().stop_id
    for pair in pairs(*range(len(closed().rows))):
        assert pair["input_ids"].count(stop) == pair["labels"].count(stop) == 1
        assert pair["input_ids"][-1] == pair["labels"][-1] == stop
    refuses("--eos_token: refused", eos_token="<|end|>")


def test_04_each_pair_of_a_pack_begins_once_and_is_what_it_is_alone(tmp_path):
    tokenise(built(), tmp_path, Wanted(256), encoder=encoder())
    alone = {pair["m_position"]: pair["input_ids"] for pair in pairs_in(tmp_path)}
    for pair in pairs(*range(len(closed().rows))):
        assert pair["input_ids"] == alone[pair["m_position"]]
        assert [pair["input_ids"][0], pair["input_ids"].count(encoder().bos_id)] == [encoder().bos_id, 1]


def test_05_no_pair_is_cut_to_fit_a_pack_and_a_pack_without_loss_is_an_error(tmp_path):
    with pytest.raises(TokenError, match="Nothing is cut here"):
        tune(tmp_path / "out", **{**PACKED, "max_length": 40})
    run = closed()
    positions = [position for row in run.rows for position in row["m_position"]]
    assert sorted(positions) == list(range(56))
    masked = run.rows.map(lambda row: {"labels": [IGNORED] * len(row["labels"])}, load_from_cache_file=False)
    with pytest.raises(TrainingError, match="no token is trained on"):
        prove_spans(run.trainer.data_collator, masked, encoder=encoder(), built=built())


def test_06_of_a_pack_s_columns_a_model_reads_those_that_trl_makes_of_ids_and_borders_alone(tmp_path):
    assert closed().rows.column_names == SCHEMA.names
    assert {name for name in SCHEMA.names if name not in ("input_ids", "labels", "seq_lengths")} & RESERVED == set()
    items = next(iter(prepared(tmp_path / "run").trainer.get_train_dataloader()))  # a run ends accelerate's state
    read, others = apart(items)
    made = {"input_ids", "labels", "position_ids", "seq_idx"}
    assert {name for name in read if not name.startswith(("cu_seq_lens", "max_length"))} == made
    assert set(others) == {"task_ids", "positions"}


def test_07_packed_rows_hold_neither_texts_nor_messages_for_a_format_to_be_guessed_from():
    assert {"text", "prompt", "completion", "messages"} & set(closed().rows.column_names) == set()
    assert vars(closed().trainer)["_is_vision_dataset"] is False


@pytest.mark.parametrize("strategy", ["wrapped", "bfd_split"])
def test_08_pairs_are_neither_cut_up_nor_run_together(strategy):
    refuses("--packing_strategy: always bfd, because rows are packed here", packing_strategy=strategy)


def test_09_packed_pairs_do_not_see_each_other():
    run, items = closed(), batch(0, 1)
    fresh = AutoModelForCausalLM.from_pretrained(model())
    inputs = {key: value for key, value in items.items() if key != "labels"}
    with one_thread(), torch.no_grad():
        together, start = fresh(**inputs, use_cache=False).logits[0], 0
        for pair in pairs(0, 1):
            ids = torch.tensor([pair["input_ids"]])
            alone, end = fresh(input_ids=ids).logits[0], start + ids.shape[1]
            torch.testing.assert_close(together[start:end], alone, rtol=1e-5, atol=1e-5)
            start = end
    assert vars(run.trainer)["padding_free"]
    refuses("--padding_free: always False, because --packing decides it", padding_free=True)


def test_10_several_packs_a_batch_are_warned_of_where_attention_is_over_all_of_them(tmp_path, caplog):
    assert "attends over" not in caplog.text
    run = prepared(tmp_path / "out", per_device_train_batch_size=2, gradient_accumulation_steps=3)
    assert "sdpa attends over 2 rows as over one; take 1, and --gradient_accumulation_steps 6" in caplog.text
    assert batch(0)["input_ids"].shape == (1, len(closed().rows[0]["input_ids"]))
    assert run.record == closed().record


def test_11_packs_mix_tasks_and_come_in_the_order_of_the_shards(tmp_path):
    mixing = closed().record.mixing
    assert mixing.task_entropy > mixing.task_entropy_of_all / 3
    run = prepared(tmp_path / "out")
    seen = [items["input_ids"][0].tolist() for items in run.trainer.get_train_dataloader()]
    assert seen == [row["input_ids"] for row in run.rows]
    refuses("--train_sampling_strategy: always sequential", train_sampling_strategy="group_by_length")


def test_12_packs_are_made_once_and_hashed(tmp_path):
    again = tokenise(built(), tmp_path, Wanted(256, packing=True), encoder=encoder())
    assert again == closed().record
    refuses("--dataset_num_proc: refused", dataset_num_proc=2)


@functools.cache
def watched(size: int) -> Prepared:
    """A packed run that is evaluated, by `size` packs at a time."""
    flags = {"dataset_name": watched_built(), "eval_strategy": "steps", "eval_steps": 1, "held_out_rows": 2}
    return prepared(SCRATCH / "pitfalls" / f"watched-{size}", **flags, per_device_eval_batch_size=size)


@functools.cache
def evaluated(size: int) -> dict[str, float]:
    with one_thread():
        return watched(size).trainer.evaluate()


def watched_pairs() -> list[dict[str, Any]]:
    rows = watched(1).trainer.watched.validation
    assert rows is not None
    assert len(rows) < sum(len(row["seq_lengths"]) for row in rows)
    return [pair for row in rows for pair in cut(row)]


def test_13_packs_are_not_packed_again_for_an_evaluation_and_no_dict_of_sets_is_taken():
    assert evaluated(1)["eval_loss"] == pytest.approx(by_hand(watched_pairs()), abs=1e-5)
    for sets in (closed().rows, {"x": closed().rows}):
        with pytest.raises(TrainingError, match=r"only what a run watches is evaluated; .* scripts/evaluate\.py"):
            closed().trainer.evaluate(sets)
    refuses("--eval_packing: always False", eval_packing=True)


def test_14_the_loss_of_an_evaluation_is_by_token_however_many_packs_are_read_at_a_time():
    assert evaluated(3) == pytest.approx(evaluated(1), abs=1e-5)


def test_15_every_figure_of_an_evaluation_of_packs_has_the_name_of_what_it_is_about():
    for task in ("color", "add"):
        mine = by_hand([pair for pair in watched_pairs() if pair["m_task"] == task])
        assert evaluated(1)[f"eval_loss_task/{task}"] == pytest.approx(mine, abs=1e-5)
    clusters = ["eval_loss_cluster/toy", "eval_loss_cluster/toy_math"]
    held_out = ["eval_held_out", "eval_held_out/toy_shape"]
    assert sorted(set(evaluated(1)) - {"epoch"}) == sorted(
        ["eval_loss", "eval_loss_task/color", "eval_loss_task/add", *clusters, *held_out]
    )


def test_16_a_pack_weighs_its_trained_tokens_and_accumulated_packs_give_the_step_of_one_batch(tmp_path):
    items = batch(0)
    count = int((items["labels"][:, 1:] != IGNORED).sum())
    assert count == sum(label != IGNORED for label in closed().rows[0]["labels"]) >= 2
    assert loss_of(items, count) == pytest.approx(by_hand(pairs(0)), abs=1e-5)
    assert loss_of(items, 2 * count) == pytest.approx(by_hand(pairs(0)) / 2, abs=1e-5)
    large = tune(tmp_path / "large", **{**PACKED, "per_device_train_batch_size": 4}, save_strategy="no")
    small = tune(tmp_path / "small", **PACKED, gradient_accumulation_steps=4, save_strategy="no")
    first, second = load_file(large / "model.safetensors"), load_file(small / "model.safetensors")
    for name, weight in first.items():
        torch.testing.assert_close(second[name], weight, rtol=1e-4, atol=1e-5)


def test_17_what_comes_back_is_a_folder_whose_weights_were_trained(tmp_path):
    folder = tune(tmp_path / "out", **{**PACKED, "learning_rate": 1e-2}, save_strategy="no")
    assert isinstance(folder, Path)
    saved, before = load_file(folder / "model.safetensors"), load_file(model() / "model.safetensors")
    assert not torch.equal(saved["model.embed_tokens.weight"], before["model.embed_tokens.weight"])
    loaded = AutoModelForCausalLM.from_pretrained(folder)
    assert all(torch.equal(loaded.state_dict()[name], weight) for name, weight in saved.items())
    refuses("where an adapter would not be trained", use_peft=True, lora_target_modules=["lm_head"])


def test_18_packed_rows_train_in_the_named_precision_and_the_probe_bears_it(tmp_path):
    folder = tune(tmp_path / "out", **PACKED, save_strategy="no", dtype="bfloat16")
    assert {weight.dtype for weight in load_file(folder / "model.safetensors").values()} == {torch.bfloat16}
    refuses("--dtype auto: name the precision of the weights", dtype="auto")


def test_19_a_packed_run_goes_on_exactly_and_never_with_other_packs(tmp_path):
    whole = tune(tmp_path / "whole", **PACKED, max_steps=4, save_steps=2)
    flags = {**PACKED, "max_steps": 4, "resume_from_checkpoint": whole / "checkpoint-2"}
    again = tune(tmp_path / "again", **flags)
    assert (again / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert read_run(again) == read_run(whole)
    for changed, told in (
        ({"packing": False}, "packing True there, False here"),
        ({"max_length": 300}, "max_length 256 there, 300 here"),
        ({"dataset_name": other_built()}, "built mixture .* there, .* here"),
        ({"model_name_or_path": model(vocab_size=300)}, "tokenizer .* there, .* here"),
    ):
        with pytest.raises(TrainingError, match=told):
            tune(tmp_path / "refused", **{**flags, **changed})


@pytest.mark.parametrize("flags", [{"label_smoothing_factor": 0.1}, {"use_liger_kernel": True}, {"pad_token": "x"}])
def test_20_what_trl_has_deprecated_is_not_offered(flags):
    [name] = flags
    refuses(f"--{name}: refused, because TRL has deprecated it", **flags)


def test_20_no_warning_is_given_with_packing(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tune(tmp_path / "out", **PACKED, save_strategy="no")


def test_filling_at_the_end_of_a_flattened_batch_is_no_pair(tmp_path):
    run = prepared(tmp_path / "out", pad_to_multiple_of=64)
    row = run.rows[0]
    items = run.trainer.data_collator([row])
    assert items["input_ids"].shape[1] % 64 == 0
    found = documents(items)
    assert [len(one.ids) for one in found[: len(row["seq_lengths"])]] == row["seq_lengths"]
    assert {label for one in found[len(row["seq_lengths"]) :] for label in one.labels} <= {IGNORED}
    assert prove_spans(run.trainer.data_collator, run.rows, encoder=encoder(), built=built()) > 10


def test_rows_that_were_packed_for_a_run_without_packing_are_refused(tmp_path):
    folder = tmp_path / "shards"
    tokenise(built(), folder, Wanted(256, packing=True), encoder=encoder())
    with pytest.raises(TokenError, match=r"packing True there, False here\. Write others: instruction-kit tokenize"):
        tune(tmp_path / "out", **{**PACKED, "packing": False}, tokens=folder)
    collate = prepared(tmp_path / "padded", packing=False).trainer.data_collator
    with pytest.raises(
        TrainingError, match="does not keep the borders between their pairs, which would see each other"
    ):
        prove_spans(collate, closed().rows, encoder=encoder(), built=built())


def test_shards_that_are_there_are_taken_and_others_refused(tmp_path):
    folder = tmp_path / "shards"
    tokenise(built(), folder, Wanted(256, packing=True), encoder=encoder())
    mine = tune(tmp_path / "mine", **PACKED, tokens=folder, save_strategy="no")
    own = tune(tmp_path / "own", **PACKED, save_strategy="no")
    assert (mine / "model.safetensors").read_bytes() == (own / "model.safetensors").read_bytes()
    assert read_record(own / "tokens") == read_record(folder)
    assert not (mine / "tokens").exists()
    for changed, told in (
        ({"dataset_name": other_built()}, r"built mixture \w+ there, \w+ here"),
        ({"model_name_or_path": model(vocab_size=300)}, r"tokenizer \w+ there, \w+ here"),
        ({"tokens": tmp_path}, r"no tokens\.json, so it holds no whole token shards"),
    ):
        with pytest.raises(TokenError, match=told):
            tune(tmp_path / "refused", **{**PACKED, "tokens": folder, **changed})
    path = next(folder.glob("*.arrow"))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(TokenError, match="its token shards are broken, or another release wrote them"):
        tune(tmp_path / "refused", **PACKED, tokens=folder)


@pytest.mark.parametrize("packing", [True, False])
def test_one_batch_is_shown_and_no_step_taken(tmp_path, capsys, packing):
    flags = {**PACKED, "packing": packing, "per_device_train_batch_size": 2, "inspect": True}
    folder = tune(tmp_path / "out", **flags)
    assert [path.name for path in folder.iterdir()] == ["tokens"]
    shown = capsys.readouterr().out
    rows = prepared(tmp_path / "again", **{**flags, "inspect": False}).rows.select([0, 1])
    first = [pair for row in rows for pair in cut(row)]
    trained = sum(label != IGNORED for pair in first for label in pair["labels"])
    assert f"2 rows, {len(first)} pairs, " in shown
    assert f" {trained} trained\n" in shown
    decode = tokenizer().decode
    for pair in first:
        assert f"{pair['m_task']} train row {pair['m_row']}, template {pair['m_template']}: " in shown
        completion = str(decode([label for label in pair["labels"] if label != IGNORED]))
        assert f"{str(decode(pair['input_ids'])).removesuffix(completion)}⟦{completion}⟧" in shown
    lengths = [len(pair["input_ids"]) for pair in first]
    short = [] if packing else [max(lengths) - length for length in lengths if length < max(lengths)]
    assert all(f"⟧<|pad|> x {number}\n" in shown for number in short)
    assert shown.count("<|pad|>") == len(short)
