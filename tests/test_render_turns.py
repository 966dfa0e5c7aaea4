"""A conversation ahead of a row's prompt: it stands whole, is told apart from the prompt, and is kept as turns."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendering import any_text, attempted, odd_text, rendered, template

from instruction_kit import Frame, Mixture, Task
from instruction_kit.errors import SchemaError
from instruction_kit.mixture import Budget
from instruction_kit.render.render import TOO_LONG
from instruction_kit.render.turns import as_text
from instruction_kit.schema import Classification, Free, LongText, OpenInstruction, Schema, Text, Turn

ASK = "{{ instruction }}{% if input %}\n\n{{ input }}{% endif %}\n|||\n{{ answer }}"
GUESS = "Reply: {{ answer }}\nTo what?\n|||\n{{ instruction }}"
HELLO = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hello to you."}]
LONG = [{"role": "user", "content": "word " * 50}, {"role": "assistant", "content": "Aha."}]


def asking(rows: list[dict[str, Any]]) -> Task:
    fields = ("instruction", "input", "output", "turns")
    kinds = {"turns": pl.List(pl.Struct({"role": pl.String, "content": pl.String}))}
    frame = pl.DataFrame(
        [{name: row.get(name) for name in fields} for row in rows],
        schema={name: kinds.get(name, pl.String()) for name in fields},
    )
    columns = {name: name for name in fields}
    return Task(name="asking", cluster="asking", schema=OpenInstruction, source=Frame(frame), columns=columns)


def request(**more: Any) -> dict[str, Any]:
    return {
        "instruction": "Name a fruit.",
        "input": None,
        "output": "A pear.",
        "turns": None,
        "rationale": None,
        **more,
    }


TASK = asking([request()])


def test_a_prompt_begins_with_what_was_said_and_says_where_its_own_part_begins():
    pair = rendered(ASK, request(turns=HELLO), task=TASK)
    assert pair.prompt == "Hello.\nHello to you.\n\nName a fruit.\n"
    assert pair.prompt[pair.question_start :] == "Name a fruit.\n"
    assert (pair.completion, pair.answer_start, pair.answer_end) == ("A pear.", 0, 7)
    assert pair.turns == HELLO


@pytest.mark.parametrize("turns", [None, []])
def test_where_nothing_was_said_before_the_prompt_begins_at_once(turns):
    pair = rendered(ASK, request(turns=turns), task=TASK)
    assert (pair.prompt, pair.question_start, pair.turns) == ("Name a fruit.\n", 0, None)


def test_a_system_turn_and_each_round_are_parted_by_a_blank_line():
    said = [{"role": "system", "content": "Be brief."}, *HELLO, *HELLO]
    assert as_text(said, "\n") == "Be brief.\n\nHello.\nHello to you.\n\nHello.\nHello to you.\n\n"


@pytest.mark.parametrize(
    ("joiner", "expected"),
    [
        ("\n", "Hello.\nHello to you.\n\n"),
        ("\n\n", "Hello.\n\nHello to you.\n\n"),
        (" => ", "Hello. => Hello to you. => \n\n"),
        ("\n---\n", "Hello.\n---\nHello to you.\n---\n\n"),
    ],
)
def test_whatever_the_joiner_a_round_ends_with_one_blank_line(joiner, expected):
    assert as_text(HELLO, joiner) == expected


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), odd_text), max_size=4), any_text)
def test_every_content_stands_word_for_word_and_the_rows_own_prompt_is_that_of_a_row_alone(said, joiner):
    turns = [{"role": role, "content": content} for role, content in said]
    alone = rendered(ASK, request(), task=TASK, joiner=joiner)
    pair = rendered(ASK, request(turns=turns), task=TASK, joiner=joiner)
    assert pair.prompt[pair.question_start :] == alone.prompt
    rest = pair.prompt[: pair.question_start]
    for turn in turns:
        assert rest.lstrip("\n").startswith((turn["content"] + joiner).lstrip("\n"))
        rest = rest.lstrip("\n").removeprefix((turn["content"] + joiner).lstrip("\n"))
    assert rest.strip("\n") == ""


def test_what_was_said_stands_before_a_phrasing_that_is_turned_around_too():
    pair = rendered(GUESS, request(turns=HELLO), task=TASK)
    assert (pair.prompt, pair.completion) == ("Hello.\nHello to you.\n\nReply: A pear.\nTo what?\n", "Name a fruit.")


# --- the budget -------------------------------------------------------------------------------------------------------


def test_the_input_may_be_shortened_and_what_was_said_never_is():
    example = request(turns=HELLO, input="one two three four five six seven eight nine ten eleven twelve thirteen")
    whole = rendered(ASK, example, task=TASK)
    pair = rendered(ASK, example, task=TASK, budget=len(whole.prompt) + len("A pear.") - 10)
    assert pair.prompt.startswith("Hello.\nHello to you.\n\nName a fruit.\none two")
    assert pair.shortened > 0
    assert len(pair.prompt) + len("A pear.") <= len(whole.prompt) + len("A pear.") - 10


def test_a_conversation_that_fills_the_budget_is_too_long():
    assert attempted(ASK, request(turns=LONG), task=TASK, budget=200) == TOO_LONG
    assert attempted(ASK, request(turns=LONG), task=TASK, budget=2) == TOO_LONG


def test_a_row_that_does_not_fit_is_counted_as_removed(tmp_path):
    task = asking([request(turns=HELLO), request(turns=LONG), request()])
    mixture = Mixture(
        tasks=[task], budget=Budget(characters=200), settings={"zero_shot.no_options": 1.0}, num_validation=0
    )
    ledger = mixture.build(tmp_path / "out").tasks["asking"].splits["train"].ledger
    assert (ledger.used, ledger.removed) == (2, {TOO_LONG: 1})


# --- what is built ----------------------------------------------------------------------------------------------------


def test_a_built_pair_keeps_the_turns_and_the_place_of_its_own_prompt(tmp_path):
    task = asking([request(turns=HELLO), request()])
    mixture = Mixture(tasks=[task], settings={"zero_shot.no_options": 1.0}, num_validation=0)
    pairs = {pair["row"]: pair for pair in mixture.dataset()["train"]["train"].to_list()}
    spoken, alone = (pairs[f"Frame[train]:{number}"] for number in (0, 1))
    assert spoken["turns"] == HELLO
    assert spoken["prompt"].startswith("Hello.\nHello to you.\n\n")
    assert spoken["question_start"] == len("Hello.\nHello to you.\n\n")
    assert (alone["turns"], alone["question_start"]) == (None, 0)


# --- which field ------------------------------------------------------------------------------------------------------


def test_any_schema_may_have_a_field_of_turns():
    class Support(Schema):
        target = Free("reply")
        history: list[Turn]
        message: LongText
        reply: Text

    assert Support.turns_field() == "history"
    assert Classification.turns_field() is None
    assert template("{{ message }}\n|||\n{{ answer }}", Support).reads == {"message", "answer"}


def test_two_fields_of_turns_are_refused():
    with pytest.raises(SchemaError) as refused:

        class Support(Schema):
            target = Free("reply")
            before: list[Turn]
            earlier: list[Turn] | None = None
            reply: Text

    assert str(refused.value) == (
        "Support: before and earlier hold turns; one conversation stands before a row, so one field may"
    )
