"""The rows of tasks of the example that ask something about a passage or a sentence."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_rows import Dataset, Expected, each, json_rows

START = 150
"""So much of a passage is in every prompt; what is longer may be shortened at its end."""


def xquad(path: Path, file: str) -> Iterator[Expected]:
    for number, article in enumerate(json.loads(path.read_bytes())["data"]):
        asked = [(part["context"], question) for part in article["paragraphs"] for question in part["qas"]]
        for place, (passage, question) in enumerate(asked):
            name = f"{file}:{number}#{place}" if place else f"{file}:{number}"
            shown = (passage.strip()[:START].strip(), question["question"].strip())
            answers = tuple(answer["text"].strip() for answer in question["answers"])
            yield Expected(name, shown, answers, fate="skipped" if "\ufffd" in answers[0] else "used")


def drop_contrast(path: Path, _: str) -> Iterator[Expected]:
    for passage in json.loads(path.read_bytes()).values():
        for question in passage["qa_pairs"]:
            yield drop_question(passage["passage"].strip()[:START].strip(), question)


def drop_question(passage: str, question: dict[str, Any]) -> Expected:
    answer, date = question["answer"], question["answer"]["date"]
    said = [answer["number"], " ".join(date[part] for part in ("day", "month", "year") if date[part])]
    said = [text for text in (*said, ", ".join(answer["spans"])) if text]
    shown, answers = (passage, question["question"].strip()), (said[0].strip(),)
    return Expected(question["query_id"], shown, answers, fate="used" if len(said) == 1 else "skipped")


def qed(path: Path, _: str) -> Iterator[Expected]:
    for row in json_rows(path):
        answers = dict.fromkeys(
            ", ".join(part["string"].strip() for part in said) for said in row["original_nq_answers"]
        )
        sentence = row["annotation"].get("selected_sentence", {"string": ""})["string"].strip()
        shown = (row["paragraph_text"].strip()[:START].strip(), row["question_text"].strip())
        yield Expected(str(row["example_id"]), shown, tuple(answers), rationale=sentence)


ANSWERS = {True: "yes", False: "no"}


def boolq(path: Path, file: str) -> Iterator[Expected]:
    for index, row in enumerate(json_rows(path)):
        shown = (row["passage"].strip()[:START].strip(), row["question"].strip())
        yield Expected(f"{file}:{index}", shown, (ANSWERS[row["label"]],))


def wsc(path: Path, file: str) -> Iterator[Expected]:
    for index, row in enumerate(json_rows(path)):
        words, pronoun, candidate = row["text"].split(), row["target"]["span2_text"], row["target"]["span1_text"]
        place = row["target"]["span2_index"]
        fate = "used" if words[place][: len(pronoun)] == pronoun else "skipped"
        words[place] = f"*{pronoun}*{words[place][len(pronoun) :]}"
        shown = (" ".join(words), f'Does "*{pronoun}*" refer to "{candidate}" here?')
        yield Expected(f"{file}:{index}", shown, (ANSWERS[row["label"]],), fate=fate)


DATASETS = {
    "xquad_local": Dataset(each(xquad), source_rows={"train": 3 * 48, "validation": 48}),
    "drop_contrast_local": Dataset(each(drop_contrast), source_rows={"train": 75}),
    "qed_local": Dataset(each(qed)),
    "boolq_local": Dataset(each(boolq), classes=("yes", "no")),
    "wsc_local": Dataset(each(wsc), classes=("yes", "no")),
}
