"""Tuning in a chat layout: where the loss is, that it is proved there, and what is written beside the model."""

import json
from typing import Any

import polars as pl
import pytest
import torch
from chat_model import STOPS, SYSTEM, TEMPLATES, built, encoder, own_ids, rows, tokenizer, tune
from datasets import Dataset
from tiny_model import one_thread, pairs_in
from tiny_model import tasks as tiny_tasks
from tiny_model import tune as tune_plain
from transformers import AutoModelForCausalLM, GenerationConfig
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from instruction_kit import Frame, Mixture, Task, conversation
from instruction_kit.build.manifest import read_manifest
from instruction_kit.errors import TokenError, TrainingError
from instruction_kit.schema import OpenInstruction
from instruction_kit.token.chat import ALTERED, FORGED
from instruction_kit.token.conversation import messages, pair_of
from instruction_kit.token.encoder import Encoded
from instruction_kit.token.layout import LAYOUT_FILE, read_layout
from instruction_kit.token.record import differences, read_record
from instruction_kit.token.row import IGNORED
from instruction_kit.token.shard import Wanted, identity_of, tokenise
from instruction_kit.training.document import Document
from instruction_kit.training.resume import read_run
from instruction_kit.training.span import Known, prove_document, prove_spans

NOT_TAKEN = {"color": {FORGED: 2}}
"""The mixture has two rows with the text of special tokens."""


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_token_row_is_the_tokenizer_s_conversation_with_the_loss_on_the_answer(tmp_path, kind):
    made = encoder(kind)
    record = tokenise(built(), tmp_path, Wanted(512), encoder=made, accept_dropped=True)
    assert {name: task.dropped for name, task in record.tasks.items() if task.dropped} == NOT_TAKEN
    pairs = rows()
    assert record.pairs == len(pairs) - 2
    for row in pairs_in(tmp_path):
        of = pair_of(pairs[row["m_position"]])
        assert row["input_ids"] == own_ids(made, messages(of, joiner="\n", system_message=None))
        learnt = [label for label in row["labels"] if label != IGNORED]
        assert made.tokenizer.decode(learnt) == of.completion + STOPS[kind]
        assert all(label in (IGNORED, token) for token, label in zip(row["input_ids"], row["labels"], strict=True))
    told = record.tasks["add"]
    assert told.prompt_tokens + told.loss_tokens == sum(
        len(row["input_ids"]) for row in pairs_in(tmp_path) if row["m_task"] == "add"
    )


def talk(number: int) -> list[dict[str, str]]:
    """A conversation of one round or of several, with a system message or without."""
    said = [("user", f"Tell me {number}."), ("assistant", f"It is {number}.")] * (1 + number % 3)
    system = [("system", "You count.")] if number % 2 else []
    return [{"role": role, "content": content} for role, content in [*system, *said]]


@pytest.mark.parametrize("kind", TEMPLATES)
def test_conversations_of_a_source_are_learnt_as_they_were_held(tmp_path, kind):
    task = Task(
        name="talk",
        cluster="talk",
        schema=OpenInstruction,
        source=Frame(pl.DataFrame({"messages": [talk(number) for number in range(12)]})),
        columns=conversation("messages"),
    )
    Mixture(tasks=[task], num_validation=0).build(tmp_path / "built")
    made = encoder(kind, system_message="Be brief." if kind != "turns" else None)
    record = tokenise(tmp_path / "built", tmp_path / "tokens", Wanted(512), encoder=made, accept_dropped=True)
    [path] = (tmp_path / "built" / "train").glob("train-*.parquet")
    pairs, kept = pl.read_parquet(path).to_dicts(), pairs_in(tmp_path / "tokens")
    refused = [pair for pair in pairs if kind == "turns" and (pair["turns"] or [{"role": ""}])[0]["role"] == "system"]
    assert len(kept) == len(pairs) - len(refused) == 12 - sum(record.tasks["talk"].dropped.values())
    for row in kept:
        pair = pairs[row["m_position"]]
        earlier = pair["turns"] or []
        if kind != "turns" and (not earlier or earlier[0]["role"] != "system"):
            earlier = [{"role": "system", "content": "Be brief."}, *earlier]
        asked = pair["prompt"][pair["question_start"] :].removesuffix("\n")
        whole = [*earlier, {"role": "user", "content": asked}, {"role": "assistant", "content": pair["completion"]}]
        assert row["input_ids"] == own_ids(made, whole)


