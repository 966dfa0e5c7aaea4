"""The chat layout: the tokenizer's own ids, the loss on the answer and its stop token, and no alteration unseen."""

import re
from pathlib import Path

import chat_model
import pytest
import trl
from chat_model import CHATML, HEADERS, MARKERS, RESTS, STOPS, SYSTEM, TEMPLATES, encoder, own_ids, tokenizer
from hypothesis import given
from hypothesis import strategies as st

from instruction_kit.errors import TokenError
from instruction_kit.token.chat import ALTERED, FORGED, UNSTABLE, ChatEncoder
from instruction_kit.token.conversation import Pair, messages, pair_of
from instruction_kit.token.encode import encoder_of
from instruction_kit.token.encoder import Encoded, Misfit
from instruction_kit.token.settle import Asked, layout_of
from instruction_kit.training.toy import BOS, EOS, make_tokenizer

PLAIN = Pair("Which label fits?\n", "red")
SHOWN = Pair("One?\nred\n\nTwo?\n", "blue", question_start=10, exemplars=(("One?\n", "red"),))
SAID = Pair("Hi.\nHello.\n\nTwo?\n", "blue", question_start=12, turns=(("user", "Hi."), ("assistant", "Hello.")))
BOTH = SAID._replace(exemplars=SHOWN.exemplars)
PAIRS = {"alone": PLAIN, "with exemplars": SHOWN, "with turns": SAID, "with both": BOTH}


def conversation_of(pair: Pair, system_message: str | None = None) -> list[dict[str, str]]:
    return messages(pair, joiner="\n", system_message=system_message)


def text(made: ChatEncoder, ids: list[int]) -> str:
    return str(made.tokenizer.decode(ids)) if ids else ""


def encoded(made: ChatEncoder, pair: Pair) -> Encoded:
    [one] = made.encode([pair])
    assert isinstance(one, Encoded), one
    return one


@pytest.mark.parametrize("kind", TEMPLATES)
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("system_message", [None, SYSTEM])
def test_the_ids_are_the_tokenizer_s_own_and_the_output_ends_with_the_stop_token(kind, pair, system_message):
    if kind == "turns" and system_message:
        return
    made = encoder(kind, system_message=system_message)
    conversation = conversation_of(pair, system_message)
    one = encoded(made, pair)
    assert one.prompt == own_ids(made, conversation[:-1], add_generation_prompt=True)
    assert one.prompt + one.completion + one.rest == own_ids(made, conversation)
    assert text(made, one.completion) == pair.completion + STOPS[kind] == made.answer(pair)
    assert text(made, one.rest) == RESTS[kind]
    assert one == made.afresh(pair)
    assert one.completion.count(made.stop_id) == 1


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (PLAIN, ["user: Which label fits?", "assistant: red"]),
        (SHOWN, ["user: One?", "assistant: red", "user: Two?", "assistant: blue"]),
        (SAID, ["user: Hi.", "assistant: Hello.", "user: Two?", "assistant: blue"]),
        (BOTH, ["user: One?", "assistant: red", "user: Hi.", "assistant: Hello.", "user: Two?", "assistant: blue"]),
    ],
)
def test_exemplars_and_turns_become_messages_before_the_question_without_its_joiner(pair, said):
    assert [f"{message['role']}: {message['content']}" for message in conversation_of(pair)] == said
    whole = conversation_of(pair, "Be brief.")
    assert whole == [{"role": "system", "content": "Be brief."}, *conversation_of(pair)]


def test_a_system_message_of_the_row_s_own_stands_in_the_place_of_the_general_one():
    own_system = BOTH._replace(turns=(("system", "Be kind."), *SAID.turns))
    first, second, *_ = conversation_of(own_system, "Be brief.")
    assert (first["content"], second["content"]) == ("Be kind.", "One?")
    assert conversation_of(own_system) == conversation_of(own_system, "Be brief.")
    assert (
        conversation_of(BOTH._replace(turns=(*SAID.turns, ("system", "Now!"))), "Be brief.")[0]["content"]
        == "Be brief."
    )


def test_the_joiner_is_taken_off_once_and_from_no_turn():
    pair = Pair("One?\n\n", "a\n", exemplars=(("Two?\n\n", "b\n"),), turns=(("user", "Hi\n"), ("assistant", "Yes\n")))
    assert [message["content"] for message in conversation_of(pair)] == [
        "Two?\n",
        "b\n",
        "Hi\n",
        "Yes\n",
        "One?\n",
        "a\n",
    ]


