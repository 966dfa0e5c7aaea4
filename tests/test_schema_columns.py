"""The rules of a schema over a frame and pydantic's over a row are the same rules."""

from typing import Annotated, Any, Literal

import polars as pl
import pytest
from annotated_types import Len
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, ConfigDict, Field, PrivateAttr, field_validator, model_validator
from schema_rows import SCHEMAS

from instruction_kit.errors import SchemaError
from instruction_kit.schema import (
    Choice,
    Free,
    Label,
    LongText,
    MathWordProblem,
    MultipleChoice,
    OpenInstruction,
    Schema,
    Text,
    Turn,
)
from instruction_kit.schema.columns import check_frame, frame_schema, is_columnar
from instruction_kit.schema.schema import check_row


class Survey(Schema):
    """A user's schema with every kind of field that the columnar rules know."""

    target = Label("verdict")
    remark: LongText
    verdict: Literal["yes or no", "it's so", "none"]
    tags: Annotated[list[Text], Len(1, 3)]
    keywords: list[Text] | None = None
    stars: int | None = None
    checked: bool | None = None
    place: Text | None = None
    said: Annotated[list[Turn], Len(1, 3)]


BLANKS = ["", " ", "\n\t\r", "\x0b\x0c", "\x1c\x1d\x1e\x1f", "\x85", "\xa0", "\u1680", "\u2000\u200a", "\u2028\u2029"]
BLANKS += ["\u202f", "\u205f", "\u3000"]
VISIBLE = [
    "yes",
    "no",
    "entailment",
    "not_entailment",
    "yes or no",
    "it's so",
    " a ",
    "\x00",
    "\u200b",
    "\ufeff",
    "\u180e",
]
VISIBLE += ["\U0001f600", "\u202e", "|||", "{{ x }}", "x\x1c"]
TEXTS = st.sampled_from(BLANKS + VISIBLE) | st.text(max_size=3)
INTEGERS = st.integers(-2, 5) | st.integers(-(2**63), 2**63 - 1)
SHORT_LISTS = st.lists(TEXTS | st.none(), max_size=4)
LONG_LISTS = st.integers(99, 102).flatmap(lambda n: st.sampled_from([["a"] * n, [""] * n, ["a"] * (n - 1) + [None]]))

COLUMNS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (pl.String(), TEXTS),
    (pl.Categorical(), TEXTS),
    (pl.Enum(sorted({*BLANKS, *VISIBLE})), st.sampled_from(BLANKS + VISIBLE)),
    (pl.Int64(), INTEGERS),
    (pl.UInt8(), st.integers(0, 5)),
    (pl.Float64(), st.floats() | st.sampled_from([0.0, 1.0])),
    (pl.Boolean(), st.booleans()),
    (pl.Null(), st.none()),
    (pl.Binary(), st.binary(max_size=2)),
    (pl.List(pl.String()), SHORT_LISTS | LONG_LISTS),
    (pl.List(pl.Categorical()), SHORT_LISTS),
    (pl.List(pl.Int64()), st.lists(st.integers(0, 9) | st.none(), max_size=4)),
    (pl.List(pl.Null()), st.lists(st.none(), max_size=3)),
    (pl.List(pl.List(pl.String())), st.lists(SHORT_LISTS, max_size=3)),
    (pl.Array(pl.String(), 2), st.lists(TEXTS | st.none(), min_size=2, max_size=2)),
    (pl.Struct({"a": pl.String()}), st.fixed_dictionaries({"a": TEXTS})),
]
ROLES = st.sampled_from(["user", "assistant", "system", "human", ""])


def turns(**keys: tuple[pl.DataType, st.SearchStrategy[Any]]) -> tuple[pl.DataType, st.SearchStrategy[Any]]:
    """Lists of records with these keys; any record and any value may be missing."""
    record = st.fixed_dictionaries({key: st.none() | values | values for key, (_, values) in keys.items()})
    dtype = pl.List(pl.Struct({key: dtype for key, (dtype, _) in keys.items()}))
    return dtype, st.lists(st.none() | record | record | record, max_size=4)


