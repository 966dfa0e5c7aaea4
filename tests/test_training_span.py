"""The proof of the loss mask finds every way in which a row can be labelled wrongly, and shows the row."""

from typing import Any

import pytest
from datasets import Dataset, concatenate_datasets
from tiny_model import AWKWARD, built, encoder, tasks
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from instruction_kit import Mixture
from instruction_kit.build import shard
from instruction_kit.errors import TrainingError
from instruction_kit.token.conversation import Pair
from instruction_kit.token.row import IGNORED
from instruction_kit.token.shard import Wanted, tokenise
from instruction_kit.training.document import Document
from instruction_kit.training.span import Known, prove_document, prove_spans, sampled
from instruction_kit.training.toy import BOS, EOS

Row = dict[str, Any]


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> Dataset:
    folder = tmp_path_factory.mktemp("tokens")
    record = tokenise(built(), folder, Wanted(512), encoder=encoder())
    return concatenate_datasets([Dataset.from_file(str(folder / shard.path)) for shard in record.shards])


def collator() -> DataCollatorForLanguageModeling:
    return DataCollatorForLanguageModeling(pad_token_id=encoder().tokenizer.pad_token_id)


def test_the_kits_own_rows_pass_and_rows_of_every_task_are_read(rows):
    proved = prove_spans(collator(), rows, encoder=encoder(), built=built())
    assert proved == len(sampled(rows))
    assert {rows[place.row]["m_task"][place.inside] for place in sampled(rows)} == {"color", "add"}


def test_the_shortest_and_the_longest_row_of_a_task_are_among_them(rows):
    read = [rows[place.row] for place in sampled(rows)]
    for task in ("color", "add"):
        lengths = {len(row["labels"]) for row in rows if row["m_task"] == [task]}
        assert {min(lengths), max(lengths)} <= {len(row["labels"]) for row in read if row["m_task"] == [task]}


def test_a_mixture_of_several_files_is_read_through(tmp_path, monkeypatch):
    monkeypatch.setattr(shard, "SHARD_PAIRS", 20)
    Mixture(tasks=tasks(), num_validation=0).build(tmp_path / "built")
    record = tokenise(tmp_path / "built", tmp_path / "tokens", Wanted(512), encoder=encoder())
    assert len(record.shards) == 3
    parts = [Dataset.from_file(str(tmp_path / "tokens" / part.path)) for part in record.shards]
    joined = concatenate_datasets(parts)
    proved = prove_spans(collator(), joined, encoder=encoder(), built=tmp_path / "built")
    assert proved == len(sampled(joined))
    elsewhere = (
        parts[1].remove_columns("m_position").add_column("m_position", [[number] for number in range(len(parts[1]))])
    )
    with pytest.raises(TrainingError, match="the ids before the span are not the prompt's"):
        prove_spans(collator(), elsewhere, encoder=encoder(), built=tmp_path / "built")


def bordered(row: Row) -> Row:
    """Tell the borders of a row of one pair as its tokens are."""
    return {**row, "seq_lengths": [len(row["input_ids"])]}


def shifted(row: Row, by: int) -> Row:
    """Begin the loss earlier or later."""
    start = sum(label == IGNORED for label in row["labels"]) + by
    return {**row, "labels": [IGNORED] * start + row["input_ids"][start:]}


def on_the_prompt(row: Row) -> Row:
    start = sum(label == IGNORED for label in row["labels"])
    return {**row, "labels": row["input_ids"][:start] + [IGNORED] * (len(row["input_ids"]) - start)}


def without_stop(row: Row) -> Row:
    return {**row, "input_ids": row["input_ids"][:-1], "labels": row["labels"][:-1]}


def with_two_stops(row: Row) -> Row:
    return {
        **row,
        "input_ids": [*row["input_ids"], row["input_ids"][-1]],
        "labels": [*row["labels"], row["labels"][-1]],
    }


def with_two_beginnings(row: Row) -> Row:
    return {**row, "input_ids": [row["input_ids"][0], *row["input_ids"]], "labels": [IGNORED, *row["labels"]]}


def without_beginning(row: Row) -> Row:
    return {**row, "input_ids": row["input_ids"][1:], "labels": row["labels"][1:]}


def of_another_token(row: Row) -> Row:
    return {**row, "labels": [*row["labels"][:-2], row["labels"][-2] + 1, row["labels"][-1]]}


SPANS = {
    "on the prompt": (on_the_prompt, "the ids after the span are not what the layout adds"),
    "on the whole row": (
        lambda row: {**row, "labels": row["input_ids"]},
        "the ids before the span are not the prompt's",
    ),
    "on nothing": (lambda row: {**row, "labels": [IGNORED] * len(row["labels"])}, "no token is trained on"),
    "one token early": (lambda row: shifted(row, -1), "the trained text is not the completion with the stop token"),
    "one token late": (lambda row: shifted(row, 1), "the trained text is not the completion with the stop token"),
    "no stop token": (without_stop, "the stop token is not in the span exactly once"),
    "two stop tokens": (with_two_stops, "the stop token is not in the span exactly once"),
    "two beginnings": (with_two_beginnings, "the text does not begin with BOS exactly once"),
    "no beginning": (without_beginning, "the text does not begin with BOS exactly once"),
    "another token": (of_another_token, "the trained tokens are not one span"),
}


@pytest.mark.parametrize("how", SPANS)
def test_a_loss_in_the_wrong_place_is_found_and_the_row_is_shown(rows, how):
    change, problem = SPANS[how]
    wrong = rows.map(lambda row: bordered(change(row)), load_from_cache_file=False)
    with pytest.raises(TrainingError) as told:
        prove_spans(collator(), wrong, encoder=encoder(), built=built())
    assert problem in str(told.value)
    for part in ("train row ", ", template ", "\n  trained on: ", "\n  completion: ", "\n  row: ", "remove them"):
        assert part in str(told.value)


def test_rows_of_another_pair_are_found(rows):
    def other(row):
        return {**row, "m_position": [(row["m_position"][0] + 1) % len(rows)]}

    moved = rows.map(other, load_from_cache_file=False)
    with pytest.raises(TrainingError, match="the ids before the span are not the prompt's"):
        prove_spans(collator(), moved, encoder=encoder(), built=built())


def test_a_collator_that_trains_on_the_filling_is_found(rows):
    def careless(items):
        batch = collator()(items)
        batch["labels"] = batch["input_ids"].where(batch["labels"] != IGNORED, batch["labels"])
        batch["labels"][batch["attention_mask"] == 0] = encoder().tokenizer.pad_token_id
        return batch

    with pytest.raises(TrainingError, match="the filling of the batch is trained on"):
        prove_spans(careless, rows, encoder=encoder(), built=built())


def test_a_collator_that_fills_on_the_left_is_found(rows):
    def left(items):
        batch = collator()(items)
        return {name: tensor.flip(1) for name, tensor in batch.items()}

    with pytest.raises(TrainingError, match="the filling of the batch is no tail"):
        prove_spans(left, rows, encoder=encoder(), built=built())


@pytest.mark.parametrize("add_bos", [True, False])
@pytest.mark.parametrize("text", [*AWKWARD, f"{BOS}{EOS}", " spaced "])
def test_awkward_texts_pass(add_bos, text):
    made = encoder(add_bos=add_bos)
    [prompt], [completion] = made.prompts([f"{text}\n"]), made.completions([text])
    labels = [IGNORED] * len(prompt) + completion
    document = Document(prompt + completion, labels, [1] * len(labels))
    prove_document(document, known=Known("here", Pair(f"{text}\n", text)), encoder=made)