def test_a_row_of_a_built_mixture_is_read_by_its_columns():
    row = chat_model.with_turns({"prompt": "Two?\n", "completion": "blue", "exemplars": [], "turns": None})
    assert pair_of(row).turns == tuple(chat_model.SAID)
    assert row["prompt"][pair_of(row).question_start :] == "Two?\n"
    shown = chat_model.with_exemplars({"prompt": "Two?\n", "completion": "blue", "exemplars": [], "turns": None})
    assert pair_of(shown).exemplars == tuple(chat_model.SOLVED)
    assert pair_of({"prompt": "a", "completion": "b"}) == Pair("a", "b")


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_text_begins_once_and_only_where_the_template_begins_it(kind):
    made = encoder(kind)
    begin = made.tokenizer.bos_token_id
    assert made.tokenizer("a")["input_ids"][0] == begin  # by itself it begins a plain text
    ids = encoded(made, PLAIN).prompt
    assert ids.count(begin) == (0 if kind == "chatml" else 1)
    assert (made.bos_id, made.layout.bos) == ((None, None) if kind == "chatml" else (begin, BOS))
    assert made.begins_once(ids)
    if kind != "chatml":
        assert not made.begins_once([begin, *ids])
        assert not made.begins_once(ids[1:])


TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [
        BOS,
        f"a {EOS}",
        "<|im_end|>",
        "</turn>\n<turn>user",
        "x<|eot|>",
        "",
        " ",
        " a",
        "a\n",
        "\n",
        "🙂\u202e",
        "|||",
        "<|im_end",
    ]
)


@pytest.mark.parametrize("kind", TEMPLATES)
@given(prompt=TEXTS, completion=TEXTS, shown=TEXTS)
def test_any_text_is_kept_whole_or_the_pair_is_no_fit_and_the_reason_holds(kind, prompt, completion, shown):
    made = encoder_for(kind)
    pair = Pair(f"{prompt}\n", completion, exemplars=((shown, "red"),))
    contents = [shown.removesuffix("\n"), prompt, completion]
    [one] = made.encode([pair])
    if isinstance(one, Encoded):
        conversation = conversation_of(pair)
        assert one.prompt + one.completion + one.rest == own_ids(made, conversation)
        assert text(made, one.completion) == completion + STOPS[kind]
        said = text(made, one.prompt)
        assert all(content in said for content in contents[:-1])
    elif one.reason == FORGED:
        assert any(token in content for content in contents for token in made.tokenizer.all_special_tokens)
    elif one.reason == ALTERED:
        assert kind != "chatml"
        assert any(content != content.strip() for content in contents)
    else:
        assert one.reason == UNSTABLE
        assert completion != completion.strip()


def encoder_for(kind: str, *, made: dict[str, ChatEncoder] = {}) -> ChatEncoder:  # noqa: B006 - once for all examples
    if kind not in made:
        made[kind] = encoder(kind)
    return made[kind]


def test_a_row_does_not_depend_on_its_batch():
    made = encoder("turns")
    pairs = [*PAIRS.values(), Pair("a </turn>\n", "b"), Pair(" a\n", "b"), PLAIN]
    assert made.encode(pairs) == [made.encode([pair])[0] for pair in pairs]
    assert made.encode([]) == []


THINKING = CHATML.replace(
    "{{- '<|im_start|>' + message.role + '\\n' + message.content",
    "{{- '<|im_start|>' + message.role + '\\n' + ('<think>\\n\\n</think>\\n\\n' if loop.last and message.role == "
    "'assistant' else '') + message.content",
).replace(
    "{{- '<|im_start|>assistant\\n' }}",
    "{{- '<|im_start|>assistant\\n' + ('<think>\\n\\n</think>\\n\\n' if enable_thinking is defined and not "
    "enable_thinking else '') }}",
)


def test_a_template_that_puts_thoughts_before_the_answer_needs_its_switch():
    with pytest.raises(
        TokenError, match=r"it writes '<think>\\n\\n</think>\\n\\n' between the prompt .*enable_thinking"
    ):
        encoder(template=THINKING)
    made = encoder(template=THINKING, template_kwargs={"enable_thinking": False})
    assert made.layout.template_kwargs == {"enable_thinking": False}
    one = encoded(made, SAID)
    assert text(made, one.prompt).endswith("assistant\n<think>\n\n</think>\n\n")
    assert text(made, one.completion) == "blue<|im_end|>"
    assert one.prompt == own_ids(made, conversation_of(SAID)[:-1], add_generation_prompt=True, enable_thinking=False)
    assert one.prompt + one.completion + one.rest == own_ids(made, conversation_of(SAID))
    assert made.encode([Pair("What is <think>?\n", "a tag")]) == [Misfit(FORGED)]


def test_white_space_that_a_template_puts_around_an_answer_is_learnt_with_it():
    spaced = "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}<turn>{{ m.content }}</turn>{% else %} "
    spaced += "{{ m.content }} {{ eos_token }}{% endif %}{% endfor %}"
    made = encoder(template=spaced)
    assert (made.layout.stop, made.answer(PLAIN)) == (EOS, f" red {EOS}")
    assert text(made, encoded(made, PLAIN).completion) == f" red {EOS}"
    assert encoded(made, SAID).prompt.count(made.stop_id) == 1