TURNS = turns(role=(pl.String(), ROLES), content=(pl.String(), TEXTS))
COLUMNS += [
    TURNS,
    turns(content=(pl.String(), TEXTS), role=(pl.Categorical(), ROLES)),
    turns(role=(pl.String(), ROLES)),
    turns(role=(pl.Int64(), INTEGERS), content=(pl.Null(), st.none())),
    turns(role=(pl.String(), ROLES), content=(pl.List(pl.String()), SHORT_LISTS), name=(pl.String(), TEXTS)),
    (pl.List(pl.Struct({})), st.lists(st.none() | st.just({}), max_size=2)),
]
LIKELY = {str: COLUMNS[0], int: COLUMNS[3], bool: COLUMNS[6], list: COLUMNS[9], Turn: TURNS}


def choices(schema: type[Schema]) -> list[str]:
    """The words of the Literals of a schema."""
    words = [word for field in schema.model_fields.values() for word in getattr(field.annotation, "__args__", ())]
    return [word for word in words if isinstance(word, str)]


@st.composite
def frames(draw, schema: type[Schema]) -> pl.DataFrame:
    """Mostly columns of the types that the schema wants, sometimes of any other, sometimes none."""
    height = draw(st.integers(0, 5))
    series = [pl.Series("unknown to the schema", [1.5] * height, dtype=pl.Float64)]
    for name, dtype in frame_schema(schema).items():
        kind = {pl.Int64(): int, pl.Boolean(): bool, pl.List(pl.String()): list, TURNS[0]: Turn}.get(dtype, str)
        chosen, values = LIKELY[kind] if draw(st.integers(0, 3)) else draw(st.sampled_from(COLUMNS))
        if name in vars(schema.target).values() and kind is str and chosen == pl.String():
            values = st.sampled_from(choices(schema) or ["x"]) | values
        if draw(st.integers(0, 9)):
            rows = draw(st.lists(st.none() | values | values | values, min_size=height, max_size=height))
            series.append(pl.Series(name, rows, dtype=chosen))
    return pl.DataFrame(series)


def by_pydantic(frame: pl.DataFrame, schema: type[Schema]) -> list[set[str]]:
    rows = [{name: row[name] for name in schema.model_fields if name in row} for row in frame.to_dicts()]
    return [{f"{field}: {reason}" for field, reason in check_row(schema, row)} for row in rows]


def by_column(frame: pl.DataFrame, schema: type[Schema]) -> list[set[str]]:
    verdicts = check_frame(frame, schema=schema).to_list()
    assert all(len(verdict) == len(set(verdict)) for verdict in verdicts)
    return [set(verdict) for verdict in verdicts]


@pytest.mark.parametrize("schema", [*SCHEMAS.values(), Survey])
@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_frame_is_judged_as_pydantic_judges_its_rows(schema, data):
    frame = data.draw(frames(schema))
    assert is_columnar(schema)
    assert by_column(frame, schema) == by_pydantic(frame, schema)


def test_every_character_is_blank_to_both_or_to_neither():
    characters = [chr(code) for code in range(0x1_2000) if not 0xD800 <= code < 0xE000]
    frame = pl.DataFrame({"question": characters, "answer": "4"})
    bad = check_frame(frame, schema=MathWordProblem).list.len() > 0
    assert frame.filter(bad)["question"].to_list() == [character for character in characters if character.isspace()]


def test_a_frame_without_any_field_lacks_every_required_one_in_every_row():
    verdicts = check_frame(pl.DataFrame({"other": [1, 2]}), schema=MathWordProblem).to_list()
    assert verdicts == [["question: missing", "answer: missing"]] * 2


def test_the_reasons_are_words():
    frame = pl.DataFrame(
        {
            "question": ["?", " ", "?", "?", "?", "?"],
            "options": [["a", "b"], ["a"], ["a", None], ["a", " "], None, ["a"] * 101],
            "answer": [2, 0, 0, 0, 0, None],
        }
    )
    assert [sorted(verdict) for verdict in check_frame(frame, schema=MultipleChoice).to_list()] == [
        ["answer: not an index into the options"],
        ["options: fewer than 2 items", "question: blank"],
        ["options: an item is missing"],
        ["options: an item is blank"],
        ["options: missing"],
        ["answer: missing", "options: more than 100 items"],
    ]


GREETING = {"role": "user", "content": "Hello."}


