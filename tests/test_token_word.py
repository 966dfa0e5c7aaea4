"""Words: put together again they are the text, and so are their ids, for every tokenizer that may be cut for."""

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiny_model import AWKWARD, tokenizer
from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from instruction_kit.token import word as module
from instruction_kit.token.engine import PLANTED
from instruction_kit.token.word import by_words, may_cut, words_of

SPLITS = {
    "gpt-4": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
    "o200k": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "olmo": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
    r"|\s+(?!\S)|\s+",
    "qwen": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
}
TEXTS = [*AWKWARD, *PLANTED, "It's 12345, isn't it?\n\n- one (two)\r\n", "a\u00a0 b\u3000 c", "x \n y\n\n\n z/\n /w  "]
PIECES = ["a", "It", "'s", "'ll", "12", "3", ".", "(", "-", "/", " ", "  ", "\n", "\r\n", "\t"]
PIECES += ["é", "e\u0301", "中", "\u00a0", "🙂"]
MIXED = st.lists(st.sampled_from(PIECES), max_size=24).map("".join)


def trained(name: str) -> Tokenizer:
    """A small tokenizer with many merges, that divides texts as one of the kinds does."""
    made = Tokenizer(BPE())
    whole = name == "gpt-2"
    last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=whole)
    split = None if whole else pre_tokenizers.Split(Regex(SPLITS[name]), "isolated")
    made.pre_tokenizer = last if split is None else pre_tokenizers.Sequence([split, last])
    made.normalizer = normalizers.NFC() if name == "qwen" else None
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        [*TEXTS, *(f" {a}{b}" for a in PIECES for b in PIECES)] * 3,
        BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False),
    )
    return made


MADE = {name: trained(name) for name in ("gpt-2", *SPLITS)}


def column(*texts: str) -> pa.StringArray:
    return pa.array(texts, pa.string())


def rules(of: Tokenizer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(of.to_str())
    return found


@given(st.lists(st.text() | MIXED, max_size=6))
def test_words_put_together_are_the_texts(texts):
    words, borders = words_of(column(*texts))
    for text, begin, end in zip(texts, borders[:-1], borders[1:], strict=True):
        assert "".join(words[begin:end].to_pylist()) == text
    assert len(words) == borders[-1]


def test_a_part_of_a_column_is_cut_as_if_it_were_alone():
    texts = column("zero one", "two three", "", "four\nfive")
    assert words_of(texts[1:]).words.to_pylist() == ["two", " three", "four", "\nfive"]
    assert words_of(texts[2:3]).borders.tolist() == [0, 0]


@pytest.mark.parametrize("name", MADE)
@settings(max_examples=150)
@given(texts=st.lists(st.text() | MIXED, min_size=1, max_size=4))
@example(texts=TEXTS)
def test_the_ids_of_words_are_those_of_the_text(name, texts):
    made = MADE[name]
    assert may_cut(rules(made), as_text=True)

    def encode(texts: pa.StringArray) -> pa.ListArray:
        return pa.array([one.ids for one in made.encode_batch_fast(texts.to_pylist())], pa.list_(pa.int32()))

    cut = by_words(encode)
    for _ in range(2):  # the second time all words are known
        assert cut(column(*texts)).to_pylist() == encode(column(*texts)).to_pylist()


def test_words_that_are_forgotten_are_encoded_again(monkeypatch):
    monkeypatch.setattr(module, "MOST_KNOWN", 3)
    asked = []

    def encode(texts: pa.StringArray) -> pa.ListArray:
        asked.append(texts.to_pylist())
        return pa.array([[len(text)] for text in texts.to_pylist()], pa.list_(pa.int32()))

    cut = by_words(encode)
    for text in ("one two", "one three", "one two four", "one two"):
        assert cut(column(text)).to_pylist() == [[len(part) for part in words_of(column(text)).words.to_pylist()]]
    assert asked == [["one", " two"], [" three"], [" four"], ["one", " two"]]


def altered(**changes: Any) -> dict[str, Any]:
    return {**rules(MADE["gpt-4"]), **changes}


def added(content: str, **flags: bool) -> Tokenizer:
    made = trained("gpt-2")
    made.add_tokens([AddedToken(content, **flags)])
    return made


def test_of_a_tokenizer_that_is_not_known_texts_are_not_cut():
    known = rules(MADE["gpt-4"])
    [split, last] = known["pre_tokenizer"]["pretokenizers"]
    assert may_cut(known, as_text=False)
    others: list[dict[str, Any]] = [
        {"invert": True},
        {"pattern": {"Regex": r"\w+ \w+|\s+"}},
        {"pattern": {"Regex": r" ?\p{L}+"}},
    ]
    unknown: list[dict[str, Any]] = [
        {"normalizer": {"type": "Lowercase"}},
        {"pre_tokenizer": None},
        {"pre_tokenizer": {"type": "Metaspace"}},
        {"pre_tokenizer": {**last, "use_regex": True, "add_prefix_space": True}},
        *({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{**split, **other}, last]}} for other in others),
        {"model": {**known["model"], "type": "Unigram"}},
        {"model": {**known["model"], "dropout": 0.1}},
    ]
    for changes in unknown:
        assert not may_cut(altered(**changes), as_text=False), changes


def test_added_tokens_that_reach_over_white_space_forbid_to_cut():
    assert may_cut(rules(added("<x>")), as_text=False)
    assert not may_cut(rules(added("new york")), as_text=False)
    assert not may_cut(rules(added("<x>", rstrip=True)), as_text=False)
    assert not may_cut(rules(added("<x>", single_word=True)), as_text=False)
    special = trained("gpt-2")
    special.add_special_tokens([AddedToken("<a b>", lstrip=True)])
    assert not may_cut(rules(special), as_text=False)
    assert may_cut(rules(special), as_text=True)  # it is text, then


def test_the_tokenizer_that_a_toy_model_has_may_be_cut_for():
    assert may_cut(rules(tokenizer().backend_tokenizer), as_text=True)
