"""Generation with a real model: what is written, drawn, voted on and read back, and that a row's text is its own."""

from typing import Any

import polars as pl
import pytest
import torch
from test_evaluation_folder import pair, sums, write_folder
from transformers import GenerationConfig

from instruction_kit.evaluation.answer import commonest
from instruction_kit.evaluation.folder import read_pairs
from instruction_kit.evaluation.generate import Generation, generate
from instruction_kit.evaluation.measure import How, measure
from instruction_kit.evaluation.model import load_model
from instruction_kit.evaluation.reason import ANSWER_TOKENS
from instruction_kit.evaluation.summary import summarise
from instruction_kit.exemplar.trigger import ANSWERING, REASONING
from instruction_kit.template.template import Place
from instruction_kit.token.settle import layout_of
from instruction_kit.training.toy import make_toy

THOUGHT = "It has four legs.\nSo it is: {}"
PLACES = {"math/plain": Place(), "qa/think": Place("So it is: ", ""), "qa/plain": Place()}
SHORT = Generation(max_new_tokens=12)


def questions() -> list[dict[str, Any]]:
    """Yes-or-no questions: directly, and behind reasons."""
    plain = [
        pair("animals", row, f"Is {row} a dog?", candidates=["yes", "no"], gold=[row % 2], template="qa/plain")
        for row in range(4)
    ]
    thought = [
        {
            **pair("animals", row, f"Think. Is {row} a dog?", completion=THOUGHT.format(word), template="qa/think"),
            "setting": "zero_shot.options.cot",
            "options": ["yes", "no"],
        }
        for row, word in enumerate(["yes", "no", "yes", "no"])
    ]
    return [*plain, *thought]


@pytest.fixture(scope="module")
def toy(tmp_path_factory) -> Any:
    folder = tmp_path_factory.mktemp("toy")
    texts = [text for of in [*sums(), *questions()] for text in (of["prompt"], of["completion"])]
    triggers = [REASONING[0].text, ANSWERING[0].text]
    make_toy(folder, [*texts, *triggers], vocab_size=300, hidden_size=32, num_layers=1, max_positions=256)
    loaded = load_model(str(folder), dtype="float32", device="cpu")
    return (*loaded, layout_of(loaded.tokenizer, joiner="\n"))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> pl.DataFrame:
    folder = write_folder(tmp_path_factory.mktemp("built"), {("train", "seen"): [*sums(), *questions()]})
    return read_pairs(folder, split="seen")


def measured(
    toy: Any, pairs: pl.DataFrame, *protocols: Any, how: Generation = SHORT, batch_size: int = 4
) -> pl.DataFrame:
    model, tokenizer, layout = toy
    return measure(model, tokenizer, layout, pairs, batch_size=batch_size, how=How(protocols, how, PLACES))


def saying(toy: Any, text: str) -> Any:
    """The same model, made to write one text and then to stop, whatever it is asked."""
    model, tokenizer, _ = toy
    ids = [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]

    def forward(input_ids, **rest):
        found = model_forward(input_ids=input_ids, **rest)
        step = len(told)
        told.append(step)
        found.logits[:] = -50.0
        found.logits[..., ids[min(step, len(ids) - 1)]] = 50.0
        return found

    told: list[int] = []
    model_forward = model.forward
    return forward, told


# --- what is written --------------------------------------------------------------------------------------------------


def test_without_a_temperature_the_likeliest_token_is_taken_at_each_step(toy):
    model, tokenizer, _ = toy
    prompt = (5, 9, 17)
    ids = list(prompt)
    with torch.inference_mode():
        for _ in range(6):
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    [[found]] = generate(
        model, [prompt], ["a"], stop_id=tokenizer.eos_token_id, how=Generation(max_new_tokens=6), batch_size=1
    )
    wanted = ids[3:]
    stop = wanted.index(tokenizer.eos_token_id) if tokenizer.eos_token_id in wanted else len(wanted)
    assert list(found) == wanted[:stop]


