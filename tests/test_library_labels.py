"""What the labels of each source stand for, said a second time and not through the task's own mapping.

From a raw row of a sample, as the documentation of its source has it, to the answer that a plain phrasing must render:
a class that changed places in a task file would pass through mapping, golden and docs/labels.md alike.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from library import TASKS, plain, rendered, rows_of

from instruction_kit.review.asked import settings_of

Raw = Mapping[str, Any]
Meant = Callable[[Raw], str]


def words(column: str, meaning: Mapping[Any, str]) -> Meant:
    return lambda row: meaning[value.strip() if isinstance(value := row[column], str) else value]


def one_of(column: str, *options: str, first: int = 0) -> Meant:
    """A number says which of several columns is right."""
    return lambda row: str(row[options[int(row[column]) - first]])


def item_of(column: str, options: str) -> Meant:
    """A number says which item of a list is right."""
    return lambda row: str(row[options][int(row[column])])


def by_key(row: Raw) -> str:
    """Of two lists side by side one has the letters, or numbers, and the other what they stand for."""
    return str(dict(zip(row["choices"]["label"], row["choices"]["text"], strict=True))[row["answerKey"].strip()])


def lettered(row: Raw) -> str:
    """FLAN 2022 writes the options into the question, each behind its letter in brackets."""
    lines, letter = row["question"].replace(r"\n", "\n").split("\n"), row["answer"].strip()
    return next(str(line.partition(letter)[2]) for line in lines if line.lstrip("- ").startswith(letter))


def lettered_sentence(row: Raw) -> str:
    found = re.search(rf'- {row["answer"].strip()}: "(.*?)"(\n|$)', row["question"].replace(r"\n", "\n"))
    assert found
    return found[1]


def without_marks(row: Raw) -> str:
    return re.sub(r"\[\w+\]", " ", row["endings"][int(row["label"])])


YES_FIRST = {0: "yes", 1: "no"}
NO_FIRST = {0: "no", 1: "yes"}
SNLI = words("label", {0: "yes", 1: "it is not possible to tell", 2: "no"})
TOPICS = {0: "world", 1: "sports", 2: "business", 3: "science and technology"}
CODES = {"ABBR": "abbreviation", "ENTY": "entity", "DESC": "description"}
CODES |= {"HUM": "human", "LOC": "location", "NUM": "number"}
MOOD = {0: "negative", 1: "positive"}

MEANT: dict[str, Meant] = {
    "ag_news": words("label", TOPICS),
    "anli_r1": SNLI,
    "anli_r2": SNLI,
    "anli_r3": SNLI,
    "aqua_rat": lambda row: row["options"]["ABCDE".index(row["correct"])][2:],
    "arc_challenge": by_key,
    "arc_easy": by_key,
    "boolq": words("answer", {True: "yes", False: "no"}),
    "cb": words("label", {0: "yes", 1: "no", 2: "it is not possible to tell"}),  # contradiction before neutral
    "cola": words("label", {0: "unacceptable English", 1: "acceptable English"}),
    "commonsense_qa": by_key,
    "copa": one_of("label", "choice1", "choice2"),
    "cos_e": lambda row: row["answer"],
    "cosmos_qa": lambda row: re.sub(r" +([.,!?])", r"\1", row[f"answer{row['label']}"]),
    "cot_aqua": lettered,
    "cot_creak": words("answer", {"yes": "true", "no": "false"}),
    "cot_ecqa": lambda row: row["answer"],
    "cot_esnli": lambda row: row["answer"],
    "cot_qasc": lettered,
    "cot_sensemaking": lettered_sentence,
    "cot_strategyqa": lambda row: row["answer"],
    "creak": lambda row: row["label"],
    "definite_pronoun_resolution": item_of("label", "candidates"),
    "ecqa": lambda row: row["q_ans"],
    "esnli": SNLI,
    "glue_qqp": words("label", NO_FIRST),
    "hellaswag": without_marks,
    "imdb_reviews": words("label", MOOD),
    "mmlu": item_of("answer", "choices"),
    "mnli_matched": SNLI,
    "mnli_mismatched": SNLI,
    "mrpc": words("label", NO_FIRST),
    "multirc": words("label", NO_FIRST),
    "openbookqa": by_key,
    "paws_wiki": words("label", NO_FIRST),
    "piqa": one_of("label", "sol1", "sol2"),
    "qasc": by_key,
    "qnli": words("label", YES_FIRST),  # 0 is entailment
    "record": lambda row: row["answers"][0],
    "rte": words("label", YES_FIRST),
    "sensemaking": one_of("false", "sentence0", "sentence1"),  # the sentence against common sense
    "sentiment140": words("sentiment", {0: "negative", 4: "positive"}),
    "snli": SNLI,
    "sst2": words("label", MOOD),
    "story_cloze": one_of("answer_right_ending", "sentence_quiz1", "sentence_quiz2", first=1),
    "strategyqa": words("answer", {True: "yes", False: "no"}),
    "stsb": lambda row: f"{round(row['label'])} out of 5",  # Python rounds a half to the even number
    "trec": words("label_coarse_original", CODES),
    "wic": words("label", NO_FIRST),
    "winogrande": one_of("answer", "option1", "option2", first=1),
    "wnli": words("label", NO_FIRST),  # 0 is not_entailment: the other way round than in RTE and QNLI
    "wsc": words("label", NO_FIRST),
    "wsc273": item_of("label", "options"),
    "yelp_polarity_reviews": words("label", MOOD),  # of one and of two "stars"
}


def test_every_task_with_options_stands_here():
    assert list(MEANT) == sorted(name for name, task in TASKS.items() if task.has_options)


@pytest.mark.parametrize("name", MEANT)
def test_the_answer_is_what_the_raw_row_means(name):
    task, template, rows = TASKS[name], plain(name), rows_of(name)
    setting = settings_of(template, task)[-1]  # where no options are listed, the answer stands in words
    told = {
        row.line: (rendered(task, template, setting, row).completion, MEANT[name](rows.lines[row.line - 1]))
        for row in rows.usable
        if row.line
    }
    assert told
    assert [(line, *pair) for line, pair in told.items() if len({" ".join(text.split()) for text in pair}) > 1] == []