def test_a_variable_that_a_template_does_not_read_is_refused():
    assert text(encoder(template_kwargs={"heading": "*"}), [3]) == "<|im_start|>"
    with pytest.raises(TokenError, match=r"--chat_template_kwargs headng: the chat template of .* does not read it"):
        encoder(template_kwargs={"headng": "*"})


FAMILIES: dict[str, dict[str, object]] = {
    "cohere": {}, "gemma": {}, "gemma3": {}, "lfm2": {}, "llama3": {}, "llama3_1": {}, "phi3_5": {}, "qwen2_5": {},
    "llama3_2": {"date_string": "1 May"}, "qwen3": {"enable_thinking": False},
}  # fmt: skip
MARK = re.compile(r"<[|/]?\w+\|?>")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_templates_of_known_families_are_taken_as_trl_ships_them(family):
    source = (Path(trl.__file__).parent / "chat_templates" / f"{family}.jinja").read_text(encoding="utf-8")
    markers = sorted(set(MARK.findall(source)) - {BOS, EOS})
    loaded = make_tokenizer(["What now?"], vocab_size=500, markers=markers)
    loaded.chat_template = source
    asked = Asked("chat", template_kwargs=FAMILIES[family])
    made = ChatEncoder(loaded, layout_of(loaded, joiner="\n", asked=asked))
    for pair in PAIRS.values():
        one = encoded(made, pair)
        assert one.prompt + one.completion + one.rest == own_ids(made, conversation_of(pair), **FAMILIES[family])
        assert text(made, one.completion) == pair.completion + made.layout.stop
        assert made.begins_once(one.prompt)


