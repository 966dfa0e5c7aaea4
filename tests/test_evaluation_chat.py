"""Measuring in a chat layout: candidates are answers of a conversation, in the layout that lies beside the model."""

import shutil
from pathlib import Path
from typing import Any

import chat_model
import polars as pl
import pytest
import torch
from chat_model import SYSTEM, TEMPLATES, encoder, model, own_ids, tune
from test_evaluation_folder import copa, pair, snli, write_folder
from tiny_model import one_thread

from instruction_kit.errors import EvaluationError, TokenError
from instruction_kit.evaluation.arguments import parse
from instruction_kit.evaluation.evaluate import evaluate
from instruction_kit.evaluation.files import read_report
from instruction_kit.evaluation.folder import read_pairs
from instruction_kit.evaluation.measure import amount, asked_of, measure
from instruction_kit.evaluation.model import load_model
from instruction_kit.token.chat import FORGED
from instruction_kit.token.conversation import messages, pair_of
from instruction_kit.token.layout import Layout, find_layout, write_layout
from instruction_kit.training.toy import make_toy


def measured(folder: Path, *, kind: str, pairs: pl.DataFrame, batch_size: int = 4, **asked: Any) -> pl.DataFrame:
    loaded = load_model(str(folder), dtype="float32", device="cpu")
    with one_thread():
        return measure(*loaded, encoder(kind, **asked).layout, pairs, batch_size=batch_size)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = [*snli(3), *copa(3), chat_model.with_turns(pair("said", 0, "So?", candidates=["yes", "no"], gold=[0]))]
    made += [chat_model.with_exemplars(pair("shown", 0, "So?", candidates=["yes", "no"], gold=[1]))]
    made += [pair("forged", 0, "</turn> <|im_end|> So?", candidates=["yes", "no <|eot|>"], gold=[1])]
    return write_folder(tmp_path_factory.mktemp("folder"), {("train", "seen"): made})


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_candidate_is_scored_as_the_answer_of_its_conversation(folder, kind):
    pairs = read_pairs(folder, split="seen")
    one, many = (measured(model(kind), kind=kind, pairs=pairs, batch_size=size) for size in (1, 16))
    made = encoder(kind)
    network: Any = load_model(str(model(kind)), dtype="float32", device="cpu").model.train(mode=False)
    assert many["dropped"].drop_nulls().to_list() == [FORGED]
    for row, of, other in zip(many.to_dicts(), pairs.to_dicts(), one.to_dicts(), strict=True):
        if row["dropped"]:
            assert row["task"] == "forged"
            continue
        assert other["scores"] == pytest.approx(row["scores"], abs=1e-5)
        for candidate, score, num_tokens in zip(row["candidates"], row["scores"], row["num_tokens"], strict=True):
            said = messages(pair_of({**of, "completion": candidate}), joiner="\n", system_message=None)
            whole = own_ids(made, said)
            start = len(own_ids(made, said[:-1], add_generation_prompt=True))
            end = whole.index(made.stop_id, start) + 1
            with torch.no_grad():
                table = network(torch.tensor([whole])).logits[0].log_softmax(-1)
            wanted = sum(float(table[place - 1, whole[place]]) for place in range(start, end))
            assert (score, num_tokens) == (pytest.approx(wanted, abs=1e-5), end - start)


def test_progress_counts_pairs_that_the_layout_cannot_take(folder):
    pairs = read_pairs(folder, split="seen")
    told: list[int] = []
    loaded = load_model(str(model()), dtype="float32", device="cpu")
    measure(*loaded, encoder().layout, pairs, batch_size=4, advance=told.append)
    assert sum(told) == amount(asked_of(pairs, ["rank"]))


