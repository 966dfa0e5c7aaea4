"""Prompts and completions to ids: each apart, specials once and only where the layout puts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import encoder, tokenizer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from instruction_kit.build.length import tokenizer_hash
from instruction_kit.errors import TokenError
from instruction_kit.token.layout import Layout
from instruction_kit.token.plain import PlainEncoder
from instruction_kit.token.settle import layout_of
from instruction_kit.training.toy import BOS, EOS, PAD

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [BOS, f"{BOS}{BOS} x", f"a {EOS}", PAD, "", " ", "\n", "🙂\u202e", "e\u0301", "|||"]
)


@given(prompt=TEXTS, completion=TEXTS, add_bos=st.booleans())
def test_any_text_keeps_its_letters_and_becomes_no_special_token(prompt, completion, add_bos):
    made = encoder(add_bos=add_bos)
    decode = made.tokenizer.decode
    [before], [after] = made.prompts([prompt]), made.completions([completion])
    start = [made.bos_id] if add_bos else []
    assert before[: len(start)] == start
    assert made.special_ids.isdisjoint(before[len(start) :])
    assert after[-1] == made.stop_id
    assert made.special_ids.isdisjoint(after[:-1])
    assert (decode(before[len(start) :]) if before[len(start) :] else "") == prompt
    assert (decode(after[:-1]) if after[:-1] else "") == completion


def test_ids_are_those_of_the_models_own_tokenizer_on_each_side():
    made, plain = encoder(), tokenizer()
    prompt, completion = "Which label fits: red, green?\n", "green"
    assert made.prompts([prompt]) == [plain(prompt)["input_ids"]]
    assert made.completions([completion]) == [[*plain(completion, add_special_tokens=False)["input_ids"], made.stop_id]]


def test_the_border_between_prompt_and_completion_is_never_inside_a_token():
    made, plain = encoder(), tokenizer(add_bos=False)
    prompt, completion = "The It", "em is here"
    together = plain(prompt + completion)["input_ids"]
    apart = made.prompts([prompt])[0][1:] + made.completions([completion])[0][:-1]
    assert together != apart
    assert made.tokenizer.decode(apart) == prompt + completion


def test_a_row_does_not_depend_on_its_batch():
    made = encoder()
    texts = ["a", "Item 3 is here", "", f"{EOS}"]
    assert made.prompts(texts) == [made.prompts([text])[0] for text in texts]
    assert made.prompts([]) == made.completions([]) == []


def unigram() -> PreTrainedTokenizerFast:
    """A tokenizer whose vocabulary holds the text of its own special tokens as pieces, as SentencePiece ones do."""
    pieces = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), *((letter, -2.0) for letter in "▁a<s>/")]
    backend = Tokenizer(models.Unigram(pieces, unk_id=0))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    specials = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **specials)


def test_a_vocabulary_that_holds_the_special_text_itself_gives_no_special_id_either():
    loaded = unigram()
    assert loaded.eos_token_id in loaded("a</s>a", add_special_tokens=False, split_special_tokens=True)["input_ids"]
    made = PlainEncoder(loaded, layout_of(loaded, joiner="\n"))
    [ids] = made.completions(["a</s>a"])
    assert ids.count(made.stop_id) == 1
    assert "".join(loaded.convert_ids_to_tokens(ids[:-1])).replace("▁", "") == "a</s>a"


def test_unknown_letters_are_text_and_not_special():
    made = PlainEncoder(unigram(), layout_of(unigram(), joiner="\n"))
    assert made.tokenizer.unk_token_id in made.prompts(["z"])[0]


def test_a_text_that_can_only_be_a_special_token_is_refused():
    specials = {"eos_token": "§", "unk_token": "<unk>"}
    backend = Tokenizer(models.WordLevel({"§": 0, "a": 1, "<unk>": 2}, specials["unk_token"]))
    loaded = PreTrainedTokenizerFast(tokenizer_object=backend, **specials)
    with pytest.raises(
        TokenError, match=r"'§' holds what it always reads as the special token \['§'\]; skip such rows"
    ):
        PlainEncoder(loaded, layout_of(loaded, joiner="\n")).prompts(["a", "§"])


def test_a_layout_of_another_tokenizer_is_refused():
    with pytest.raises(TokenError, match=r"it has no token '</s>', which the layout names"):
        PlainEncoder(tokenizer(), Layout(kind="plain", joiner="\n", bos=None, stop="</s>"))


def test_the_hash_of_a_tokenizer_is_of_its_rules_and_not_of_its_use():
    used = tokenizer()
    used(["a", "longer text"], padding=True, truncation=True, max_length=3)
    assert tokenizer_hash(used) == tokenizer_hash(tokenizer())
    assert tokenizer_hash(tokenizer(add_bos=False)) != tokenizer_hash(tokenizer())
    used.add_tokens(["new"])
    assert tokenizer_hash(used) != tokenizer_hash(tokenizer())