def test_what_the_model_s_own_configuration_says_of_generation_changes_nothing(toy):
    model, tokenizer, _ = toy
    asked: Any = {"stop_id": tokenizer.eos_token_id, "how": Generation(max_new_tokens=8), "batch_size": 2}
    wanted = generate(model, [(5, 9, 17), (4,)], ["a", "b"], **asked)
    own = model.generation_config
    model.generation_config = GenerationConfig(
        num_beams=2, repetition_penalty=9.0, no_repeat_ngram_size=1, forced_eos_token_id=7, min_new_tokens=3
    )
    try:
        assert generate(model, [(5, 9, 17), (4,)], ["a", "b"], **asked) == wanted
        assert model.generation_config.num_beams == 2
    finally:
        model.generation_config = own


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_what_a_row_gets_does_not_depend_on_what_it_is_batched_with(toy, temperature):
    model, tokenizer, _ = toy
    prompts = [tuple(range(3, 4 + number)) for number in range(7)]
    names = [f"row {number}" for number in range(7)]
    how = Generation(max_new_tokens=8, temperature=temperature, num_samples=3 if temperature else 1)
    stop = tokenizer.eos_token_id
    one, many = (generate(model, prompts, names, stop_id=stop, how=how, batch_size=size) for size in (1, 16))
    assert one == many
    backwards = generate(model, prompts[::-1], names[::-1], stop_id=stop, how=how, batch_size=4)
    assert backwards[::-1] == one
    if temperature:
        assert len({text for texts in one for text in texts}) > 7
        other = how.model_copy(update={"seed": 1})
        assert generate(model, prompts, names, stop_id=stop, how=other, batch_size=4) != one


def test_tokens_are_drawn_as_often_as_the_model_says(toy):
    """One step from one prompt under 600 names: the shares of the likeliest tokens are theirs."""
    model, tokenizer, _ = toy
    with torch.inference_mode():
        wanted = (model(torch.tensor([[5, 9]])).logits[0, -1].double() * 20).softmax(-1)
    how = Generation(max_new_tokens=1, temperature=0.05)
    names = [f"row {number}" for number in range(600)]
    found = generate(model, [(5, 9)] * 600, names, stop_id=tokenizer.eos_token_id, how=how, batch_size=200)
    first = int(wanted.argmax())
    share = sum(text == (first,) for [text] in found) / 600
    assert abs(share - float(wanted[first])) < 5 * (float(wanted[first]) * (1 - float(wanted[first])) / 600) ** 0.5


# --- what is read back ------------------------------------------------------------------------------------------------


def test_an_answer_behind_reasons_is_read_back_through_its_template(toy, pairs, monkeypatch):
    thought = pairs.filter(template="qa/think")
    rows = []
    for number in range(4):
        forward, _ = saying(toy, "Legs!\nSo it is: yes")
        with monkeypatch.context() as patched:
            patched.setattr(toy[0], "forward", forward)
            how = Generation(max_new_tokens=40)
            rows.append(measured(toy, thought[number : number + 1], "generate", how=how))
    found = pl.concat(rows)
    assert found["protocol"].unique().to_list() == ["chain_of_thought"]
    assert found["outputs"].to_list() == [["Legs!\nSo it is: yes"]] * 4
    assert found["answer"].to_list() == ["yes"] * 4
    assert found["references"].to_list() == [["yes"], ["no"], ["yes"], ["no"]]
    [task] = summarise(found).split("seen").tasks
    assert (task.kind.title, task.figures["model"].mean) == ("Accuracy behind a chain of thought, %", 0.5)


def test_a_mark_and_the_words_of_its_option_are_one_answer(toy, pairs, monkeypatch):
    marked = pairs.filter(template="qa/plain").with_columns(
        candidates=pl.lit(["(A)", "(B)"]), references=pl.concat_list(pl.lit("(A)"))
    )
    said = []
    for number, text in enumerate(["(A)", "yes", "(B)", "neither"]):
        forward, _ = saying(toy, text)
        with monkeypatch.context() as patched:
            patched.setattr(toy[0], "forward", forward)
            said.append(measured(toy, marked[number : number + 1], "generate"))
    found = pl.concat(said)
    assert found["answer"].to_list() == ["yes", "yes", "no", "neither"]
    assert found["references"].to_list() == [["yes"]] * 4


def test_a_mark_and_the_words_of_its_option_are_one_answer_behind_reasons_too(toy, pairs, monkeypatch):
    listed = "Think.\n\nPick from:\n(A) yes\n(B) no\n"
    marked = pairs.filter(template="qa/think").with_columns(
        prompt=pl.lit(listed), references=pl.concat_list(pl.lit(THOUGHT.format("(A)")))
    )
    said = []
    for number, text in enumerate(["(A)", "yes", "(B)", "neither"]):
        forward, _ = saying(toy, THOUGHT.format(text))
        with monkeypatch.context() as patched:
            patched.setattr(toy[0], "forward", forward)
            said.append(measured(toy, marked[number : number + 1], "generate", how=Generation(max_new_tokens=40)))
    found = pl.concat(said)
    assert found["answer"].to_list() == ["yes", "yes", "no", "neither"]
    assert found["references"].to_list() == [["yes"]] * 4
    [task] = summarise(found).split("seen").tasks
    assert (task.figures["model"].mean, task.chance, task.majority) == (0.5, 0.5, 1)


