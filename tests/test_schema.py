"""A schema is one pydantic class: what it takes, what it says of a bad row, and which classes cannot be one."""

from typing import Literal

import pytest
from pydantic import Field, ValidationError

from instruction_kit import schema as schemas
from instruction_kit.errors import SchemaError
from instruction_kit.schema import (
    Answerability,
    AnswerCheck,
    AnswerIfStated,
    BooleanQA,
    Choice,
    ClaimCheck,
    Classification,
    ClosedBookQA,
    Completion,
    Continuation,
    Coreference,
    Dialogue,
    DuplicateQuestion,
    Free,
    Label,
    LongText,
    MathWordProblem,
    MultipleChoice,
    NaturalLanguageInference,
    OpenInstruction,
    Paraphrase,
    ReadingComprehension,
    Rewriting,
    Schema,
    SentenceSimilarity,
    SequenceLabelling,
    StructToText,
    Summarization,
    Text,
    Translation,
    WordInContext,
)
from instruction_kit.schema.schema import check_row

FOLDERS = {
    AnswerCheck: "answer_check",
    AnswerIfStated: "answer_if_stated",
    Answerability: "answerability",
    DuplicateQuestion: "duplicate_question",
    SentenceSimilarity: "sentence_similarity",
    WordInContext: "word_in_context",
    BooleanQA: "boolean_qa",
    ClaimCheck: "claim_check",
    Classification: "classification",
    ClosedBookQA: "closed_book_qa",
    Completion: "completion",
    Continuation: "continuation",
    Coreference: "coreference",
    Dialogue: "dialogue",
    MathWordProblem: "math_word_problem",
    MultipleChoice: "multiple_choice",
    NaturalLanguageInference: "natural_language_inference",
    OpenInstruction: "open_instruction",
    Paraphrase: "paraphrase",
    ReadingComprehension: "reading_comprehension",
    Rewriting: "rewriting",
    SequenceLabelling: "sequence_labelling",
    StructToText: "struct_to_text",
    Summarization: "summarization",
    Translation: "translation",
}


def shipped() -> set[type[Schema]]:
    classes = [getattr(schemas, name) for name in schemas.__all__]
    return {kind for kind in classes if isinstance(kind, type) and issubclass(kind, Schema) and kind is not Schema}


def test_the_schemas_that_ship_are_the_ones_tested_here():
    assert shipped() == set(FOLDERS)


@pytest.mark.parametrize("schema", FOLDERS)
def test_a_schema_has_its_folder_of_templates(schema):
    assert schema.folder() == FOLDERS[schema]


@pytest.mark.parametrize(
    ("schema", "fields"),
    [
        (NaturalLanguageInference, ("premise",)),
        (Classification, ("text",)),
        (MultipleChoice, ("context",)),
        (ReadingComprehension, ("passage",)),
        (Summarization, ("document",)),
        (MathWordProblem, ()),
        (Paraphrase, ("sentence1", "sentence2")),
        (DuplicateQuestion, ()),
        (SentenceSimilarity, ("sentence1", "sentence2")),
        (WordInContext, ()),
        (Answerability, ("passage",)),
        (BooleanQA, ("passage",)),
        (ClaimCheck, ()),
        (ClosedBookQA, ()),
        (Coreference, ("text",)),
        (Translation, ("text",)),
        (StructToText, ()),
        (Dialogue, ("context",)),
        (OpenInstruction, ("input",)),
        (SequenceLabelling, ("text",)),
        (Rewriting, ("text",)),
    ],
)
def test_only_long_fields_may_be_shortened(schema, fields):
    assert schema.shortenable() == fields


@pytest.mark.parametrize("schema", FOLDERS)
def test_a_rationale_is_an_optional_field_of_every_schema(schema):
    assert not schema.model_fields["rationale"].is_required()