def test_the_reasons_of_turns_say_which_key_of_an_item():
    said = [
        [{"role": "human", "content": "Hello."}],
        [{"role": "user", "content": " "}],
        [{"role": None, "content": "x"}],
    ]
    good = {"instruction": "Count.", "output": "1"}
    frame = pl.DataFrame({"turns": [*said, [None], [], None, [GREETING]]}).with_columns(
        **{k: pl.lit(v) for k, v in good.items()}
    )
    assert check_frame(frame, schema=OpenInstruction).to_list() == [
        ["turns: an item's role is not one of user, assistant, system"],
        ["turns: an item's content is blank"],
        ["turns: an item's role is missing"],
        ["turns: an item is missing"],
        [],
        [],
        [],
    ]


def test_turns_of_another_form_are_told_apart():
    named = pl.DataFrame({"turns": [[{**GREETING, "name": "Ada"}]], "instruction": ["Count."], "output": ["1"]})
    assert check_frame(named, schema=OpenInstruction).to_list() == [["turns: an item has an unknown key, name"]]
    plain = named.with_columns(turns=pl.Series([["Hello."]]))
    assert check_frame(plain, schema=OpenInstruction).to_list() == [["turns: an item is not a record"]]


def test_a_label_outside_the_list_is_told_with_the_list():
    frame = pl.DataFrame({"remark": ["x"], "verdict": ["maybe"], "tags": [["a"]], "said": [[GREETING]]})
    assert check_frame(frame, schema=Survey).to_list() == [["verdict: not one of yes or no, it's so, none"]]


# --- what the columnar rules cannot say is checked row by row ---------------------------------------------------------


class WithFieldValidator(Schema):
    target = Free("answer")
    question: Text
    answer: Text

    @field_validator("answer")
    @classmethod
    def _digits(cls, value: str) -> str:
        if not value.isdigit():
            raise ValueError("not digits")
        return value


class WithSlip(Schema):
    target = Free("answer")
    question: Text
    answer: Text

    @field_validator("answer")
    @classmethod
    def _digits(cls, value: str) -> str:
        return value.digits()  # type: ignore[attr-defined, no-any-return]


def test_a_validator_that_goes_wrong_by_itself_is_named():
    with pytest.raises(SchemaError) as error:
        check_frame(pl.DataFrame({"question": ["q"], "answer": ["a"]}), schema=WithSlip)
    assert str(error.value) == (
        "WithSlip: a validator raised AttributeError: 'str' object has no attribute 'digits'; "
        "what is wrong with a row is said with ValueError"
    )


class WithModelValidator(Schema):
    target = Free("answer")
    question: Text
    answer: Text

    @model_validator(mode="after")
    def _differ(self):
        if self.question == self.answer:
            raise ValueError("the answer repeats the question")
        return self


class WithNarrowText(Schema):
    target = Free("answer")
    question: Annotated[str, Field(max_length=2)]
    answer: Annotated[Text, AfterValidator(str.strip)]


class WithPlainText(Schema):
    target = Free("answer")
    question: str
    answer: list[str]


class WithRange(Schema):
    target = Choice(options="options", answer="answer")
    options: list[Text]
    answer: int = Field(ge=1)
    share: float | None = None


class WithLooseTypes(Schema):
    model_config = ConfigDict(strict=False)
    target = Choice(options="options", answer="answer")
    options: list[Text]
    answer: int


class WithPrivateState(Schema):
    target = Free("answer")
    answer: Text
    _seen: int = PrivateAttr(0)

    def model_post_init(self, context: Any, /) -> None:
        if self.answer == "no":
            raise ValueError("no")


OWN = [
    WithFieldValidator,
    WithModelValidator,
    WithNarrowText,
    WithPlainText,
    WithRange,
    WithLooseTypes,
    WithPrivateState,
]


@pytest.mark.parametrize("schema", OWN)
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_schema_with_rules_of_its_own_is_checked_row_by_row(schema, data):
    frame = data.draw(frames(schema))
    assert not is_columnar(schema)
    assert by_column(frame, schema) == by_pydantic(frame, schema)


def test_the_reasons_of_own_validators_are_their_words():
    frame = pl.DataFrame({"question": ["a", "7"], "answer": ["x", "7"]})
    assert check_frame(frame, schema=WithFieldValidator).to_list() == [["answer: not digits"], []]
    assert check_frame(frame, schema=WithModelValidator).to_list() == [[], ["row: the answer repeats the question"]]


def test_row_by_row_a_frame_without_any_field_lacks_every_required_one_too():
    verdicts = check_frame(pl.DataFrame({"other": [1, 2]}), schema=WithFieldValidator).to_list()
    assert verdicts == [["answer: missing", "question: missing"]] * 2
