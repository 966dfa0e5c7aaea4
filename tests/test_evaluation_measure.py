"""Measuring pairs with a real model: every score by its definition, in every batch, and what is left out and why."""

import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from test_evaluation_folder import Pair, copa, pair, snli, sums, write_folder

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.folder import read_pairs
from instruction_kit.evaluation.measure import amount, asked_of, measure
from instruction_kit.evaluation.model import load_model
from instruction_kit.evaluation.rows import ROWS
from instruction_kit.evaluation.summary import summarise
from instruction_kit.token.plain import PlainEncoder
from instruction_kit.token.settle import layout_of
from instruction_kit.training.toy import make_toy

pytestmark = pytest.mark.usefixtures("one_thread")

TEXTS = [text for of in [*snli(), *copa(), *sums()] for text in (of["prompt"], *of["candidates"], of["completion"])]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return toy_in(tmp_path_factory.mktemp("toy"))


def toy_in(folder: Path, *, max_positions: int = 128) -> Any:
    make_toy(folder, TEXTS, vocab_size=300, hidden_size=32, num_layers=2, max_positions=max_positions)
    loaded = load_model(str(folder), dtype="float32", device="cpu")
    return (*loaded, layout_of(loaded.tokenizer, joiner="\n"))


def pairs_of(folder: Path, pairs: list[Pair]) -> pl.DataFrame:
    write_folder(folder, {("train", "seen"): pairs})
    return read_pairs(folder, split="seen")


def scored(toy: Any, pairs: pl.DataFrame, **options: Any) -> pl.DataFrame:
    model, tokenizer, layout = toy
    return measure(model, tokenizer, layout, pairs, **options)


