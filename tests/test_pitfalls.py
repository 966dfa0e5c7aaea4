"""The twenty pitfalls of tuning with TRL, each closed by code or by refusal.

Numbers and subjects are those of the notes that this project keeps on TRL 1.16; the tests run the installed release, so
that another one cannot open a pitfall again. `closed` builds a real trainer on real token shards.
"""

import functools
import inspect
import json
import warnings
from pathlib import Path
from typing import Any, cast

import chat_model
import pytest
import torch
from conftest import SCRATCH
from safetensors.torch import load_file
from tiny_model import (
    FLAGS,
    built,
    encoder,
    loss_on_the_prompt,
    model,
    one_thread,
    other_built,
    tokenizer,
    tune,
    watched_built,
)
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, Seq2SeqTrainer
from trl.trainer import sft_trainer

from instruction_kit.errors import TokenError, TrainingError
from instruction_kit.token.layout import Layout
from instruction_kit.token.plain import PlainEncoder
from instruction_kit.token.row import IGNORED, ORIGIN, SCHEMA
from instruction_kit.token.settle import layout_of
from instruction_kit.token.shard import Wanted, tokenise
from instruction_kit.training.flag import as_arguments, parse
from instruction_kit.training.resume import read_run
from instruction_kit.training.span import prove_spans
from instruction_kit.training.start import Prepared, prepare
from instruction_kit.training.trainer import KitTrainer, RunTrainer

RESERVED = {
    "assistant_masks", "chat_template_kwargs", "chosen", "completion", "completion_mask", "conversations", "image",
    "images", "input_ids", "labels", "length", "messages", "prompt", "rejected", "seq_lengths", "text", "tools",
}  # fmt: skip


def prepared(output: Path, **flags: object) -> Prepared:
    settled = {"dataset_name": built(), "model_name_or_path": model(), "output_dir": output, **FLAGS, **flags}
    return prepare(parse(as_arguments(settled)))


@functools.cache
def closed() -> Prepared:
    """A run before its first step."""
    return prepared(SCRATCH / "pitfalls" / "run")


WATCHED: dict[str, Any] = {"dataset_name": watched_built(), "eval_strategy": "steps", "eval_steps": 2}


def refuses(reason: str, **flags: object) -> None:
    with pytest.raises(TrainingError, match=reason):
        prepared(SCRATCH / "pitfalls" / "refused", **flags)
    assert not (SCRATCH / "pitfalls" / "refused").exists()


@functools.cache
def closed_chat(kind: str) -> Prepared:
    """A run in a chat layout before its first step."""
    chat = {"dataset_name": chat_model.built(), "model_name_or_path": chat_model.model(kind), "accept_dropped": True}
    return prepared(SCRATCH / "pitfalls" / f"chat-{kind}", **chat)


def batch(*numbers: int, of: Prepared | None = None) -> dict[str, torch.Tensor]:
    run = of or closed()
    return dict(run.trainer.data_collator([run.rows[number] for number in numbers]))


def loss_of(items: dict[str, torch.Tensor], num_items: int | None = None, *, of: Prepared | None = None) -> float:
    run = (of or closed()).trainer
    with one_thread(), torch.no_grad():
        return float(run.compute_loss(run.model, dict(items), num_items_in_batch=num_items))


def by_hand(items: dict[str, torch.Tensor], *, of: Path | None = None) -> float:
    """The mean over the completions' tokens, from a model that no trainer has touched."""
    fresh = AutoModelForCausalLM.from_pretrained(of or model())
    with one_thread(), torch.no_grad():
        logits = fresh(input_ids=items["input_ids"], attention_mask=items["attention_mask"]).logits
    return float(cross_entropy(logits[:, :-1].flatten(0, 1), items["labels"][:, 1:].flatten(), ignore_index=IGNORED))


def test_01_the_labels_are_our_own_and_the_loss_is_on_the_completion_alone():
    items = batch(0, 1, 2, 3)
    assert loss_of(items) == pytest.approx(by_hand(items), abs=1e-5)
    whole_row = {**items, "labels": items["input_ids"].where(items["attention_mask"] == 1, IGNORED)}
    assert by_hand(whole_row) != pytest.approx(by_hand(items), abs=1e-3)
    refuses("--completion_only_loss: always True", completion_only_loss=False)
    refuses("--assistant_only_loss: always False", assistant_only_loss=True)


