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


@given(odd_text)
def test_a_sentence_is_in_one_task_of_text_formatting_at_most(sentence):
    kept = [name for name in SLICED if mapped(TASKS[name], pair(en=sentence, ro="…"))]
    assert len(kept) <= 1