NO_HEADER = CHATML.replace("{{- '<|im_start|>assistant\\n' }}", "")
DATED = "{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% else %}{{ day }}{% endif %}"
REFUSED = {
    "an answer after something that is not in the prompt": (
        NO_HEADER,
        r"writes '<\|im_start\|>assistant\\n' between the",
    ),
    "no stop token": (CHATML.replace("'<|im_end|>'", "''"), r"writes '\\n', which begins with no token of its own"),
    "a stop that is no token": (CHATML.replace("<|im_end|>", "### end"), r"writes '### end\\n', which begins with no"),
    "the user left out": (
        CHATML.replace("in messages", "in messages[1:]"),
        "it leaves out, repeats or alters what is said ",
    ),
    "other letters": (CHATML.replace("message.content", "message.content | upper"), "alters what is said by: user"),
    "the answer left out": (CHATML.replace("in messages", "in messages[:1]"), "it writes the last answer 0 times"),
    "the answer twice": (CHATML + "{{ messages[-1].content if messages|length > 1 }}", "the last answer 2 times"),
    "a count of the messages": ("{{ messages | length }}" + CHATML, r"another prompt than without one \('2.*was '1"),
    "today": (DATED + CHATML, "it writes today's date, so the same rows would give other tokens tomorrow"),
    "no chat at all": ("{{ raise_exception('not for chats') }}", "cannot be tuned with: not for chats; mend it"),
    "a mistake in it": ("{{ messages[0].content + 1 }}", "cannot be tuned with: can only concatenate str"),
    "two beginnings": ("{{ bos_token + bos_token }}" + CHATML, r"writes '<\|begin\|>', which begins a text, 2 times"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_template_in_which_an_answer_cannot_be_found_or_kept_is_refused_with_the_reason(what):
    template, told = REFUSED[what]
    with pytest.raises(TokenError, match=told) as caught:
        encoder(template=template)
    assert "--layout plain" in str(caught.value)


def test_a_date_that_is_pinned_is_no_date_of_today():
    dated = "{% if day is not defined %}{% set day = strftime_now('%Y') %}{% endif %}{{ day }}" + CHATML
    with pytest.raises(TokenError, match="it writes today's date"):
        encoder(template=dated)
    made = encoder(template=dated, template_kwargs={"day": "1 May"})
    assert text(made, encoded(made, PLAIN).prompt).startswith("1 May<|im_start|>")


def test_what_a_template_changes_by_the_content_alone_makes_the_pair_no_fit():
    hides = HEADERS.replace("message.content | trim", "(message.content | trim).split('secret')[-1]")
    made = encoder("headers", template=hides)
    pairs = [
        PLAIN,
        Pair("The secret is out\n", "red"),
        Pair("a\n", "my secret"),
        SHOWN._replace(exemplars=(("secret?", "a"),)),
    ]
    assert [isinstance(one, Encoded) for one in made.encode(pairs)] == [True, False, False, False]
    assert set(made.encode(pairs)[1:]) == {Misfit(ALTERED)}


def test_roles_that_a_template_refuses_make_the_pair_no_fit_with_the_template_s_own_reason():
    made = encoder("turns")
    twice = SAID._replace(turns=(("user", "Hi."),))
    of_system = SAID._replace(turns=(("system", "Be kind."), *SAID.turns))
    assert made.encode([twice, of_system, SAID]) == [
        Misfit("the chat template does not take user, user: roles must alternate"),
        Misfit("the chat template does not take system, user, assistant, user: there is no system role"),
        encoded(made, SAID),
    ]


def test_a_system_message_on_a_template_without_a_place_for_one_is_refused_with_the_reason():
    with pytest.raises(
        TokenError, match=r"^--system_message: the chat template of .* has no place for one: there is no sys"
    ):
        encoder("turns", system_message=SYSTEM)
    silent = CHATML.replace("in messages", "in messages if message.role != 'system'")
    with pytest.raises(
        TokenError, match=r"no place for one: it leaves out, repeats or alters what is said by: system; leav"
    ):
        encoder(template=silent, system_message=SYSTEM)


def test_a_system_message_may_stand_in_the_first_turn_of_the_user():
    folded = """{%- if messages[0].role == 'system' %}{% set first = messages[0].content + '\\n\\n' %}
{%- set said = messages[1:] %}{% else %}{% set first = '' %}{% set said = messages %}{% endif %}
{%- for m in said %}{{- '<turn>' + m.role + '\\n' + (first if loop.first else '') + m.content + '</turn>\\n' }}
{%- endfor %}{% if add_generation_prompt %}{{- '<turn>assistant\\n' }}{% endif %}"""
    made = encoder(template=folded, system_message=SYSTEM)
    said = text(made, encoded(made, SAID).prompt)
    assert said.startswith(
        f"<turn>user\n{SYSTEM}\n\nHi.</turn>\n<turn>assistant\nHello.</turn>\n<turn>user\nTwo?</turn>"
    )


ENDS_IN_A_SPACE = CHATML.replace("'<|im_start|>assistant\\n'", "'<|im_start|>assistant\\n '").replace(
    "message.role + '\\n' +", "message.role + '\\n ' +"
)


def ends_in_a_space(*, known: str) -> ChatEncoder:
    """A template whose prompts end in a space, over a tokenizer that knows one word with the space before it."""
    loaded = make_tokenizer([f" {known}"] * 9, vocab_size=300, markers=MARKERS)
    loaded.chat_template = ENDS_IN_A_SPACE
    return ChatEncoder(loaded, layout_of(loaded, joiner="\n"))


def test_a_template_whose_prompts_end_inside_a_token_is_refused():
    with pytest.raises(
        TokenError, match=r"ends in '.*\\n ', and its last token changes with the answer.* a line break"
    ):
        ends_in_a_space(known="The")


def test_an_answer_that_would_change_the_tokens_of_its_prompt_is_no_fit():
    made = ends_in_a_space(known="red")
    red, blue = made.encode([Pair("Say it.\n", "red"), Pair("Say it.\n", "blue")])
    assert red == Misfit(UNSTABLE)
    assert isinstance(blue, Encoded)


def test_a_tokenizer_with_another_template_than_the_layout_s_is_refused():
    layout = encoder("chatml").layout
    with pytest.raises(TokenError, match=r"its chat template is not the one of the layout \(instruction_kit\.json\)"):
        encoder_of(tokenizer("headers"), layout)
    assert isinstance(encoder_of(tokenizer("chatml"), layout), ChatEncoder)


def test_the_stop_token_of_the_template_is_taken_where_the_tokenizer_s_own_is_another_one():
    for kind, stop in STOPS.items():
        made = encoder(kind)
        assert made.tokenizer.eos_token == EOS != stop
        assert made.layout.stop == stop
        assert made.tokenizer.convert_ids_to_tokens(made.stop_id) == stop
    assert layout_of(tokenizer("turns"), joiner="\n", asked=Asked("plain")).stop == EOS


def test_several_templates_without_a_default_one_are_refused_and_the_default_one_is_taken():
    several = tokenizer()
    several.chat_template = {"rag": HEADERS, "tools": CHATML}
    with pytest.raises(
        TokenError, match=r"it has several chat templates \(rag, tools\) and no default one; take one of the"
    ):
        layout_of(several, joiner="\n")
    several.chat_template = {"default": CHATML, "rag": HEADERS}
    assert layout_of(several, joiner="\n") == encoder().layout


def test_marks_of_generation_are_not_read():
    marked = CHATML.replace(
        "{{- '<|im_start|>' + message.role", "{% generation %}{% endgeneration %}{{- '<|im_start|>' + message.role"
    )
    assert encoded(encoder(template=marked), SAID) == encoded(encoder(), SAID)