@pytest.mark.parametrize("kind", chat_model.TEMPLATES)
def test_01_in_a_conversation_the_loss_is_on_the_last_answer_alone(kind):
    run = closed_chat(kind)
    items = batch(0, 1, 2, 3, of=run)
    assert loss_of(items, of=run) == pytest.approx(by_hand(items, of=chat_model.model(kind)), abs=1e-5)
    decode = run.trainer.encoder.tokenizer.decode
    for row, pair in zip(run.rows, pairs_of(run), strict=True):
        assert decode([label for label in row["labels"] if label != IGNORED]) == (
            pair["completion"] + chat_model.STOPS[kind]
        )


def pairs_of(run: Prepared) -> list[dict[str, Any]]:
    whole = chat_model.rows()
    return [whole[position] for [position] in run.rows["m_position"]]


def test_02_preparation_is_skipped_and_there_is_no_packing_for_it_to_go_wrong_with():
    assert vars(closed().trainer.args)["dataset_kwargs"] == {"skip_prepare_dataset": True}
    assert closed().trainer.train_dataset is closed().rows
    assert vars(closed().trainer)["padding_free"] is False
    assert [row["seq_lengths"] for row in closed().rows] == [[len(row["input_ids"])] for row in closed().rows]
    refuses("--dataset_kwargs: always", dataset_kwargs={"skip_prepare_dataset": False})


def test_03_the_stop_token_is_an_id_put_once_and_proved_to_be_there_once():
    made = encoder()
    for row in closed().rows:
        assert row["labels"].count(made.stop_id) == row["input_ids"].count(made.stop_id) == 1
        assert row["input_ids"][-1] == made.stop_id
    text = made.layout.stop
    [ids] = made.completions([f"yes{text}"])
    assert ids.count(made.stop_id) == 1
    assert made.tokenizer.decode(ids) == f"yes{text}{text}"
    without = tokenizer()
    without.eos_token = None
    with pytest.raises(TokenError, match="no end-of-sequence token"):
        layout_of(without, joiner="\n")


@pytest.mark.parametrize("kind", chat_model.TEMPLATES)
def test_03_in_a_conversation_the_last_stop_token_alone_is_learnt_and_nothing_after_it(kind):
    run = closed_chat(kind)
    stop = run.trainer.encoder.stop_id
    for row, pair in zip(run.rows, pairs_of(run), strict=True):
        turns = 2 + 2 * len(pair["exemplars"]) + len(pair["turns"] or [])
        assert row["input_ids"].count(stop) == turns
        learnt = [place for place, label in enumerate(row["labels"]) if label != IGNORED]
        assert row["labels"].count(stop) == 1
        assert row["labels"][learnt[-1]] == stop
        assert run.trainer.encoder.tokenizer.decode([*row["input_ids"][learnt[-1] + 1 :], stop]) == (
            chat_model.RESTS[kind] + chat_model.STOPS[kind]
        )
    assert vars(run.trainer.args)["eos_token"] is None
    refuses("--eos_token: refused, because the stop token is the layout's", eos_token="<|eot|>")
    refuses("--assistant_only_loss: always False", assistant_only_loss=True)


@pytest.mark.parametrize("kind", chat_model.TEMPLATES)
def test_04_a_conversation_begins_once_as_its_template_begins_it(kind):
    run = closed_chat(kind)
    begin = run.trainer.encoder.tokenizer.bos_token_id
    for row in run.rows:
        assert row["input_ids"].count(begin) == (0 if kind == "chatml" else 1)
        assert kind == "chatml" or row["input_ids"][0] == begin
    refuses("--chat_template_path: refused, because the chat layout is the tokenizer's own", chat_template_path="x")


def test_04_prompt_and_completion_are_tokenised_apart_with_one_beginning():
    made = encoder()
    together = tokenizer(add_bos=False)("The Item")["input_ids"]
    [prompt], [completion] = made.prompts(["The It"]), made.completions(["em"])
    assert [*prompt[1:], *completion[:-1]] != together
    begins = made.layout.bos
    [ids] = made.prompts([f"{begins}{begins} two more"])
    assert [ids[0], ids.count(ids[0])] == [made.bos_id, 1]
    assert made.tokenizer.decode(ids) == f"{begins}{begins}{begins} two more"