def by_definition(toy: Any, prompt: str, text: str) -> tuple[float, int]:
    """Score one text after one prompt, alone; tokens of the prompt, then of the text, then the stop token."""
    model, tokenizer, _ = toy
    start = [tokenizer.bos_token_id, *tokenizer(prompt, add_special_tokens=False)["input_ids"]]
    end = [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    with torch.inference_mode():
        table = model(torch.tensor([start + end])).logits[0].log_softmax(-1)
    return sum(float(table[len(start) - 1 + place, token]) for place, token in enumerate(end)), len(end)


@pytest.mark.parametrize("batch_size", [1, 16])
def test_every_candidate_s_score_is_that_of_its_tokens_and_the_stop_token(toy, tmp_path, batch_size):
    rows = scored(toy, pairs_of(tmp_path, [*snli(), *copa(), *sums()]), batch_size=batch_size)
    assert rows.schema == ROWS
    assert rows.height == 12 + 5 + 4
    for prompt, candidates, scores, num_tokens in rows.select(
        "prompt", "candidates", "scores", "num_tokens"
    ).iter_rows():
        wanted = [by_definition(toy, prompt, text) for text in candidates]
        assert scores == pytest.approx([score for score, _ in wanted], abs=1e-5)
        assert num_tokens == [num for _, num in wanted]


def test_a_candidate_s_prior_is_its_score_where_nothing_is_asked(toy, tmp_path):
    rows = scored(toy, pairs_of(tmp_path, [*copa(), *sums(1)]), batch_size=4)
    for candidates, priors in rows.filter(protocol="rank").select("candidates", "priors").iter_rows():
        assert priors == pytest.approx([by_definition(toy, "", text)[0] for text in candidates], abs=1e-5)
    assert rows.filter(protocol="likelihood")["priors"].to_list() == [None]


def test_batches_of_1_and_16_agree_on_every_score_and_figure(toy, tmp_path):
    pairs = pairs_of(tmp_path, [*sums(), *copa(), *snli()])
    one, sixteen = (scored(toy, pairs, batch_size=size) for size in (1, 16))
    assert one.drop("scores").equals(sixteen.drop("scores"))
    assert sixteen["scores"].explode().to_list() == pytest.approx(one["scores"].explode().to_list(), abs=1e-5)
    assert summarise(one).overall("seen") == summarise(sixteen).overall("seen")


def test_rows_keep_the_order_and_the_names_of_the_pairs(toy, tmp_path):
    pairs = pairs_of(tmp_path, [*sums(), *copa()])
    rows = scored(toy, pairs, batch_size=3, name="baseline")
    same = ["task", "cluster", "template", "setting", "split", "row", "group", "round", "prompt", "measured_split"]
    assert rows.select(same).equals(pairs.select(same))
    assert rows["model"].unique().to_list() == ["baseline"]
    assert rows["protocol"].to_list() == ["likelihood"] * 4 + ["rank"] * 5
    assert rows.filter(task="sums")["candidates"].to_list() == [["1"], ["2"], ["3"], ["4"]]


def test_a_uniform_model_gives_each_token_the_same_and_prefers_the_shorter(toy, tmp_path):
    uniform = toy_in(tmp_path / "uniform")
    with torch.no_grad():
        uniform[0].get_output_embeddings().weight.zero_()
    rows = scored(uniform, pairs_of(tmp_path, [*snli(), *sums()]), batch_size=4)
    each = -math.log(uniform[0].config.vocab_size)
    for scores, num_tokens in rows.select("scores", "num_tokens").iter_rows():
        assert scores == pytest.approx([num * each for num in num_tokens], rel=1e-6)
    assert summarise(rows).overall("seen", measure="log_likelihood") == pytest.approx(each)


def test_equal_candidates_tie_and_a_tie_is_wrong(toy, tmp_path):
    texts = ["yes", "yes"]
    pairs = pairs_of(tmp_path, [pair("twins", 0, "Well?", candidates=texts, gold=[0])])
    rows = scored(toy, pairs, batch_size=1)
    assert rows["prediction"].to_list() == [[0, 1]]
    assert summarise(rows).overall("seen") == 0


def test_what_does_not_fit_is_left_out_whole_and_changes_no_other_score(toy, tmp_path):
    pairs = pairs_of(tmp_path, copa())
    encoder = PlainEncoder(toy[1], toy[2])
    lengths = [
        len(encoder.prompts([prompt])[0]) + max(map(len, encoder.completions(candidates))) - 1
        for prompt, candidates in pairs.select("prompt", "candidates").iter_rows()
    ]
    bound = sorted(lengths)[2]
    small = toy_in(tmp_path / "small", max_positions=bound)
    rows, whole = scored(small, pairs, batch_size=2), scored(toy, pairs, batch_size=2)
    reason = f"longer than the model's {bound} positions"
    assert rows["dropped"].to_list() == [reason if length > bound else None for length in lengths]
    assert 0 < rows["dropped"].null_count() < rows.height
    for kept, wanted in zip(rows["scores"].to_list(), whole["scores"].to_list(), strict=True):
        assert kept is None or kept == pytest.approx(wanted, abs=1e-5)
    [out] = summarise(rows).split("seen").left_out
    assert (out.reason, len(out.rows)) == (reason, sum(length > bound for length in lengths))


def test_pairs_that_rank_classification_does_not_cover_are_left_out_with_their_reason(toy, tmp_path):
    options = {"candidates": ["yes", "no"], "gold": [0]}
    pairs = pairs_of(
        tmp_path,
        [
            pair("boolq", 0, "Is it?", **options),
            pair("boolq", 0, "Ask.", completion="Is it?", template="qa/ask", inverted=True),
            pair(
                "boolq",
                0,
                "Think. Is it?",
                completion="It is. yes",
                template="qa/think",
                setting="zero_shot.options.cot",
            ),
            pair("boolq", 0, "Is?", completion="It is: yes", template="qa/odd"),
        ],
    )
    assert amount(asked_of(pairs, ["rank"])) == 2
    rows = scored(toy, pairs, batch_size=2)
    assert rows["dropped"].to_list() == [
        None,
        "inverted templates train, they are never measured",
        "a chain of thought is generated and read back, it has no candidates: ask for generate",
        "no candidates, where other pairs of the task have them",
    ]
    assert rows["protocol"].unique().to_list() == ["rank"]


def test_progress_covers_what_is_scored_and_what_is_too_long(toy, tmp_path):
    pairs = pairs_of(tmp_path, [*copa(), *sums()])
    small = toy_in(tmp_path / "small", max_positions=32)
    for model in (toy, small):
        told: list[int] = []
        scored(model, pairs, batch_size=4, advance=told.append)
        assert sum(told) == amount(asked_of(pairs, ["rank"]))


@pytest.mark.parametrize("gold", [[], [2], [-1]])
def test_right_candidates_that_are_not_among_the_candidates_are_refused(toy, tmp_path, gold):
    wrong = pair("rte", 3, "So?", candidates=["yes", "no"], gold=gold, completion="yes")
    with pytest.raises(EvaluationError) as caught:
        scored(toy, pairs_of(tmp_path, [wrong]), batch_size=1)
    assert str(caught.value) == (
        f"rte test row test 3 under nli/one: gold {gold} does not point into its 2 candidates (1 such pairs); "
        "build the mixture again"
    )


def test_a_tokenizer_with_more_tokens_than_the_model_has_embeddings_is_refused(toy, tmp_path):
    model, tokenizer, layout = toy_in(tmp_path / "toy")
    model.resize_token_embeddings(200)
    with pytest.raises(
        EvaluationError, match=r"the model has 200 embeddings, and its tokenizer gives the id 2\d\d; give"
    ):
        measure(model, tokenizer, layout, pairs_of(tmp_path, copa()), batch_size=2)
