"""A faster engine is used where its ids are the tokenizer's own, checked to the last row, and nowhere else."""

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from tiny_model import AWKWARD, built, encoder, pairs_in, tokenizer
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import Unigram, WordLevel
from transformers import PreTrainedTokenizerFast

from instruction_kit.token import engine as module
from instruction_kit.token.engine import IDS, NAMES, Engine, UnequalError, engines, own_engine
from instruction_kit.token.plain import PlainEncoder
from instruction_kit.token.settle import layout_of
from instruction_kit.token.shard import Wanted, tokenise

TEXTS = [*AWKWARD, *module.PLANTED, "the Item is here " * 20]


def column(*texts: str) -> pa.StringArray:
    return pa.array(texts, pa.string())


def unigram() -> PreTrainedTokenizerFast:
    """A tokenizer of another kind: pieces by their likelihood, one of which is a special token's text."""
    pieces = [("<unk>", 0.0), ("</s>", -1.0), *((character, -5.0) for character in "▁abcdefghijklmnopqrstuvwxyz<>/")]
    made = Tokenizer(Unigram(pieces, unk_id=0))
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>", unk_token="<unk>")


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("make", [tokenizer, unigram])
def test_every_engine_gives_the_tokenizer_s_own_ids(make, as_text):
    loaded = make()
    texts = column(*TEXTS, f"say {loaded.eos_token} and go on{loaded.eos_token}")
    own = own_engine(loaded, as_text=as_text).encode(texts).to_pylist()
    found = list(engines(loaded, as_text=as_text))
    assert found[-1].name == "transformers"
    for engine in found:
        assert engine.encode(texts).to_pylist() == own
        assert engine.encode(column()).to_pylist() == []


def test_the_fast_engine_takes_a_byte_level_tokenizer_and_says_so():
    names = [engine.name for engine in engines(tokenizer(), as_text=True)]
    assert names == [*NAMES, "transformers"]


def test_a_tokenizer_that_the_fast_engine_does_not_know_goes_by_the_next_one():
    words = Tokenizer(WordLevel({"a": 0, "b": 1, "<unk>": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    loaded = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>")
    assert [engine.name for engine in engines(loaded, as_text=True)] == ["tokenizers", "transformers"]


def test_without_the_extra_there_is_no_fast_engine(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert [engine.name for engine in engines(tokenizer(), as_text=True)] == ["tokenizers", "transformers"]


def wrong_at(bad: str, name: str = "tokenizers") -> Engine:
    """An engine that is right but for one text."""
    own = own_engine(tokenizer(), as_text=True).encode

    def encode(texts: pa.StringArray) -> pa.ListArray:
        found = zip(texts.to_pylist(), own(texts).to_pylist(), strict=True)
        return pa.array([[*ids, 1] if text == bad else ids for text, ids in found], IDS)

    return Engine(name, encode, own=own)


def test_the_first_texts_are_all_checked_and_later_ones_in_turn(monkeypatch):
    monkeypatch.setattr(module, "CHECKED_FIRST", 3)
    monkeypatch.setattr(module, "CHECKED_ONE_IN", 4)
    engine = wrong_at("bad")
    engine.encode(column("a", "b", "c"))
    assert engine.checked == 3
    engine.encode(column("d", "e", "f", "bad", "g", "h"))  # places 3 to 8: 4 and 8 are checked
    assert engine.checked == 5
    with pytest.raises(UnequalError, match="tokenizers gives other ids than the tokenizer itself for 'bad'"):
        engine.encode(column("a", "b", "c", "bad"))


def test_an_engine_that_is_wrong_about_one_row_is_left_and_all_rows_are_made_again(tmp_path, monkeypatch, caplog):
    tokenise(built(), tmp_path / "right", Wanted(512), encoder=encoder())
    rows = pairs_in(tmp_path / "right")
    decoded = str(tokenizer().decode(rows[40]["input_ids"][1:-1]))
    made = encoder()
    bad = next(text for text in texts() if decoded.startswith(text))

    def both(*_: Any, **__: Any) -> list[Engine]:
        return [wrong_at(bad), own_engine(tokenizer(), as_text=True)]

    monkeypatch.setattr("instruction_kit.token.shard.engines", both)
    record = tokenise(built(), tmp_path / "again", Wanted(512), encoder=made)
    assert record.engine.name == "transformers"
    assert pairs_in(tmp_path / "again") == rows
    assert "tokenizers gives other ids than the tokenizer itself for" in caplog.text
    assert "beginning again with another engine" in caplog.text


def texts() -> list[str]:
    found: list[str] = pl.read_parquet(built() / "train" / "train-*.parquet")["prompt"].to_list()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_all_engines_give_the_same_bytes_and_the_record_says_which_it_was(tmp_path, name):
    own = tokenise(built(), tmp_path / "own", Wanted(256, packing=True), encoder=encoder(), engine_names=[])
    fast = tokenise(built(), tmp_path / "fast", Wanted(256, packing=True), encoder=encoder(), engine_names=[name])
    assert fast.shards == own.shards
    assert (own.engine.name, own.engine.checked) == ("transformers", 0)
    assert fast.engine.name == name
    assert fast.engine.checked >= 56 + 4


def test_a_special_token_s_text_that_the_vocabulary_holds_stays_text_in_a_batch():
    loaded = unigram()
    made = PlainEncoder(loaded, layout_of(loaded, joiner="\n"))
    prompts = ["say </s> here", "nothing", "</s></s>"]
    batch = made.batch(pa.record_batch({"prompt": prompts, "completion": ["a", "</s>b", "a"]}))
    for place, prompt in enumerate(prompts):
        [ids], [completion] = made.prompts([prompt]), made.completions([["a", "</s>b", "a"][place]])
        assert batch.ids(np.array([place])).to_pylist() == ids + completion
        assert batch.sizes[place].tolist() == [len(ids), len(completion), 0]
        assert made.stop_id not in ids