def test_an_output_without_the_marker_has_no_answer_and_is_counted(toy, pairs):
    found = measured(toy, pairs.filter(template="qa/think"), "generate")
    assert found["answer"].null_count() == 4
    [task] = summarise(found).split("seen").tasks
    assert (task.unread, task.figures["model"].mean) == ({"model": 4}, 0)


def test_of_several_samples_the_commonest_answer_counts(toy, pairs):
    how = Generation(max_new_tokens=5, num_samples=4, temperature=1.0)
    found = measured(toy, pairs.filter(task="sums"), "generate", how=how)
    assert found["outputs"].list.len().to_list() == [4] * 4
    for outputs, answer in found.select("outputs", "answer").rows():
        assert answer == commonest([text.strip() or None for text in outputs])
    assert commonest([None, None]) is None


def test_zero_shot_chain_of_thought_asks_for_reasons_then_for_the_answer(toy, pairs):
    found = measured(toy, pairs, "zero_shot_cot")
    asked = found.filter(pl.col("dropped").is_null())
    assert asked["task"].to_list() == ["sums"] * 4 + ["animals"] * 4
    for outputs in asked["outputs"]:
        assert outputs[0].startswith(REASONING[0].text)
        assert f"\n{ANSWERING[0].text}" in outputs[0]
    ranked = asked.filter(task="animals")
    assert ranked["references"].to_list() == [["yes"], ["no"], ["yes"], ["no"]]
    for scores, answer in ranked.select("scores", "answer").rows():
        assert answer == ["yes", "no"][scores.index(max(scores))]
    left = found.filter(pl.col("dropped").is_not_null())
    assert left["dropped"].unique().to_list() == [
        "zero-shot chain of thought asks for reasons by itself: it takes zero-shot pairs that write none"
    ]


def test_options_are_ranked_behind_the_reasons_and_other_answers_written_there(toy, pairs):
    model, tokenizer, _ = toy

    def ids(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    def goes_on(start: list[int], length: int) -> str:
        how = Generation(max_new_tokens=length)
        [[found]] = generate(model, [tuple(start)], [""], stop_id=tokenizer.eos_token_id, how=how, batch_size=1)
        return str(tokenizer.decode(list(found), skip_special_tokens=True)).strip()

    found = measured(toy, pairs, "zero_shot_cot").filter(pl.col("dropped").is_null())
    for row in found.iter_rows(named=True):
        prompt, trigger = [tokenizer.bos_token_id, *ids(row["prompt"])], REASONING[0].text
        lead = f"{trigger} {goes_on([*prompt, *ids(trigger)], SHORT.max_new_tokens)}\n{ANSWERING[0].text}"
        assert row["outputs"] == [f"{lead} {row['answer'] or ''}".rstrip()]
        start = [*prompt, *ids(lead)]
        if row["task"] == "sums":
            assert row["answer"] == (goes_on(start, ANSWER_TOKENS).split("\n")[0].strip().rstrip(".") or None)
            continue
        for option, score in zip(row["options"], row["scores"], strict=True):
            end = [*ids(f" {option}"), tokenizer.eos_token_id]
            with torch.inference_mode():
                table = model(torch.tensor([start + end])).logits[0].log_softmax(-1)
            wanted = sum(float(table[len(start) - 1 + place, token]) for place, token in enumerate(end))
            assert score == pytest.approx(wanted, abs=1e-5)


def test_a_pair_is_asked_in_every_protocol_that_covers_it_and_left_out_by_none_then(toy, pairs):
    found = measured(toy, pairs, "rank", "generate")
    counts = dict(found.group_by("protocol").len().rows())
    assert counts == {"likelihood": 4, "rank": 4, "generate": 8, "chain_of_thought": 4}
    assert found["dropped"].null_count() == found.height


def test_a_prompt_that_leaves_no_room_is_left_out_with_its_reason(toy, pairs):
    found = measured(toy, pairs.filter(task="sums"), "generate", how=Generation(max_new_tokens=255))
    assert found["dropped"].unique().to_list() == [
        "its prompt leaves no room for 255 new tokens in the model's 256 positions"
    ]
