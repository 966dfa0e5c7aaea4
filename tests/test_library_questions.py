"""What the columns of tasks over questions, passages and conversations make of one literal row of their source each."""

from typing import Any

import polars as pl
import pytest
from library import TASKS

from instruction_kit import Hub
from instruction_kit.build.examples import Mapper
from instruction_kit.source.raw import INDEX, Batch

DIALOGUE = {
    "wikipedia_page_title": "Ada",
    "section_title": "Youth",
    "context": "Ada liked birds. CANNOTANSWER",
    "questions": ["What did she like?", "Why?"],
    "answers": {"texts": [["birds", "birds", "She liked birds."], ["CANNOTANSWER"]]},
}


def mapped(name: str, *rows: dict[str, Any], split: str = "train") -> list[dict[str, Any]]:
    """What is made of raw rows, without the fields that stay empty."""
    frame = pl.DataFrame(rows, infer_schema_length=None).with_row_index(INDEX)
    found = Mapper(TASKS[name], split).examples(Batch(frame), file="f").accepted.drop("row", "hash").to_dicts()
    return [{field: value for field, value in row.items() if value is not None} for row in found]


MADE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "hellaswag": (
        {
            "ctx": "[header] How to nap [title] Lie down. [step] Shut the eyes.",
            "endings": ["Sleep. [substeps] Snore.", "Fly."],
        }
        | {"label": "0"},
        {"text": "How to nap\nLie down.\nShut the eyes.", "endings": ["Sleep.\nSnore.", "Fly."], "answer": 0},
    ),
    "story_cloze": (
        {f"input_sentence_{number}": f"{number}. " for number in range(1, 5)}
        | {"sentence_quiz1": "No.", "sentence_quiz2": "Yes.", "answer_right_ending": 2},
        {"text": "1. 2. 3. 4.", "endings": ["No.", "Yes."], "answer": 1},
    ),
    "arc_challenge": (
        {"question": "Which?", "choices": {"text": ["a", "b"], "label": ["1", "2"]}, "answerKey": "2"},
        {"question": "Which?", "options": ["a", "b"], "answer": 1},
    ),
    "cos_e": (
        {"question": "Which?", "choices": ["a", "b"], "answer": "b", "abstractive_explanation": "it is b"},
        {"question": "Which?", "options": ["a", "b"], "answer": 1, "rationale": "It is b."},
    ),
    "trivia_qa": (
        {"question": "Who?", "answer": {"value": "Ada", "aliases": ["Ada", "Ada K.", ""]}},
        {"question": "Who?", "answers": ["Ada", "Ada K."]},
    ),
    "squad_v2": (
        {"context": "It is red.", "question": "How big is it?", "answers": {"text": [], "answer_start": []}},
        {"passage": "It is red.", "question": "How big is it?", "answers": ["unanswerable"]},
    ),
    "multirc": (
        {"paragraph": "It is red.", "question": "What is it?", "answer": "blue", "label": 0},
        {"passage": "It is red.", "question": "What is it?", "proposal": "blue", "label": "no"},
    ),
    "cosmos_qa": (
        {"context": "So , I left .", "question": "Why ?", "answer0": "None of the above choices ."}
        | {"answer1": "Rain", "answer2": "Sun", "answer3": "Fog", "label": 0},
        {"context": "So, I left.", "question": "Why?"}
        | {"options": ["None of the above choices.", "Rain", "Sun", "Fog"], "answer": 0},
    ),
    "record": (
        {
            "passage": "Ada Roe met Ben.\n@highlight\n\nAda Roe left",
            "query": "@placeholder left.",
            "answers": ["Roe", "Ada Roe"],
        }
        | {"entities": ["Roe", "Ben", "Ada Roe"]},
        {"context": "Ada Roe met Ben.", "question": "____ left.", "options": ["Ben", "Roe"], "answer": 1},
    ),
    "wsc": (
        {
            "text": "He saw Ben, and  then he ran.",
            "span1_text": "Ben",
            "span2_text": "he",
            "span2_index": 5,
            "label": 1,
        },
        {"passage": "He saw Ben, and then *he* ran.", "question": "Who or what does *he* stand for?"}
        | {"proposal": "Ben", "label": "yes"},
    ),
    "wsc273": (
        {
            "text": "The cup hit the pan,\n  and it broke.",
            "pronoun": "it",
            "options": ["the cup ", "the pan"],
            "label": 0,
        },
        {"text": "The cup hit the pan, and it broke.", "mention": "it", "options": ["the cup", "the pan"], "answer": 0},
    ),
    "mmlu": (
        {"question": "Which?\n", "subject": "college_biology", "choices": ["a", "b", "c", "d"], "answer": 3},
        {
            "context": "The subject is college biology.",
            "question": "Which?",
            "options": ["a", "b", "c", "d"],
            "answer": 3,
        },
    ),
    "lambada": ({"text": "He shut the door"}, {"text": "He shut the", "endings": ["door"]}),
    "bbh": (
        {"config": "object_counting", "input": "I have a cup.", "target": "1"},
        {
            "instruction": "Count what is asked for. Answer with the number alone.",
            "input": "I have a cup.",
            "output": "1",
        },
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_a_row_of_the_source_becomes_this_example(name):
    raw, made = MADE[name]
    assert mapped(name, raw) == [made]


def test_spans_make_one_answer_in_train_and_are_several_in_validation():
    row = {"passage": "Ada and Ben won.", "question": "Who won?", "answers_spans": {"spans": ["Ada", "Ben", "Ada"]}}
    assert mapped("drop", row)[0]["answers"] == ["Ada, Ben, Ada"]
    assert mapped("drop", row, split="validation")[0]["answers"] == ["Ada", "Ben"]


def test_each_question_of_a_student_comes_with_what_was_said_before():
    first, second = mapped("quac", DIALOGUE)
    assert first == {
        "context": "Ada, Youth\n\nAda liked birds.",
        "turns": ["What did she like?"],
        "responses": ["birds", "She liked birds."],
    }
    assert second["turns"] == ["What did she like?", "birds", "Why?"]
    assert second["responses"] == ["I don't know."]


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("hellaswag", {"label": ""}),
        ("trivia_qa", {"answer": {"value": "<unk>", "aliases": []}}),
        ("multirc", {"label": -1}),
        ("cosmos_qa", {"label": -1}),
        ("record", {"answers": []}),
        ("wsc", {"label": -1}),
    ],
)
def test_a_row_whose_answer_is_hidden_is_skipped(name, hidden):
    raw = MADE[name][0] | hidden
    frame = pl.DataFrame([MADE[name][0], raw], infer_schema_length=None).with_row_index(INDEX)
    counts = Mapper(TASKS[name], "train").examples(Batch(frame), file="f").counts
    assert (counts["accepted"], counts["skipped"]) == (1, 1)


def test_every_config_of_the_repository_is_asked_in_words():
    source = TASKS["bbh"].source
    assert isinstance(source, Hub)
    asked = {mapped("bbh", {"config": name, "input": "x", "target": "y"})[0]["instruction"] for name in source.configs}
    assert len(source.configs) == 27
    assert len(asked) == 23  # as many tasks as the paper counts: variants of three, five and seven things are one
