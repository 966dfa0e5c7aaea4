"""An encoder-decoder's two texts: each with the ids that the model's own tokenizer gives it, ends included."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import AWKWARD
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from instruction_kit.errors import TokenError
from instruction_kit.token.conversation import Pair
from instruction_kit.token.encode import encoder_of, is_encoder_decoder
from instruction_kit.token.layout import Layout, read_layout, write_layout
from instruction_kit.token.plain import PlainEncoder
from instruction_kit.token.settle import Asked, layout_of, settle
from instruction_kit.token.weigh import Weighing, weights
from instruction_kit.training.toy import make_tokenizer, make_toy, make_toy_encoder_decoder

TEXTS = ["A dog runs across the field.", "Is the man asleep? yes, no, maybe", "12 + 30 = 42", *AWKWARD] * 3


def unigram() -> PreTrainedTokenizerFast:
    """Pieces after marks of spaces, ended by </s> as T5 does; white space is not kept."""
    made = Tokenizer(models.Unigram())
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    made.decoder = decoders.Metaspace()
    special = ["<pad>", "</s>", "<unk>", "<extra_id_0>"]
    trainer = trainers.UnigramTrainer(vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False)
    made.train_from_iterator(TEXTS, trainer)
    made.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="</s>", pad_token="<pad>", unk_token="<unk>",
        extra_special_tokens=["<extra_id_0>"],
    )  # fmt: skip


def of_t5() -> PreTrainedTokenizerFast:
    return make_tokenizer(TEXTS, vocab_size=400, add_bos=False, add_eos=True)


def of_bart() -> PreTrainedTokenizerFast:
    return make_tokenizer(TEXTS, vocab_size=400, add_bos=True, add_eos=True)


KINDS: dict[str, Any] = {"unigram": unigram, "t5": of_t5, "bart": of_bart}
MADE = {name: make() for name, make in KINDS.items()}


def encoder(kind: str) -> PlainEncoder:
    layout = layout_of(MADE[kind], joiner="\n", asked=Asked("encoder_decoder"))
    made = encoder_of(MADE[kind], layout)
    assert isinstance(made, PlainEncoder)
    return made


def own(kind: str, text: str) -> list[int]:
    """What the tokenizer itself gives a text that holds no special token's."""
    found: list[int] = MADE[kind](text, split_special_tokens=True)["input_ids"]
    return found


@pytest.mark.parametrize("kind", KINDS)
@given(st.text(max_size=20), st.text(max_size=20))
def test_each_side_has_the_ids_of_the_model_s_own_tokenizer(kind, prompt, completion):
    [found] = encoder(kind).encode([Pair(prompt + "\n", completion)])
    assert (found.prompt, found.completion, found.rest) == (own(kind, prompt + "\n"), own(kind, completion), [])  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", KINDS)
def test_each_side_ends_once_and_a_special_token_s_text_stays_text(kind):
    made = encoder(kind)
    names = [made.tokenizer.convert_ids_to_tokens(number) for number in sorted(made.special_ids)]
    for name in map(str, names):
        [prompt], [completion] = made.prompts([f"a {name} b"]), made.completions([f"c {name}"])
        assert [prompt[-1], prompt.count(made.stop_id)] == [made.stop_id, 1]
        assert [completion[-1], completion.count(made.stop_id)] == [made.stop_id, 1]
        assert made.begins_once(prompt)
        assert not made.begins_once([*prompt, made.stop_id])
        assert not made.begins_once(prompt[:-1])
        bos = [] if made.bos_id is None else [made.bos_id]
        assert set(prompt[len(bos) : -1]).isdisjoint(made.special_ids)