def test_exemplars_that_a_build_drew_are_learnt_behind_as_rounds(tmp_path):
    Mixture(tasks=tiny_tasks(), num_validation=0, settings={"few_shot.options": 1.0}).build(tmp_path / "built")
    made = encoder("turns")
    tokenise(tmp_path / "built", tmp_path / "tokens", Wanted(2048), encoder=made, accept_dropped=True)
    [path] = (tmp_path / "built" / "train").glob("train-*.parquet")
    pairs = pl.read_parquet(path).to_dicts()
    shown = set()
    for row in pairs_in(tmp_path / "tokens"):
        pair = pairs[row["m_position"]]
        sides = [(one["prompt"], one["completion"]) for one in pair["exemplars"]]
        sides.append((pair["prompt"][pair["question_start"] :], pair["completion"]))
        whole = [
            {"role": role, "content": content}
            for prompt, completion in sides
            for role, content in (("user", prompt.removesuffix("\n")), ("assistant", completion))
        ]
        assert row["input_ids"] == own_ids(made, whole)
        shown.add(len(pair["exemplars"]))
    assert len(shown) > 1


def test_pairs_that_the_layout_cannot_take_are_an_error_unless_they_are_few_or_accepted(tmp_path):
    with pytest.raises(TokenError) as caught:
        tokenise(built(), tmp_path / "a", Wanted(512), encoder=encoder())
    assert str(caught.value) == (
        f"the layout cannot take 2 of 36 pairs of color: {FORGED} (2). Skip or mend such rows in the task file, take "
        "another --layout, or lose these pairs with `accept_dropped`"
    )
    with pytest.raises(TokenError) as caught:
        tokenise(built(), tmp_path / "b", Wanted(60), encoder=encoder())
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "pairs of more than max_length 60 tokens would be dropped",
        "the layout cannot take 2 of 36 pairs of color",
    ]
    upper = TEMPLATES["headers"].replace("| trim", "| replace('I', 'i') | replace('W', 'w') | replace('h', 'H')")
    with pytest.raises(TokenError, match=rf"no pair fits the layout: {ALTERED} \(56\); take another --layout"):
        tokenise(built(), tmp_path / "c", Wanted(512), encoder=encoder(template=upper), accept_dropped=True)


def test_tokens_are_others_under_another_layout_system_message_template_or_variables(tmp_path):
    manifest = read_manifest(built())
    encoders = [
        encoder(),
        encoder(system_message=SYSTEM),
        encoder(template_kwargs={"heading": "*"}),
        encoder(template=TEMPLATES["chatml"] + "{# the same #}"),
    ]
    identities = [identity_of(manifest, made, Wanted(512)) for made in encoders]
    for other in identities[1:]:
        assert [found.name for found in differences(identities[0], other)] == ["layout"]
    first = tokenise(built(), tmp_path, Wanted(512), encoder=encoders[0], accept_dropped=True)
    second = tokenise(built(), tmp_path, Wanted(512), encoder=encoders[1], accept_dropped=True)
    assert first.shards != second.shards
    assert second == read_record(tmp_path)


# --- the proof --------------------------------------------------------------------------------------------------------


def collator() -> DataCollatorForLanguageModeling:
    return DataCollatorForLanguageModeling(pad_token_id=tokenizer().pad_token_id)


@pytest.fixture(scope="module")
def token_rows(tmp_path_factory) -> Dataset:
    folder = tmp_path_factory.mktemp("tokens")
    record = tokenise(built(), folder, Wanted(512), encoder=encoder(), accept_dropped=True)
    return Dataset.from_file(str(folder / record.shards[0].path))


def learnt(row: dict[str, Any]) -> tuple[int, int]:
    places = [place for place, label in enumerate(row["labels"]) if label != IGNORED]
    return places[0], places[-1] + 1


def with_the_rest(row: dict[str, Any]) -> dict[str, Any]:
    start, _ = learnt(row)
    return {**row, "labels": [IGNORED] * start + row["input_ids"][start:]}


def without_stop(row: dict[str, Any]) -> dict[str, Any]:
    _, end = learnt(row)
    return {**row, "labels": [*row["labels"][: end - 1], *[IGNORED] * (len(row["labels"]) - end + 1)]}


def on_the_header(row: dict[str, Any]) -> dict[str, Any]:
    start, end = learnt(row)
    labels = [IGNORED] * (start - 2) + row["input_ids"][start - 2 : end]
    return {**row, "labels": labels + [IGNORED] * (len(row["labels"]) - end)}


def without_the_rest(row: dict[str, Any]) -> dict[str, Any]:
    _, end = learnt(row)
    return {**row, "input_ids": row["input_ids"][:end], "labels": row["labels"][:end]}


def on_everything(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "labels": row["input_ids"]}


WRONG = {
    "on what the template adds": (with_the_rest, "the stop token is not at the end of the span"),
    "without the stop token": (without_stop, "the stop token is not in the span exactly once"),
    "on the header too": (on_the_header, "the trained text is not the completion with the stop token"),
    "without what the template adds": (without_the_rest, "the ids after the span are not what the layout adds"),
    "on the whole conversation": (on_everything, "the ids before the span are not the prompt's"),
}


def test_rows_in_a_chat_layout_pass_the_proof(token_rows):
    assert prove_spans(collator(), token_rows, encoder=encoder(), built=built()) >= 10


