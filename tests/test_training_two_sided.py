"""Encoder-decoders, tuned: the prompt to the encoder, the output to the decoder, all else as ever."""

import dataclasses
import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest
import torch
from command import command
from conftest import SCRATCH
from safetensors.torch import load_file
from tiny_model import FLAGS, built, from_config, loss_on_the_prompt, one_thread, other_built, texts, watched_built
from tiny_model import tune as tune_causal
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, BartConfig, Seq2SeqTrainer, Seq2SeqTrainingArguments
from trl.trainer.sft_config import SFTConfig

from instruction_kit.errors import TokenError, TrainingError
from instruction_kit.evaluation.evaluate import evaluate
from instruction_kit.token.layout import read_layout
from instruction_kit.token.record import read_record
from instruction_kit.token.row import IGNORED
from instruction_kit.training import feed
from instruction_kit.training.document import documents
from instruction_kit.training.field import CAUSAL_ONLY, FORCED, PASSED, READ, REFUSED
from instruction_kit.training.flag import as_arguments, parse
from instruction_kit.training.resume import read_run
from instruction_kit.training.start import Prepared, prepare
from instruction_kit.training.toy import make_tokenizer, make_toy_encoder_decoder
from instruction_kit.training.two_sided import TwoSidedTrainer


@functools.cache
def t5() -> Path:
    folder = SCRATCH / "two-sided" / "t5"
    return make_toy_encoder_decoder(folder, texts(), vocab_size=400, hidden_size=32, num_layers=1)


