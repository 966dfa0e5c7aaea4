"""A list of messages becomes an instruction with what was said before it; what has another form is rejected."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_kit import Frame, Mixture, Task, conversation
from instruction_kit.build.examples import Mapper
from instruction_kit.errors import TaskError
from instruction_kit.schema import OpenInstruction
from instruction_kit.source.raw import INDEX, Batch, Where

ASKED, REPLIED = {"role": "user", "content": "Name a fruit."}, {"role": "assistant", "content": "A pear."}
HELLO = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hello to you."}]
SYSTEM = {"role": "system", "content": "Be brief."}


def talking(messages: Any, **said: Any) -> Task:
    frame = messages if isinstance(messages, pl.DataFrame) else pl.DataFrame({"messages": messages})
    columns = conversation("messages", **said)
    return Task(name="talk", cluster="talk", schema=OpenInstruction, source=Frame(frame), columns=columns)


def outcome(*messages: Any, **said: Any) -> list[Any]:
    """What became of each conversation: (instruction, output, turns), or all that is wrong with it."""
    task = talking(list(messages), **said)
    (part,) = task.source.ranges("train", Where())
    (batch,) = task.source.read(part, Where(), task.reads)
    found = Mapper(task, "train").examples(batch, file="f")
    lost: dict[str, list[str]] = {}
    for row in found.rejected.to_dicts():
        lost.setdefault(row["row"], []).append(f"{row['field']}: {row['reason']} ({row['value']})")
    kept = {row["row"]: (row["instruction"], row["output"], row["turns"]) for row in found.accepted.to_dicts()}
    return [kept.get(f"f:{number}") or lost[f"f:{number}"] for number in batch.frame[INDEX]]


def test_the_last_turn_is_learned_the_one_before_is_the_instruction_and_the_rest_stands_before():
    assert outcome([ASKED, REPLIED], [*HELLO, ASKED, REPLIED], [SYSTEM, ASKED, REPLIED]) == [
        ("Name a fruit.", "A pear.", None),
        ("Name a fruit.", "A pear.", HELLO),
        ("Name a fruit.", "A pear.", [SYSTEM]),
    ]


def test_a_source_may_name_its_keys_and_its_speakers_otherwise():
    said = [
        {"from": "human", "value": " Name a fruit.\r\n", "weight": 1},
        {"from": "gpt", "value": "A pear.", "weight": 0},
    ]
    roles = {"human": "user", "gpt": "assistant"}
    assert outcome(said, role="from", content="value", roles=roles) == [("Name a fruit.", "A pear.", None)]


BEFORE = "instruction: the last turn but one is not the user's"
LAST = "output: the last turn is not the assistant's"
ROLE = "turns: a role is none of user, assistant, system"


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([ASKED], [f"{BEFORE} (user)", f"{LAST} (user)"]),
        ([], [f"{BEFORE} ()", f"{LAST} ()"]),
        ([REPLIED], [f"{BEFORE} (assistant)"]),
        ([*HELLO, ASKED], [f"{BEFORE} (user assistant user)", f"{LAST} (user assistant user)"]),
        ([SYSTEM, REPLIED], [f"{BEFORE} (system assistant)"]),
        ([ASKED, {"role": "assistant", "content": " \n"}], ["output: blank (user assistant)"]),
        ([ASKED, {"role": "assistant", "content": None}], ["output: missing (user assistant)"]),
        ([{"role": "user", "content": ""}, REPLIED], ["instruction: blank (user assistant)"]),
        ([{**HELLO[0], "content": ""}, HELLO[1], ASKED, REPLIED], ["turns: an item's content is blank"]),
        ([{**HELLO[0], "content": None}, HELLO[1], ASKED, REPLIED], ["turns: an item's content is missing"]),
        ([None, HELLO[1], ASKED, REPLIED], ["turns: an item is missing"]),
        ([{"role": "tool", "content": "42"}, ASKED, REPLIED], [f"{ROLE} (tool user assistant)"]),
        ([{"role": None, "content": "42"}, ASKED, REPLIED], [f"{ROLE} (user assistant)"]),
        (None, ["instruction: missing (None)", "output: missing (None)"]),
    ],
)
def test_a_conversation_of_another_form_is_rejected_with_all_that_is_wrong(messages, told):
    _, lost = outcome([*HELLO, ASKED, REPLIED], messages)
    assert [whole.startswith(start) for whole, start in zip(sorted(lost), told, strict=True)] == [True] * len(told)


ROUNDS = st.lists(st.tuples(st.text(min_size=1).filter(str.strip), st.text(min_size=1).filter(str.strip)), max_size=4)


@given(ROUNDS, st.booleans())
def test_no_message_is_lost_or_moved(rounds, system):
    said = [SYSTEM] * system
    for asked, replied in [*rounds, ("Name a fruit.", "A pear.")]:
        said += [{"role": "user", "content": asked}, {"role": "assistant", "content": replied}]
    frame = pl.DataFrame({"messages": [said]})
    clean = [turn["content"].replace("\r\n", "\n") for turn in said]
    found = Mapper(talking(frame), "train").examples(Batch(frame.with_row_index(INDEX)), file="f")
    for row in found.accepted.to_dicts():
        turns = [turn["content"] for turn in row["turns"] or []]
        assert [*turns, row["instruction"], row["output"]] == [
            pl.select(pl.lit(content).str.strip_chars()).item() for content in clean
        ]
        assert [turn["role"] for turn in row["turns"] or []] == [turn["role"] for turn in said[:-2]]
    assert found.accepted.height == 1 or found.rejected["reason"].str.contains("blank").all()


def test_in_a_mixture_every_turn_but_the_last_two_stands_in_the_turns_column():
    pairs = Mixture(tasks=[talking([[*HELLO, ASKED, REPLIED]])], num_validation=0).dataset()["train"]["train"]
    assert pairs["turns"] == [HELLO]
    assert pairs["prompt"][0].startswith("Hello.\nHello to you.\n\n")
    assert pairs["question_start"] == [len("Hello.\nHello to you.\n\n")]


def test_a_column_that_holds_no_messages_is_an_error_that_says_what_it_holds():
    with pytest.raises(TaskError) as refused:
        outcome([{"from": "human", "value": "Hello."}])
    assert (
        "conversation(…) needs lists of records with role and content; the source has records with from, value"
        in str(refused.value)
    )
    with pytest.raises(TaskError, match=r"needs lists of records with role and content; the source has String"):
        outcome("Hello.")


def test_where_no_row_has_messages_all_are_rejected():
    assert outcome(None) == [["instruction: missing (None)", "output: missing (None)"]]


def test_a_role_that_is_none_is_refused():
    with pytest.raises(TaskError) as refused:
        conversation("messages", roles={"bot": "model"})
    assert str(refused.value) == (
        "conversation(…, roles={'bot': 'model'}): model is no role; there are user, assistant, system"
    )
