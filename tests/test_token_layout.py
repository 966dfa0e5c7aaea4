"""The layout of a model's text: found from the tokenizer, kept beside the model."""

from typing import Any

import pytest
from chat_model import SYSTEM, encoder
from chat_model import tokenizer as chat_tokenizer
from pydantic import ValidationError
from tiny_model import model, tokenizer
from tokenizers import processors

from instruction_kit.errors import TokenError
from instruction_kit.token.layout import LAYOUT_FILE, Layout, read_layout, write_layout
from instruction_kit.token.settle import Asked, layout_of, settle
from instruction_kit.training.toy import BOS, EOS, PAD


def test_bos_is_in_the_layout_only_where_the_tokenizer_adds_it_by_itself():
    assert layout_of(tokenizer(), joiner="\n") == Layout(kind="plain", joiner="\n", bos=BOS, stop=EOS)
    assert layout_of(tokenizer(add_bos=False), joiner=" ") == Layout(kind="plain", joiner=" ", bos=None, stop=EOS)


def test_a_tokenizer_without_an_end_of_sequence_token_is_refused():
    without = tokenizer()
    without.eos_token = None
    with pytest.raises(TokenError, match=r"no end-of-sequence token, .* set one first: tokenizer\.eos_token = "):
        layout_of(without, joiner="\n")


def test_a_tokenizer_that_begins_a_text_with_something_else_is_refused():
    other = tokenizer()
    other.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{PAD} $A", pair=f"{PAD} $A $B", special_tokens=[(PAD, other.pad_token_id)]
    )
    with pytest.raises(TokenError, match=r"begins a text with '<\|pad\|>', where only its BOS"):
        layout_of(other, joiner="\n")


def test_it_is_written_beside_a_model_and_read_back(tmp_path):
    layout = Layout(kind="plain", joiner="\n\n", bos=None, stop="</s>")
    write_layout(tmp_path, layout)
    assert read_layout(tmp_path) == layout
    assert [path.name for path in tmp_path.iterdir()] == [LAYOUT_FILE]


def test_a_model_that_this_kit_has_not_tuned_has_none():
    assert read_layout(model()) is None
    assert read_layout("an-organisation/a-model") is None


@pytest.mark.parametrize("content", ["{", '{"kind": "chat"}', "[]"])
def test_a_broken_file_is_an_error_that_names_it(tmp_path, content):
    (tmp_path / LAYOUT_FILE).write_text(content, encoding="utf-8")
    with pytest.raises(TokenError, match=f"{LAYOUT_FILE}: not a layout"):
        read_layout(tmp_path)


def test_it_is_frozen_and_knows_no_other_key():
    with pytest.raises(ValidationError):
        Layout(kind="plain", joiner="\n", bos=None, stop="x").stop = "y"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Layout.model_validate({"kind": "plain", "joiner": "\n", "bos": None, "stop": "x", "pad": "y"})


def settle_on(recorded: Layout | None, *, kind: str = "chatml", joiner: str = "\n", **asked: Any) -> Layout:
    return settle(chat_tokenizer(kind), name="M", joiner=joiner, asked=Asked(**asked), recorded=recorded)


def test_the_recorded_layout_is_taken_and_another_must_be_asked_for_by_name():
    recorded = encoder(system_message=SYSTEM).layout
    assert settle_on(None) == encoder().layout
    assert settle_on(recorded) == recorded
    assert settle_on(recorded, joiner=" ") == recorded.model_copy(update={"joiner": " "})
    with pytest.raises(TokenError) as caught:
        settle_on(recorded, system_message="Other.", template_kwargs={"x": 1})
    assert str(caught.value) == (
        "--system_message and --chat_template_kwargs: M was tuned in a layout of its own (instruction_kit.json); "
        "another one must be asked for by name: --layout chat"
    )


def test_by_name_the_same_kind_is_the_recorded_one_and_a_system_message_makes_another():
    recorded = encoder(system_message=SYSTEM).layout
    assert Asked("chat").problems() == []
    assert settle(chat_tokenizer(), name="M", joiner="\n", asked=Asked("chat"), recorded=recorded) == recorded
    for message, wanted in (("Other.", "Other."), ("", None)):
        asked = Asked("chat", system_message=message)
        made = settle(chat_tokenizer(), name="M", joiner="\n", asked=asked, recorded=recorded)
        assert made == recorded.model_copy(update={"system_message": wanted})
    plain = settle(chat_tokenizer(), name="M", joiner="\n", asked=Asked("plain"), recorded=recorded)
    assert (plain.kind, plain.system_message) == ("plain", None)


def test_a_template_that_was_changed_beside_a_model_is_refused():
    with pytest.raises(
        TokenError, match=r"^M: the chat template of its tokenizer is not the one that it was tuned with"
    ):
        settle_on(encoder("headers").layout)
    by_name = settle(chat_tokenizer(), name="M", joiner="\n", asked=Asked("chat"), recorded=encoder("headers").layout)
    assert by_name == encoder().layout


def test_a_layout_is_of_one_kind():
    for wrong in ({"template": None}, {"kind": "plain"}, {"kind": "plain", "template": None, "system_message": "x"}):
        with pytest.raises(ValueError, match=r"a chat layout has the hash|only a chat layout has"):
            Layout.model_validate({**encoder().layout.model_dump(), **wrong})