def test_05_nothing_is_truncated_and_a_row_without_loss_is_an_error(tmp_path):
    with pytest.raises(TokenError, match="Nothing is cut here"):
        tune(tmp_path / "out", max_length=40)
    refuses("--truncation_mode: refused, because nothing is cut", truncation_mode="keep_end")
    run = closed()
    masked = run.rows.map(lambda row: {"labels": [IGNORED] * len(row["labels"])}, load_from_cache_file=False)
    with pytest.raises(TrainingError, match="no token is trained on"):
        prove_spans(run.trainer.data_collator, masked, encoder=encoder(), built=built())


def test_06_no_column_of_ours_has_a_name_that_trl_reads():
    ours = set(SCHEMA.names) - {"input_ids", "labels", "seq_lengths"}
    assert ours == {*ORIGIN, "m_position", "loss_weights", "task_ids"}
    assert ours & RESERVED == set()
    source = inspect.getsource(sft_trainer)
    assert not [name for name in ours if f'"{name}"' in source]


def test_07_rows_hold_neither_texts_nor_messages_for_a_format_to_be_guessed_from():
    assert set(closed().rows.column_names) == set(SCHEMA.names)
    assert {"prompt", "completion", "messages"} & set(SCHEMA.names) == set()
    assert vars(closed().trainer)["_is_vision_dataset"] is False
    assert set(closed_chat("turns").rows.column_names) == set(SCHEMA.names)


@pytest.mark.parametrize("strategy", ["wrapped", "bfd_split"])
def test_08_no_packing_strategy_but_whole_pairs_is_offered_least_of_all_the_contaminating_one(strategy):
    refuses("--packing_strategy: always bfd", packing=True, packing_strategy=strategy)


def test_09_rows_of_one_batch_do_not_see_each_other():
    items, alone = batch(0, 1, 2, 3), [batch(number) for number in range(4)]
    fresh = AutoModelForCausalLM.from_pretrained(model())
    with one_thread(), torch.no_grad():
        together = fresh(input_ids=items["input_ids"], attention_mask=items["attention_mask"]).logits
        for number, one in enumerate(alone):
            length = one["input_ids"].shape[1]
            single = fresh(input_ids=one["input_ids"], attention_mask=one["attention_mask"]).logits
            torch.testing.assert_close(together[number, :length], single[0], rtol=1e-5, atol=1e-6)
    refuses("--padding_free: always False", padding_free=True)


def test_10_no_batch_is_flattened_into_one_long_row():
    items = batch(0, 1, 2, 3)
    assert vars(closed().trainer)["padding_free"] is False
    assert set(items) == {"input_ids", "labels", "attention_mask", "task_ids", "positions"}
    assert items["input_ids"].shape[0] == 4
    assert items["input_ids"].shape[1] == max(len(closed().rows[number]["input_ids"]) for number in range(4))


def test_11_rows_come_in_the_order_of_the_mixture_and_not_sorted_by_length(tmp_path):
    run = prepared(tmp_path / "out")
    seen = [row for items in run.trainer.get_train_dataloader() for row in items["input_ids"].tolist()]
    pad = encoder().tokenizer.pad_token_id
    assert [[token for token in row if token != pad] for row in seen] == [row["input_ids"] for row in run.rows]
    refuses("--train_sampling_strategy: always sequential", train_sampling_strategy="group_by_length")
    refuses("--shuffle_dataset: always False", shuffle_dataset=True)


def test_12_rows_are_made_once_and_hashed_whatever_the_number_of_processes(tmp_path):
    first = tokenise(built(), tmp_path / "a", Wanted(512), encoder=encoder())
    second = tokenise(built(), tmp_path / "b", Wanted(512), encoder=encoder())
    assert [shard.sha256 for shard in first.shards] == [shard.sha256 for shard in second.shards]
    assert first == closed().record
    refuses("--dataset_num_proc: refused, because the rows are tokens before", dataset_num_proc=2)


def test_13_no_set_is_handed_to_an_evaluation_neither_one_nor_a_dict_of_several():
    run = closed()
    for sets in (run.rows, {"x": run.rows}, "x"):
        with pytest.raises(TrainingError, match=r"only what a run watches is evaluated; .* scripts/evaluate\.py"):
            run.trainer.evaluate(sets)
    assert set(run.trainer.evaluate()) <= {"epoch"}
    refuses("--eval_packing: always False", eval_packing=True)