@pytest.mark.parametrize("kind", KINDS)
def test_many_at_once_are_what_each_is_alone(kind):
    made = encoder(kind)
    pairs = [Pair(text, answer) for text in TEXTS[:8] for answer in ("yes", "it is not", AWKWARD[1])]
    prompts, completions = ([one[side] for one in pairs] for side in (0, 1))
    batch = made.batch(pa.record_batch({"prompt": prompts, "completion": completions}))
    alone = [made.afresh(pair) for pair in pairs]
    assert alone == made.encode(pairs)
    assert batch.sizes.tolist() == [[len(one.prompt), len(one.completion), 0] for one in alone]
    ids = batch.ids(batch.places[:, 0] * 0 + range(len(pairs))).to_pylist()
    assert ids == [token for one in alone for token in (*one.prompt, *one.completion)]
    assert [made.tokenizer.decode(one.completion) for one in alone if kind != "unigram"] == [
        made.answer(pair) for pair in pairs if kind != "unigram"
    ]


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_the_answer_in_a_longer_output_is_found_behind_what_begins_it(kind):
    made = encoder(kind)
    output = "It runs. So: yes"
    start = output.index("yes")
    table = pa.record_batch(
        {"prompt": ["?"], "completion": [output], "task": ["t"], "answer_start": [start], "answer_end": [len(output)]}
    )
    batch = made.batch(table)
    found = weights(Weighing(answer=3, rationale=0.5), batch, table, made).tolist()
    learnt = list(zip(made.completions([output])[0], found[int(batch.sizes[0, 0]) :], strict=True))
    heavy = made.tokenizer.decode([token for token, weight in learnt if weight == 3], skip_special_tokens=True)
    assert str(heavy).strip() == "yes"
    assert {weight for _, weight in learnt} == {3, 0.5}
    assert learnt[-1] == (made.stop_id, 3)


def settled(asked: Asked, *, recorded: Layout | None = None, two_sided: bool = True, joiner: str = "\n") -> Layout:
    return settle(MADE["t5"], name="M", joiner=joiner, asked=asked, recorded=recorded, encoder_decoder=two_sided)


def test_the_layout_follows_from_the_model_and_lies_beside_it(tmp_path):
    made = settled(Asked())
    assert (made.kind, made.bos, made.prompt_end, made.stop) == ("encoder_decoder", None, "<|end|>", "<|end|>")
    write_layout(tmp_path, made)
    assert read_layout(tmp_path) == made == settled(Asked(), recorded=made)
    assert settled(Asked("encoder_decoder"), recorded=made) == made
    begun = layout_of(MADE["bart"], joiner="\n", asked=Asked("encoder_decoder"))
    assert (begun.bos, begun.prompt_end, begun.stop) == ("<|begin|>", "<|end|>", "<|end|>")


@pytest.mark.parametrize("asked", [Asked("plain"), Asked("chat"), Asked(None, "Be brief.")])
def test_another_layout_is_refused(asked):
    with pytest.raises(TokenError, match="M is an encoder-decoder, which reads the prompt by one side and writes the"):
        settled(asked)


def test_a_layout_of_the_other_kind_of_model_is_refused():
    with pytest.raises(TokenError, match="--layout encoder_decoder: M is none; leave it out, or take --layout plain"):
        settled(Asked("encoder_decoder"), two_sided=False)
    plain = Layout(kind="plain", joiner="\n", bos=None, stop="<|end|>")
    with pytest.raises(TokenError, match="beside it is plain, and the model is an encoder-decoder; it belongs to"):
        settled(Asked(), recorded=plain)
    with pytest.raises(TokenError, match="beside it is encoder_decoder, and the model is no encoder-decoder"):
        settled(Asked(), recorded=settled(Asked()), two_sided=False)
    with pytest.raises(TokenError, match="or ask for the layout by name: --layout encoder_decoder"):
        settled(Asked(), recorded=settled(Asked()), joiner=" ")
    with pytest.raises(ValueError, match="only for an encoder a prompt ends in a token of its own"):
        Layout(kind="plain", joiner="\n", bos=None, stop="x", prompt_end="x")


def test_a_tokenizer_that_ends_a_text_with_another_token_is_refused():
    odd = of_t5()
    odd.eos_token = odd.pad_token
    with pytest.raises(TokenError, match=r"it ends a text with '<\|end\|>', where an encoder-decoder is read with its"):
        layout_of(odd, joiner="\n", asked=Asked("encoder_decoder"))


def test_a_model_says_by_its_configuration_what_it_is(tmp_path):
    t5 = make_toy_encoder_decoder(tmp_path / "t5", TEXTS, vocab_size=300, hidden_size=16, num_layers=1)
    llama = make_toy(tmp_path / "llama", TEXTS, vocab_size=300, hidden_size=16, num_layers=1)
    MADE["t5"].save_pretrained(tmp_path / "tokenizer")
    assert [is_encoder_decoder(str(of)) for of in (t5, llama, tmp_path / "tokenizer")] == [True, False, False]
