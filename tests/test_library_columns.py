"""What the columns of shipped tasks make of the marks that their sources leave in texts, on one literal row each."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from library import TASKS
from rendering import odd_text

from instruction_kit import Task
from instruction_kit.build.examples import Mapper
from instruction_kit.source.raw import INDEX, Batch

SLICED = ("true_case", "fix_punct", "word_segment")


def mapped(task: Task, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    """The examples that are made of raw rows."""
    frame = pl.DataFrame(rows, infer_schema_length=None).with_row_index(INDEX)
    return Mapper(task, "train").examples(Batch(frame), file="f").accepted.drop("row", "hash").to_dicts()


def pair(**texts: str) -> dict[str, Any]:
    return {"translation": texts}


CLEANED: dict[str, tuple[list[dict[str, Any]], Any]] = {
    "aeslc": (
        [{"email_body": " Lunch?\r\nRay ", "subject_line": "Lunch\n today"}],
        {"document": "Lunch?\nRay", "form": "a subject line", "summaries": ["Lunch today"]},
    ),
    "cnn_dailymail": (
        [{"article": "LIMA, Peru (CNN) -- It rained -- a lot.", "highlights": "Rain in Lima .\nA lot of it ."}],
        {"document": "It rained -- a lot.", "summaries": ["Rain in Lima.\nA lot of it."]},
    ),
    "multi_news": (
        [{"document": "One. NEWLINE_CHAR Two. ||||| Three. |||||", "summary": "\u2013 All of it."}],
        {"document": "One.\nTwo.\n\n***\n\nThree.", "summaries": ["All of it."]},
    ),
    "xsum": (
        [{"document": "Media playback is not supported on this device\nThey won.", "summary": "A win."}],
        {"document": "They won.", "form": "a single sentence"},
    ),
    "gigaword": (
        [
            {"document": "prices rose ## percent .", "summary": "prices up"},
            {"document": "UNK rose .", "summary": "up"},
            {"document": "prices rose .", "summary": "prices up"},
        ],
        {"document": "prices rose .", "summaries": ["prices up"]},
    ),
    "wiki_lingua_english_en": (
        [
            {"article": {"section_name": ["A"], "document": ["Boil it."], "summary": ["Boil."]}},
        ],
        {"document": "Boil it.", "summaries": ["Boil."]},
    ),
    "common_gen": (
        [
            {"concept_set_idx": 4, "concepts": ["dog", "run"], "target": "A dog runs."},
            {"concept_set_idx": 4, "concepts": ["dog", "run"], "target": "Run, dog!"},
        ],
        {"data": ["dog", "run"], "texts": ["A dog runs.", "Run, dog!"]},
    ),
    "e2e_nlg": (
        [
            {"meaning_representation": "name[The Mill], eatType[pub]", "human_reference": "The Mill is a pub."},
            {"meaning_representation": "name[The Mill], eatType[pub]", "human_reference": "A pub: The Mill."},
            {"meaning_representation": "name[The Mill], eatType[pub]", "human_reference": "The Mill is a pub. "},
        ],
        {"data": ["name: The Mill", "type: pub"], "texts": ["The Mill is a pub.", "A pub: The Mill."]},
    ),
    "dart": (
        [
            {
                "tripleset": [["[TABLECONTEXT]", "[TITLE]", "Lakes"], ["Aldine", "DEPTH", "40 m"]],
                "annotations": {"source": ["x"], "text": ["Of the lakes, Aldine is 40 m deep."]},
            }
        ],
        {"data": ["Lakes", "Aldine | DEPTH | 40 m"], "texts": ["Of the lakes, Aldine is 40 m deep."]},
    ),
    "web_nlg_en": (
        [
            {
                "gem_id": f"web_nlg_en-{split}-0",
                "input": ["Low_Tide | runtime | 97"],
                "target": "It runs for 97 minutes.",
                "references": ["It runs for 97 minutes.", "97 minutes."],
            }
            for split in ("challenge_train_sample", "train")
        ],
        {"data": ["Low Tide | runtime | 97"], "texts": ["It runs for 97 minutes.", "97 minutes."]},
    ),
    "math_dataset": (
        [{"question": r"b'Solve 2*x = 6 for x.\n'", "answer": r"b'3\n'"}],
        {"question": "Solve 2*x = 6 for x.", "answer": "3"},
    ),
    "anli_r3": (
        [{"premise": "How to peel<br>Boil it.<br />Wait.", "hypothesis": "It is raw.", "label": 2}],
        {"premise": "How to peel\nBoil it.\nWait.", "label": "contradiction"},
    ),
    "cot_esnli": (
        [
            {
                "question": r'"A dog runs." Is a dog awake?\nOptions:\n- no\n- it is not possible to tell\n- yes\n',
                "answer": "yes",
                "explanation": r"It runs.\nSo it is awake.",
            }
        ],
        {
            "question": '"A dog runs." Is a dog awake?',
            "options": ["no", "it is not possible to tell", "yes"],
            "answer": 2,
            "rationale": "It runs.\nSo it is awake.",
        },
    ),
    "glue_qqp": (
        [{"question1": 'What is ""per se""?', "question2": " Is it Latin? ", "label": 0}],
        {"question1": 'What is "per se"?', "question2": "Is it Latin?", "label": "not_duplicate"},
    ),
    "paws_wiki": (
        [{"sentence1": "It is `` Low Tide '' .", "sentence2": "`` Low Tide '' it is .", "label": 1}],
        {"sentence1": 'It is " Low Tide " .', "sentence2": '" Low Tide " it is .', "label": "paraphrase"},
    ),
    "sentiment140": (
        [{"text": "@bo &lt;3 &quot;tea&quot; &amp;amp; me ", "sentiment": 4}, {"text": "tea", "sentiment": 2}],
        {"text": '@bo <3 "tea" &amp; me', "label": "positive"},
    ),
    "yelp_polarity_reviews": (
        [{"text": r'So ""fresh"".\nSo \""warm\"".', "label": 0}],
        {"text": 'So "fresh".\nSo "warm".', "label": "negative"},
    ),
    "true_case": ([pair(en="In Rome.", ro="…"), pair(en="Hi, Bo.", ro="…"), pair(en="Is it Bo?", ro="…")], "is it bo?"),
    "fix_punct": ([pair(en="In Rome.", ro="…"), pair(en="Hi, Bo.", ro="…"), pair(en="Is it Bo?", ro="…")], "Hi Bo"),
    "word_segment": ([pair(en="In Rome.", ro="…"), pair(en="Hi, Bo.", ro="…")], "InRome."),
    "wmt14_enfr": (
        [pair(en=" Come in.", fr="Entrez.\r\n")],
        {"text": "Come in.", "source_language": "English", "target_language": "French", "translations": ["Entrez."]},
    ),
}


@pytest.mark.parametrize("name", CLEANED)
def test_one_example_is_made_of_these_rows_without_the_marks_of_the_source(name):
    rows, wanted = CLEANED[name]
    (made,) = mapped(TASKS[name], *rows)
    wanted = wanted if isinstance(wanted, dict) else {"text": wanted}
    assert {field: made[field] for field in wanted} == wanted


@pytest.mark.parametrize(
    ("mean", "grade"), [(0.0, "0"), (0.5, "0"), (1.5, "2"), (2.5, "2"), (2.6, "3"), (4.75, "5"), (5.0, "5")]
)
def test_a_mean_of_grades_is_the_nearest_whole_one_and_of_two_the_even_one(mean, grade):
    (made,) = mapped(TASKS["stsb"], {"sentence1": "a", "sentence2": "b", "label": mean})
    assert made["score"] == grade


def test_a_question_that_shows_no_answers_has_those_of_inference():
    asked = {"question": "Is it so?", "answer": "it is not possible to tell", "explanation": "Who knows?"}
    (made,) = mapped(TASKS["cot_esnli"], asked)
    assert (made["options"], made["answer"]) == (["yes", "it is not possible to tell", "no"], 1)


@given(odd_text)
def test_a_sentence_is_in_one_task_of_text_formatting_at_most(sentence):
    kept = [name for name in SLICED if mapped(TASKS[name], pair(en=sentence, ro="…"))]
    assert len(kept) <= 1