def test_14_the_loss_of_an_evaluation_is_by_token_whatever_the_batch_size(tmp_path):
    found, run = [], closed()
    for size in (1, 4, 100):
        run = prepared(tmp_path / f"{size}", **WATCHED, per_device_eval_batch_size=size)
        with one_thread():
            found.append(run.trainer.evaluate()["eval_loss"])
    assert found == pytest.approx([found[0]] * 3, abs=1e-5)
    rows = run.trainer.watched.validation
    assert rows is not None
    assert found[0] == pytest.approx(by_hand(dict(run.trainer.data_collator(list(rows)))), abs=1e-5)
    refuses("--eval_do_concat_batches: refused, because evaluations are this kit's own", eval_do_concat_batches=False)


def test_15_every_figure_of_an_evaluation_has_the_name_of_what_it_is_about(tmp_path):
    folder = tune(tmp_path / "out", **WATCHED, save_strategy="no")
    history = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    found = [name for entry in history for name in entry if name.startswith("eval")]
    losses = ["eval_loss", "eval_loss_task/add", "eval_loss_task/color", "eval_loss_cluster/toy",
              "eval_loss_cluster/toy_math"]  # fmt: skip
    assert sorted(found) == sorted([*losses, "eval_held_out", "eval_held_out/toy_shape"])


def test_16_every_step_weighs_at_least_one_token_so_that_nothing_is_rescaled():
    assert all(sum(label != IGNORED for label in row["labels"]) >= 2 for row in closed().rows)
    shortest = min(
        range(len(closed().rows)), key=lambda number: sum(x != IGNORED for x in closed().rows[number]["labels"])
    )
    items = batch(shortest)
    count = int((items["labels"][:, 1:] != IGNORED).sum())
    assert loss_of(items, count) == pytest.approx(by_hand(items), abs=1e-5)
    assert closed().rows["loss_weights"][:] == [None] * len(closed().rows)


def test_16_a_large_batch_and_accumulated_small_ones_give_the_same_step(tmp_path):
    large = tune(tmp_path / "large", per_device_train_batch_size=8, save_strategy="no")
    small = tune(tmp_path / "small", per_device_train_batch_size=2, gradient_accumulation_steps=4, save_strategy="no")
    first, second = load_file(large / "model.safetensors"), load_file(small / "model.safetensors")
    for name, weight in first.items():
        torch.testing.assert_close(second[name], weight, rtol=1e-4, atol=1e-5)


def test_17_what_comes_back_is_a_folder_and_no_patched_model_and_no_adapter_stands_on_an_embedding(tmp_path):
    folder = tune(tmp_path / "out", save_strategy="no", learning_rate=1e-2)
    assert isinstance(folder, Path)
    loaded = AutoModelForCausalLM.from_pretrained(folder)
    saved, before = load_file(folder / "model.safetensors"), load_file(model() / "model.safetensors")
    name = "model.embed_tokens.weight"
    assert torch.equal(loaded.state_dict()[name], saved[name])
    assert not torch.equal(saved[name], before[name])
    for layer in ("lm_head", "embed_tokens"):
        with pytest.raises(TrainingError, match="where an adapter would not be trained or not be merged right"):
            prepared(tmp_path / layer, use_peft=True, lora_target_modules=[layer])


def test_17_an_output_layer_that_is_trained_whole_learns_and_the_fused_loss_is_that_of_its_weights(tmp_path):
    flags = {"use_peft": True, "lora_modules_to_save": ["lm_head"], "learning_rate": 1e-2, "max_steps": 4}
    flags["save_strategy"] = "no"
    run = prepared(tmp_path / "run", **flags)
    items = dict(run.trainer.data_collator([run.rows[number] for number in range(4)]))
    with one_thread():
        run.trainer.train()
        cast("torch.nn.Module", run.trainer.model).eval()
        with torch.no_grad():
            told = float(run.trainer.compute_loss(run.trainer.model, dict(items)))
    folder = tune(tmp_path / "out", **flags, merge_adapter=True)
    assert told == pytest.approx(by_hand(items, of=folder), abs=1e-5)
    before = load_file(model() / "model.safetensors")["model.embed_tokens.weight"]
    assert not torch.equal(load_file(folder / "model.safetensors")["model.embed_tokens.weight"], before)


