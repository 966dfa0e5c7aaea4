"""Tags over tokens become text, whichever way a source writes its tags; what is no tag rejects its row."""

from typing import Any

import datasets
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_kit import Frame, Task, spans
from instruction_kit.build.examples import Mapper
from instruction_kit.errors import TaskError
from instruction_kit.schema import SequenceLabelling
from instruction_kit.source.raw import Where
from instruction_kit.task.span import NONE

WORDS = ["Ada", "King", "wrote", "to", "Bath"]


def labelling(data: Any, **said: Any) -> Task:
    columns = {"text": pl.col("tokens").list.join(" "), "spans": spans("tokens", "tags", **said)}
    return Task(name="names", cluster="names", schema=SequenceLabelling, source=Frame(data), columns=columns)


def outcome(tokens: Any, tags: Any, **said: Any) -> list[str]:
    return mapped(labelling(pl.DataFrame({"tokens": tokens, "tags": tags}), **said))


def mapped(task: Task) -> list[str]:
    """The spans of each row, or why there are none."""
    (part,) = task.source.ranges("train", Where())
    (batch,) = task.source.read(part, Where(), task.reads)
    found = Mapper(task, "train").examples(batch, file="f")
    lost = [f"{row['field']}: {row['reason']} ({row['value']})" for row in found.rejected.to_dicts()]
    return [*found.accepted["spans"].to_list(), *lost]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["B-PER", "I-PER", "O", "O", "B-LOC"], "Ada King: PER; Bath: LOC"),
        (["I-PER", "I-PER", "O", "O", "I-LOC"], "Ada King: PER; Bath: LOC"),  # IOB1
        (["B-PER", "B-PER", "O", "O", "O"], "Ada: PER; King: PER"),
        (["B-PER", "E-PER", "O", "O", "S-LOC"], "Ada King: PER; Bath: LOC"),  # BIOES
        (["U-PER", "U-PER", "O", "B-LOC", "L-LOC"], "Ada: PER; King: PER; to Bath: LOC"),  # BILOU
        (["B-PER", "I-LOC", "I-LOC", "O", "I-PER"], "Ada: PER; King wrote: LOC; Bath: PER"),
        (["S-PER", "I-PER", "O", "O", "O"], "Ada: PER; King: PER"),
        (["O"] * 5, NONE),
    ],
)
def test_every_way_to_write_tags_marks_the_same_pieces(tags, expected):
    assert outcome([WORDS], [tags]) == [expected]


def test_kinds_take_the_words_that_are_given():
    tags = ["B-PER", "I-PER", "O", "O", "B-LOC"]
    assert outcome([WORDS], [tags], names={"PER": "a person", "LOC": "a place"}) == [
        "Ada King: a person; Bath: a place"
    ]


def test_numbers_are_read_by_their_codes():
    codes = ["O", "B-PER", "I-PER"]
    assert outcome([WORDS], [[1, 2, 0, 0, 1]], codes=codes) == ["Ada King: PER; Bath: PER"]


@pytest.mark.parametrize(
    ("tags", "said", "reason"),
    [
        (["O", "O"], {}, "spans: not as many tags as tokens (O O)"),
        (["PER", "O", "O", "O", "O"], {}, "spans: a tag is not in the IOB form (PER O O O O)"),
        ([None, "O", "O", "O", "O"], {}, "spans: a tag is not in the IOB form (O O O O)"),
        (["B-PER", "O", "O", "O", "B-X"], {"names": {"PER": "p"}}, "spans: a tag is of a kind that has no name"),
        ([0, 0, 0, 0, 3], {"codes": ["O", "B-PER"]}, "spans: a tag is a number that has no code (0 0 0 0 3)"),
        ([0, 0, 0, 0, 3], {}, "spans: a tag is a number that has no code (0 0 0 0 3)"),
        (None, {}, "spans: missing (None)"),
    ],
)
def test_what_is_no_tag_rejects_its_row(tags, said, reason):
    (told,) = outcome([WORDS], pl.Series([tags]), **said)
    assert told.startswith(reason)


def test_a_token_that_is_missing_rejects_its_row():
    assert outcome([["Ada", None]], [["O", "O"]])[0].startswith("spans: a token is missing")


@given(st.lists(st.tuples(st.sampled_from("BI"), st.sampled_from(["PER", "LOC"])) | st.none(), min_size=1, max_size=8))
def test_each_tagged_token_stands_in_one_piece_and_no_other_token_does(marks):
    tokens = [f"w{number}" for number in range(len(marks))]
    (told,) = outcome([tokens], [["O" if mark is None else "-".join(mark) for mark in marks]])
    pieces = [] if told == NONE else [piece.split(": ") for piece in told.split("; ")]
    held = [(token, kind) for piece, kind in pieces for token in piece.split(" ")]
    assert held == [(token, mark[1]) for token, mark in zip(tokens, marks, strict=True) if mark]


def test_a_source_that_declares_its_tags_in_another_order_is_refused():
    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "tags": datasets.List(datasets.ClassLabel(names=["O", "B-LOC", "B-PER"])),
        }
    )
    data = datasets.Dataset.from_dict({"tokens": [["Ada"]], "tags": [[2]]}, features=features)
    right = labelling(data, codes=["O", "B-LOC", "B-PER"])
    assert mapped(right) == ["Ada: PER"]
    with pytest.raises(TaskError) as refused:
        mapped(labelling(data, codes=["O", "B-PER", "B-LOC"]))
    assert str(refused.value) == (
        "task names: column tags of the source has the classes ['O', 'B-LOC', 'B-PER'], the task says "
        "['O', 'B-PER', 'B-LOC'] for spans; give spans(…, codes=['O', 'B-LOC', 'B-PER']) with the classes in that order"
    )