@functools.cache
def bart() -> Path:
    """A model whose texts begin too, and whose decoder begins with the token that ends them."""
    folder, tokenizer = SCRATCH / "two-sided" / "bart", make_tokenizer(texts(), vocab_size=400, add_eos=True)
    sizes: Any = {f"{side}_{what}": n for side in ("encoder", "decoder")
             for what, n in (("layers", 1), ("ffn_dim", 64), ("attention_heads", 2))}  # fmt: skip
    config = BartConfig(
        **sizes, vocab_size=len(tokenizer), d_model=32, max_position_embeddings=512, dropout=0.0,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=tokenizer.eos_token_id, forced_eos_token_id=None,
    )  # fmt: skip
    from_config(config, seed=0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


MODELS = {"t5": t5, "bart": bart}


def prepared(output: Path, of: Path, **flags: object) -> Prepared:
    settled = {"dataset_name": built(), "model_name_or_path": of, "output_dir": output, **FLAGS, **flags}
    return prepare(parse(as_arguments(settled)))


@functools.cache
def run_of(kind: str) -> Prepared:
    """A run before its first step."""
    return prepared(SCRATCH / "two-sided" / f"run-{kind}", MODELS[kind]())


def tune(output: Path, **flags: object) -> Path:
    return tune_causal(output, **{"model_name_or_path": t5(), **flags})


def batch(run: Prepared, *numbers: int) -> dict[str, Any]:
    return dict(run.trainer.data_collator([run.rows[number] for number in numbers]))


def pairs_of(run: Prepared) -> list[tuple[str, str]]:
    frame = pl.read_parquet(built() / "train" / "train-*.parquet").select("prompt", "completion")
    return [frame.row(position) for [position] in run.rows["m_position"]]


# --- a batch ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MODELS)
def test_the_encoder_gets_the_prompt_and_the_decoder_the_output_as_the_tokenizer_writes_each(kind):
    run = run_of(kind)
    tokenizer = AutoTokenizer.from_pretrained(MODELS[kind]())
    start = run.trainer.model.config.decoder_start_token_id  # type: ignore[union-attr]
    items, numbers = batch(run, 0, 1, 2, 3), range(4)
    for number, (prompt, completion) in zip(numbers, pairs_of(run), strict=False):
        asked, said = (tokenizer(side, split_special_tokens=True)["input_ids"] for side in (prompt, completion))
        kept = items["attention_mask"][number].bool()
        assert items["input_ids"][number][kept].tolist() == asked
        assert items["labels"][number].tolist() == [
            IGNORED, *said, *[IGNORED] * (items["labels"].shape[1] - len(said) - 1)
        ]  # fmt: skip
        read = items["decoder_input_ids"][number][items["decoder_attention_mask"][number].bool()]
        assert read.tolist() == [start, *said]
        assert said.count(tokenizer.eos_token_id) == asked.count(tokenizer.eos_token_id) == 1
    cut = [one.ids[: sum(one.mask)] for one in documents(items)]
    assert cut == run.rows[:4]["input_ids"]


def test_filling_goes_to_the_asked_multiple_and_is_no_label(tmp_path):
    run = prepared(tmp_path / "out", t5(), pad_to_multiple_of=16)
    items = batch(run, 0, 1, 2)
    assert {items[name].shape[1] % 16 for name in ("input_ids", "labels", "decoder_input_ids")} == {0}
    for one, number in zip(documents(items), range(3), strict=True):
        length = sum(one.mask)
        assert one.labels == run.rows[number]["labels"] + [IGNORED] * (len(one.ids) - length)


def test_a_loss_on_the_prompt_does_not_pass_the_proof(tmp_path, monkeypatch):
    monkeypatch.setattr(feed, "tokenise", loss_on_the_prompt)
    with pytest.raises(TrainingError, match="the trained text is not the completion with the stop token"):
        tune(tmp_path / "refused")


# --- the loss ---------------------------------------------------------------------------------------------------------


def step(run: Prepared, batches: Sequence[dict[str, Any]]) -> tuple[float, list[torch.Tensor]]:
    """The loss of one optimiser step over several batches, and its gradients, through the trainer's own path."""
    tuned = cast("torch.nn.Module", run.trainer.model)
    with one_thread():
        tuned.zero_grad()
        if "loss_weights" not in batches[0]:
            run.trainer._scale = None
        count = run.trainer._get_num_items_in_batch(list(batches), torch.device("cpu"))
        loss = sum(run.trainer.compute_loss(tuned, dict(one), num_items_in_batch=count) for one in batches)
        loss.backward()
        return float(loss.detach()), [weight.grad.clone() for weight in tuned.parameters() if weight.grad is not None]


@pytest.mark.parametrize("kind", MODELS)
def test_the_loss_and_the_gradients_are_those_of_the_model_and_of_transformers_own_trainer(kind, tmp_path):
    run, items = run_of(kind), batch(run_of(kind), 0, 1, 2, 3)
    fresh = AutoModelForSeq2SeqLM.from_pretrained(MODELS[kind]())
    theirs = {
        "input_ids": items["input_ids"],
        "attention_mask": items["attention_mask"],
        "labels": items["labels"][:, 1:].contiguous(),
    }
    own = Seq2SeqTrainer(fresh, Seq2SeqTrainingArguments(tmp_path, report_to="none", use_cpu=True, disable_tqdm=True))
    with one_thread():
        loss = cast("torch.Tensor", own.compute_loss(fresh, dict(theirs)))
        loss.backward()
    mine, found = step(run, [items])
    assert mine == pytest.approx(float(loss.detach()), abs=1e-6)
    wanted = [weight.grad for weight in fresh.parameters() if weight.grad is not None]
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_step_is_over_its_tokens_however_it_is_accumulated():
    run = run_of("t5")
    whole, gradients = step(run, [batch(run, 0, 1, 2, 3)])
    parts, found = step(run, [batch(run, 0), batch(run, 1, 2), batch(run, 3)])
    assert parts == pytest.approx(whole, abs=1e-6)
    for one, other in zip(found, gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_weights_give_the_weighted_mean_of_the_tokens(tmp_path):
    run = prepared(tmp_path / "out", t5(), weigh="pair", task_weight=["color=0.25"])
    items = batch(run, 0, 1, 2, 3)
    weights, labels = items["loss_weights"], items["labels"]
    assert torch.equal(weights > 0, labels != IGNORED)
    assert len(set(weights.sum(1).tolist())) == 2
    fresh = AutoModelForSeq2SeqLM.from_pretrained(t5())
    with one_thread(), torch.no_grad():
        logits = fresh(
            input_ids=items["input_ids"], attention_mask=items["attention_mask"], labels=labels[:, 1:].contiguous()
        ).logits
    losses = -logits.log_softmax(-1).gather(2, labels[:, 1:].clamp(min=0)[..., None])[..., 0]
    wanted = (losses * weights[:, 1:]).sum() / weights.sum()
    for batches in ([items], [batch(run, 0), batch(run, 1, 2, 3)]):
        assert step(run, batches)[0] == pytest.approx(float(wanted), abs=1e-5)


# --- a run ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tuned(tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("tuned") / "out"
    return tune(
        output, dataset_name=watched_built(), max_steps=90, learning_rate=2e-2, save_steps=45, logging_steps=45,
        eval_strategy="steps", eval_steps=45, held_out_rows=4,
    )  # fmt: skip


def history(folder: Path) -> list[dict[str, float]]:
    found: list[dict[str, float]] = json.loads((folder / "trainer_state.json").read_text("utf-8"))["log_history"]
    return found


def test_a_run_learns_and_its_folder_is_measured_in_its_own_layout(tuned, tmp_path):
    told = history(tuned)
    losses = [entry["loss"] for entry in told if "loss" in entry]
    assert losses[1] < losses[0] / 2
    layout = read_layout(tuned)
    assert layout is not None
    assert (layout.kind, layout.bos, layout.prompt_end, layout.stop) == ("encoder_decoder", None, "<|end|>", "<|end|>")
    card = (tuned / "README.md").read_text(encoding="utf-8")
    assert "Layout: the prompt for the encoder, the output for the decoder;" in card
    assert "- trl\n" not in card
    report = evaluate(
        watched_built(), model_name_or_path=tuned, baseline=t5(), output_dir=tmp_path / "report", split="validation",
        protocol=["rank", "generate"], max_new_tokens=8,
    )  # fmt: skip
    figures = {(task.task, task.kind.measure): task.figures for task in report.split("validation").tasks}
    for measured in (("color", "accuracy"), ("add", "exact_match")):
        assert set(figures[measured]) == {"model", "baseline"}
    rows = pl.read_parquet(tmp_path / "report" / "rows.parquet").filter(
        model="model", protocol="generate", task="color"
    )
    read = rows["answer"].drop_nulls()  # a mark such as `(D)` is read as its words
    assert read.len() > rows.height / 2
    assert set(read) <= {"red", "green", "blue", "pink"}


def test_what_is_watched_is_the_loss_by_token_and_held_out_tasks(tuned):
    told = [entry for entry in history(tuned) if "eval_loss" in entry]
    assert [entry["step"] for entry in told] == [45, 90]
    assert "eval_held_out/toy_shape" in told[0]
    run = prepared(tuned.parent / "again", t5(), dataset_name=watched_built(), eval_strategy="steps")
    rows, fresh = run.trainer.watched.validation, AutoModelForSeq2SeqLM.from_pretrained(tuned)
    assert rows is not None
    total, count = 0.0, 0
    for number in range(len(rows)):
        items = dict(run.trainer.data_collator([rows[number]]))
        with one_thread(), torch.no_grad():
            loss = fresh(input_ids=items["input_ids"], labels=items["labels"][:, 1:].contiguous()).loss
        tokens = int((items["labels"] != IGNORED).sum())
        total, count = total + float(loss) * tokens, count + tokens
    assert told[-1]["eval_loss"] == pytest.approx(total / count, abs=1e-5)


def test_a_run_that_is_gone_on_with_ends_with_the_same_bytes_and_never_with_other_data(tmp_path):
    whole = tune(tmp_path / "whole", max_steps=4, save_steps=2)
    flags = {"max_steps": 4, "resume_from_checkpoint": whole / "checkpoint-2"}
    again = tune(tmp_path / "again", **flags)
    assert (again / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert read_run(again) == read_run(whole)
    assert 0 < read_run(whole / "checkpoint-2").num_tokens < read_run(whole).num_tokens
    with pytest.raises(TrainingError, match=r"built mixture .* there, .* here"):
        tune(tmp_path / "refused", **{**flags, "dataset_name": other_built()})


@pytest.mark.parametrize("merged", [False, True])
def test_an_adapter_is_trained_saved_and_measured(tmp_path, merged):
    flags = {"use_peft": True, "lora_r": 2, "lora_target_modules": ["q", "v"], "merge_adapter": merged}
    folder = tune(tmp_path / "out", **flags, max_steps=3, learning_rate=1e-1, save_strategy="no")
    assert (folder / "adapter_config.json").is_file() is not merged
    if not merged:
        assert json.loads((folder / "adapter_config.json").read_text("utf-8"))["task_type"] == "SEQ_2_SEQ_LM"
    report = evaluate(
        watched_built(), model_name_or_path=folder, baseline=t5(), output_dir=tmp_path / "report", rows_per_task=2
    )
    assert report.splits
    scores = pl.read_parquet(tmp_path / "report" / "rows.parquet").partition_by("model", as_dict=True)
    assert scores[("model",)]["scores"].to_list() != scores[("baseline",)]["scores"].to_list()


def test_weights_have_the_named_type_and_inputs_are_shown(tmp_path, capsys):
    folder = tune(tmp_path / "out", dtype="bfloat16", save_strategy="no")
    assert {weight.dtype for weight in load_file(folder / "model.safetensors").values()} == {torch.bfloat16}
    tune(tmp_path / "shown", inspect=True, per_device_train_batch_size=1)
    shown = capsys.readouterr().out
    [prompt, completion] = pairs_of(run_of("t5"))[0]
    assert f"{prompt}<|end|>⟦{completion}<|end|>⟧" in shown


def test_shards_that_the_command_wrote_are_taken(tmp_path):
    shards = tmp_path / "shards"
    told = command("tokenize", built(), shards, "--tokenizer", t5(), "--max-length", "512")
    assert told.code == 0, told.err
    record = read_record(shards)
    assert record is not None
    assert record.identity.layout.kind == "encoder_decoder"
    assert prepared(tmp_path / "out", t5(), tokens=shards).record == record
    assert not (tmp_path / "out" / "tokens").exists()


# --- flags ------------------------------------------------------------------------------------------------------------


def test_every_flag_of_trl_s_own_is_read_here_or_has_a_reason():
    """What transformers' trainer does not know is read by this kit, forced, refused, or refused here."""
    theirs = {item.name for item in dataclasses.fields(Seq2SeqTrainingArguments)}
    alone = {item.name for item in dataclasses.fields(SFTConfig)} - theirs
    read = {"max_length", "model_init_kwargs", "trust_remote_code"} & READ | {"pad_to_multiple_of"}
    assert alone - set(FORCED) - set(REFUSED) - read == set(CAUSAL_ONLY)
    assert set(CAUSAL_ONLY) <= READ | PASSED


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"packing": True, "max_length": 256}, "--packing: refused, because .*t5 is an encoder-decoder, and a row has"),
        ({"loss_type": "dft"}, "--loss_type: refused, because .*t5 is an encoder-decoder, and TRL's own trainer alone"),
        ({"activation_offloading": True, "router_aux_loss_coef": 0.5}, "--activation_off(.|\n)*--router_aux_loss_c"),
        ({"padding_free": True}, "--padding_free: always False"),
        ({"layout": "chat"}, "--layout chat: .* is an encoder-decoder, which reads the prompt by one side"),
        ({"system_message": "Be brief."}, "--system_message: .* is an encoder-decoder, which reads the prompt by one"),
    ],
)  # fmt: skip
def test_what_means_nothing_there_is_refused_before_anything_is_written(tmp_path, flags, told):
    with pytest.raises((TrainingError, TokenError), match=told):
        prepared(tmp_path / "out", t5(), **flags)
    assert not (tmp_path / "out").exists()


def test_a_model_whose_sides_share_an_embedding_is_not_divided(tmp_path, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    monkeypatch.setenv("FSDP_VERSION", "2")
    with pytest.raises(TrainingError, match="whose sides share an embedding that FSDP2 cannot divide; run `accelerate"):
        prepared(tmp_path / "out", t5())
    assert not (tmp_path / "out").exists()


def test_the_trainer_follows_from_the_model_s_configuration():
    assert type(run_of("t5").trainer) is TwoSidedTrainer
    assert isinstance(run_of("bart").trainer, Seq2SeqTrainer)