def test_18_the_precision_is_the_named_one_and_full_unless_another_is_named(tmp_path):
    halved = tmp_path / "halved"
    AutoModelForCausalLM.from_pretrained(model(), dtype=torch.bfloat16).save_pretrained(halved)
    tokenizer().save_pretrained(halved)
    folder = tune(tmp_path / "out", model_name_or_path=halved, save_strategy="no")
    assert {weight.dtype for weight in load_file(folder / "model.safetensors").values()} == {torch.float32}
    named = tune(tmp_path / "named", model_name_or_path=halved, save_strategy="no", dtype="bfloat16")
    assert {weight.dtype for weight in load_file(named / "model.safetensors").values()} == {torch.bfloat16}
    refuses("--dtype auto: name the precision of the weights", dtype="auto")
    refuses("--model_init_kwargs dtype: set it by --dtype", model_init_kwargs={"dtype": "bfloat16"})


def test_19_a_resumed_run_has_the_same_data_and_counts_its_tokens_on(tmp_path):
    whole = tune(tmp_path / "whole", max_steps=4, save_steps=2)
    checkpoint = whole / "checkpoint-2"
    assert 0 < read_run(checkpoint).num_tokens < read_run(whole).num_tokens
    flags = {"max_steps": 4, "resume_from_checkpoint": checkpoint}
    assert read_run(tune(tmp_path / "resumed", **flags)) == read_run(whole)
    with pytest.raises(TrainingError, match=r"built mixture .* there, .* here"):
        tune(tmp_path / "refused", dataset_name=other_built(), **flags)
    refuses("--ignore_data_skip: always False", ignore_data_skip=True)


@pytest.mark.parametrize(
    "flags",
    [
        {"label_smoothing_factor": 0.1},
        {"use_liger_kernel": True},
        {"liger_kernel_config": {"x": True}},
        {"pad_token": "x"},
    ],
)
def test_20_what_trl_has_deprecated_is_not_offered(flags):
    [name] = flags
    refuses(f"--{name}: refused, because TRL has deprecated it", **flags)


@pytest.mark.parametrize("flags", [{}, {"use_peft": True, "lora_modules_to_save": ["lm_head"], "merge_adapter": True}])
def test_20_no_deprecated_path_runs_and_no_warning_is_given(tmp_path, flags):
    trainer = closed().trainer
    assert (trainer.compute_metrics, trainer.compute_loss_func, trainer.label_smoother) == (None, None, None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tune(tmp_path / "out", save_strategy="no", **flags)


def test_the_names_that_the_trainer_overrides_are_still_those_of_trl():
    theirs = sft_trainer.SFTTrainer
    for name in (
        "training_step",
        "evaluate",
        "create_model_card",
        "_send_telemetry",
        "_save",
        "_save_checkpoint",
        "log",
        "_get_num_items_in_batch",
        "_set_signature_columns_if_needed",
        "compute_loss",
    ):
        assert name in {**vars(RunTrainer), **vars(KitTrainer)}
        assert callable(getattr(theirs, name))
        assert name == "_send_telemetry" or callable(getattr(Seq2SeqTrainer, name))
    assert closed().trainer._total_train_tokens == 0
    closed().trainer.count_from(5)
    assert closed().trainer.run_so_far().num_tokens == 5
    closed().trainer.count_from(0)


def test_a_model_trained_with_the_loss_on_the_prompt_does_not_pass_unseen(tmp_path, monkeypatch):
    """What the demo's own check of itself does: rewrite the shards' labels."""
    from instruction_kit.training import feed, run

    monkeypatch.setattr(feed, "tokenise", loss_on_the_prompt)
    with pytest.raises(TrainingError, match="the ids after the span are not what the layout adds"):
        tune(tmp_path / "refused")
    monkeypatch.setattr(run, "prove_spans", lambda *_, **__: 0)
    assert tune(tmp_path / "unproved", save_strategy="no").is_dir()


def test_a_layout_without_bos_gives_rows_without_it():
    loaded = tokenizer(add_bos=False)
    made = PlainEncoder(loaded, Layout(kind="plain", joiner="\n", bos=None, stop=str(loaded.eos_token)))
    assert made.bos_id is None
    assert loaded.bos_token_id not in made.prompts(["a"])[0]