def test_a_good_row_has_no_reasons():
    row = {"premise": "A dog runs.", "hypothesis": "An animal moves.", "label": "entailment"}
    assert check_row(NaturalLanguageInference, row) == frozenset()


def test_all_that_is_wrong_with_a_row_is_told_at_once():
    row = {"premise": " \u2003", "hypothesis": 7, "label": "maybe", "rationale": ""}
    assert check_row(NaturalLanguageInference, row) == {
        ("premise", "blank"),
        ("hypothesis", "not text"),
        ("label", "not one of entailment, neutral, contradiction, not_entailment"),
        ("rationale", "blank"),
    }


@pytest.mark.parametrize("answer", [-1, 2, 2**70])
def test_the_answer_of_a_choice_stands_among_its_options(answer):
    row = {"question": "Which?", "options": ["a", "b"], "answer": answer}
    assert check_row(MultipleChoice, row) == {("answer", "not an index into the options")}


@pytest.mark.parametrize("answer", [True, 1.0, "1"])
def test_an_index_is_an_integer_and_nothing_like_one(answer):
    row = {"question": "Which?", "options": ["a", "b"], "answer": answer}
    assert check_row(MultipleChoice, row) == {("answer", "not an integer")}


def test_a_key_that_is_no_field_is_refused():
    assert check_row(MathWordProblem, {"question": "?", "answer": "4", "hint": "x"}) == {
        ("hint", "Extra inputs are not permitted")
    }


def test_an_example_cannot_be_changed():
    example = MathWordProblem(question="2 + 2?", answer="4")
    with pytest.raises(ValidationError, match="frozen"):
        example.answer = "5"  # type: ignore[misc]


# --- classes that cannot serve as a schema ----------------------------------------------------------------------------


def test_a_schema_says_what_its_target_is():
    with pytest.raises(SchemaError) as refused:
        type("Riddle", (Schema,), {"__annotations__": {"riddle": Text}})
    assert str(refused.value) == ('Riddle: set `target` to Label("…"), Choice(options="…", answer="…") or Free("…")')


def test_a_target_names_a_field():
    with pytest.raises(SchemaError) as refused:

        class Riddle(Schema):
            target = Free("anwser")
            answer: Text

    assert str(refused.value) == "Riddle: target names the field anwser; did you mean answer?"


def test_a_default_would_never_reach_a_frame_and_is_refused():
    with pytest.raises(SchemaError) as refused:

        class Riddle(Schema):
            target = Free("answer")
            answer: Text
            language: Text = "en"

    assert str(refused.value) == (
        "Riddle: language has a default; a field is required, or may be missing: `language: … | None = None`"
    )


def test_a_second_name_for_a_field_is_refused():
    with pytest.raises(SchemaError) as refused:

        class Riddle(Schema):
            target = Free("answer")
            answer: Text = Field(alias="solution")

    assert str(refused.value) == "Riddle: answer has an alias; a field has one name"


def test_an_answer_cannot_be_made_from_a_field_that_may_be_missing():
    with pytest.raises(SchemaError) as refused:

        class Riddle(Schema):
            target = Free("answer")
            answer: Text | None = None

    assert str(refused.value) == (
        "Riddle: answer is what the answer is made from; it must be required, and be text or a list of texts"
    )


def test_a_choice_needs_a_list_and_an_index():
    with pytest.raises(SchemaError) as refused:

        class Riddle(Schema):
            target = Choice(options="options", answer="letter")
            options: Text
            letter: Literal["A", "B"]

    assert str(refused.value) == (
        "Riddle: options is what the answer is made from; it must be required, and be a list of texts; "
        "letter is what the answer is made from; it must be required, and be an integer"
    )


def test_a_label_is_text():
    with pytest.raises(SchemaError) as refused:

        class Riddle(Schema):
            target = Label("label")
            riddle: LongText
            label: int

    assert str(refused.value) == (
        "Riddle: label is what the answer is made from; it must be required, and be text or a Literal of texts"
    )