@pytest.mark.parametrize("how", WRONG)
def test_a_loss_elsewhere_in_a_conversation_is_found(token_rows, how):
    change, problem = WRONG[how]

    def bordered(row: dict[str, Any]) -> dict[str, Any]:
        return {**change(row), "seq_lengths": [len(change(row)["input_ids"])]}

    wrong = token_rows.map(bordered, load_from_cache_file=False)
    with pytest.raises(TrainingError, match=problem):
        prove_spans(collator(), wrong, encoder=encoder(), built=built())


@pytest.mark.parametrize("kind", ["headers", "turns"])
def test_two_beginnings_of_a_conversation_are_found(kind):
    made, of = encoder(kind), pair_of(rows()[0])
    assert made.bos_id is not None
    [one] = made.encode([of])
    assert isinstance(one, Encoded)
    for begin, passes in (([], True), ([made.bos_id], False)):
        ids = [*begin, *one.prompt, *one.completion, *one.rest]
        labels = [IGNORED] * len(begin + one.prompt) + one.completion + [IGNORED] * len(one.rest)
        document = Document(ids, labels, [1] * len(ids))
        if passes:
            prove_document(document, known=Known("here", of), encoder=made)
        else:
            with pytest.raises(TrainingError, match="the text does not begin with BOS exactly once"):
                prove_document(document, known=Known("here", of), encoder=made)


# --- tuning -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_tuned_model_stops_at_the_stop_token_of_its_template(tmp_path, kind):
    folder = tune(tmp_path / "out", kind=kind, max_steps=40, learning_rate=2e-2, save_strategy="no")
    made = encoder(kind)
    assert read_layout(folder) == made.layout
    assert GenerationConfig.from_pretrained(folder).eos_token_id == made.stop_id
    tuned: Any = AutoModelForCausalLM.from_pretrained(folder)
    question = [{"role": "user", "content": "Item 3 is here\n\nWhich label fits this text best?"}]
    ids = torch.tensor([own_ids(made, question, add_generation_prompt=True)])
    with one_thread():
        told = tuned.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False)[0]
    assert told[-1] == made.stop_id
    assert len(told) < ids.shape[1] + 40


def test_what_was_asked_for_is_written_beside_the_model_and_told_in_its_card(tmp_path):
    folder = tune(tmp_path / "out", system_message=SYSTEM, chat_template_kwargs={"heading": "*"}, save_strategy="no")
    written = json.loads((folder / LAYOUT_FILE).read_text(encoding="utf-8"))
    assert written == {
        "kind": "chat",
        "joiner": "\n",
        "bos": None,
        "stop": "<|im_end|>",
        "template": encoder().layout.template,
        "system_message": SYSTEM,
        "template_kwargs": {"heading": "*"},
    }
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "Layout: chat, as the tokenizer's chat template writes it;" in card
    assert f"| system_message | {SYSTEM} |" in card
    assert (folder / "chat_template.jinja").read_text(encoding="utf-8") == TEMPLATES["chatml"]


def test_a_model_with_a_template_is_tuned_in_it_unless_the_plain_layout_is_asked_for(tmp_path):
    folder = tune(tmp_path / "plain", layout="plain", save_strategy="no")
    layout = read_layout(folder)
    assert layout is not None
    assert (layout.kind, layout.template) == ("plain", None)
    assert set(json.loads((folder / LAYOUT_FILE).read_text(encoding="utf-8"))) == {"kind", "joiner", "bos", "stop"}
    again = tune(tmp_path / "again", model_name_or_path=folder, save_strategy="no")
    assert read_layout(again) == layout
    chat = tune(tmp_path / "chat", model_name_or_path=folder, layout="chat", save_strategy="no")
    assert read_layout(chat) == encoder().layout


def test_a_model_without_a_template_has_no_chat_layout(tmp_path):
    with pytest.raises(
        TokenError, match=r"^--layout chat: tokenizer .* has no chat template; take --layout plain, or give"
    ):
        tune_plain(tmp_path / "a", layout="chat")
    with pytest.raises(TokenError, match=r"^--system_message: tokenizer .* has no chat template"):
        tune_plain(tmp_path / "b", system_message=SYSTEM)
    assert not (tmp_path / "a").exists()


def test_a_run_goes_on_in_its_own_layout_alone(tmp_path):
    folder = tune(tmp_path / "out", max_steps=2, save_steps=1)
    checkpoint = folder / "checkpoint-1"
    for flag, value in (("system_message", SYSTEM), ("layout", "plain")):
        with pytest.raises(TrainingError, match=r'layout {"kind":"chat".* there, {"kind":"'):
            tune(tmp_path / "refused", resume_from_checkpoint=checkpoint, **{flag: value})
    again = tune(tmp_path / "again", max_steps=2, save_steps=1, resume_from_checkpoint=checkpoint)
    assert (again / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    assert read_run(again) == read_run(folder)