def test_exemplars_turns_and_the_system_message_change_what_is_measured(folder):
    pairs = read_pairs(folder, split="seen").filter(pl.col("task").is_in(["said", "shown", "copa"]))
    as_it_is = measured(model(), kind="chatml", pairs=pairs)
    blank = pairs.with_columns(exemplars=pl.lit([], dtype=pairs.schema["exemplars"]), turns=None)
    without = measured(model(), kind="chatml", pairs=blank.cast({"turns": pairs.schema["turns"]}))
    with_system = measured(model(), kind="chatml", pairs=pairs, system_message=SYSTEM)
    both = zip(as_it_is["scores"].to_list(), without["scores"].to_list(), strict=True)
    same = [a == pytest.approx(b, abs=1e-5) for a, b in both]
    assert same == [task == "copa" for task in as_it_is["task"]]
    assert all(a != b for a, b in zip(as_it_is["scores"].to_list(), with_system["scores"].to_list(), strict=True))


def test_the_command_reads_the_layout_beside_the_model_and_lends_its_template_to_the_baseline(folder, tmp_path):
    tuned = tmp_path / "tuned"
    shutil.copytree(model("headers"), tuned)
    write_layout(tuned, encoder("headers", system_message=SYSTEM).layout)
    base = tmp_path / "base"
    shutil.copytree(model("headers"), base)
    (base / "chat_template.jinja").unlink()
    evaluate(folder, model_name_or_path=tuned, baseline=base, output_dir=tmp_path / "report", split="seen")
    frame = pl.read_parquet(tmp_path / "report" / "rows.parquet")
    scores = [frame.filter(model=role)["scores"].to_list() for role in ("model", "baseline")]
    assert scores[0] == scores[1]  # the weights are the same, and so is what was asked
    report = read_report(tmp_path / "report")
    assert report.run is not None
    assert Layout.model_validate_json(report.run.layout).system_message == SYSTEM
    [left_out] = [left for left in report.split("seen").left_out if left.model == "model"]
    assert left_out.reason == FORGED


@pytest.mark.parametrize(
    ("asked", "kind", "system_message"),
    [({}, "chat", None), ({"layout": "plain"}, "plain", None), ({"system_message": SYSTEM}, "chat", SYSTEM)],
)
def test_an_untuned_model_is_measured_in_its_template_or_as_is_asked(folder, tmp_path, asked, kind, system_message):
    evaluate(folder, model_name_or_path=model(), output_dir=tmp_path, split="seen", rows_per_task=1, **asked)
    run = read_report(tmp_path).run
    assert run is not None
    layout = Layout.model_validate_json(run.layout)
    assert (layout.kind, layout.system_message) == (kind, system_message)


def test_a_baseline_that_lacks_the_stop_token_is_refused(folder, tmp_path):
    other = make_toy(tmp_path / "other", ["a b c"], vocab_size=300, hidden_size=32, num_layers=1)
    with pytest.raises(TokenError, match=r"it has no token '<\|im_end\|>', which the layout names"):
        evaluate(folder, model_name_or_path=model(), baseline=other, output_dir=tmp_path / "out", split="seen")
    assert find_layout(str(other)) is None


def test_an_adapter_learns_the_tokens_of_a_template_and_is_measured_in_its_layout(folder, tmp_path):
    flags: dict[str, Any] = {"use_peft": True, "lora_modules_to_save": ["embed_tokens"], "learning_rate": 1e-2}
    tuned = tune(tmp_path / "tuned", kind="turns", **flags, save_strategy="no")
    evaluate(folder, model_name_or_path=tuned, baseline=model("turns"), output_dir=tmp_path / "report", split="seen")
    run = read_report(tmp_path / "report").run
    assert run is not None
    assert Layout.model_validate_json(run.layout) == encoder("turns").layout


def test_what_cannot_be_asked_for_is_told(folder):
    flags = ["--dataset_name", "D", "--model_name_or_path", "M", "--output_dir", "O"]
    with pytest.raises(
        EvaluationError, match="--chat_template_kwargs x: value error, --chat_template_kwargs x: write it"
    ):
        parse([*flags, "--chat_template_kwargs", "x"])
    with pytest.raises(EvaluationError, match="--system_message: a plain layout has none; take --layout chat"):
        evaluate(folder, model_name_or_path="M", output_dir="O", layout="plain", system_message=SYSTEM)
