"""The rows of the first ten tasks of the example: plain tables, lines and JSON Lines."""

import re
from collections.abc import Iterator
from pathlib import Path

from local_rows import Dataset, Expected, byte_lines, each, json_rows, quoted_rows, tab_rows

NO_UTF_8 = "not valid utf-8 (byte 0xF0)"
MOODS = ("negative", "positive")
STARS = ("unacceptable", "acceptable")
KINDS = ("description", "entity", "abbreviation", "human", "location", "number")
WORDS = {"entailment": "yes", "neutral": "it is not possible to tell", "contradiction": "no", "not_entailment": "no"}
REPEATS = "holds the questions of another file once more"


def gsm8k(path: Path, file: str) -> Iterator[Expected]:
    for index, row in enumerate(json_rows(path)):
        answer = row["answer"].split("#### ")[1].replace(",", "").strip()
        yield Expected(f"{file}:{index}", (row["question"].strip(),), (answer,))


def mr(path: Path, file: str) -> Iterator[Expected]:
    for index, line in enumerate(byte_lines(path)):
        label, sentence = line.decode("cp1252").split(" ", 1)
        yield Expected(f"{file}:{index}", (sentence.strip(),), (MOODS[int(label)],))


def trec(path: Path, file: str) -> Iterator[Expected]:
    for index, line in enumerate(byte_lines(path)):
        if b"\xf0" in line:
            yield Expected(f"{file}:{index}", fate=NO_UTF_8)
        else:
            label, question = line.decode("ascii").split(" ", 1)
            yield Expected(f"{file}:{index}", (question.strip(),), (KINDS[int(label)],))


def cola(path: Path, file: str) -> Iterator[Expected]:
    for index, (_, label, _, sentence) in enumerate(tab_rows(path)):
        yield Expected(f"{file}:{index}", (sentence.strip(),), (STARS[int(label)],))


def openbookqa(path: Path, _: str) -> Iterator[Expected]:
    for key, stem, choices, _, letter in tab_rows(path)[1:]:
        _, *parts = re.split(r"\(([A-Z])\) ", choices)
        letters, options = parts[::2], tuple(part.strip() for part in parts[1::2])
        if letters == ["A", "B", "C", "D"]:
            yield Expected(key, (stem.strip(),), (options[letters.index(letter)],), options)
        else:
            yield Expected(key, fate="skipped")


def scitldr(path: Path, _: str) -> Iterator[Expected]:
    for row in json_rows(path):
        start = row["source"][0].strip()[:150]  # an abstract may be shortened at its end
        yield Expected(row["paper_id"], (start,), tuple(summary.strip() for summary in row["target"]))


def superglue(path: Path, file: str) -> Iterator[Expected]:
    for index, row in enumerate(json_rows(path)):
        texts = (row["premise"].strip(), row["hypothesis"].strip())
        yield Expected(f"{file}:{index}", texts, (WORDS[row["label"]],))


def sick(path: Path, _: str) -> Iterator[Expected]:
    for cells in tab_rows(path)[1:]:
        key, premise, hypothesis, _, label = (cell.strip() for cell in cells)
        yield Expected(key, (premise, hypothesis), (WORDS[label.lower()],))


def help_nli(path: Path, file: str) -> Iterator[Expected]:
    for index, cells in enumerate(quoted_rows(path)[1:]):
        yield Expected(f"{file}:{index}", (cells[8].strip(), cells[9].strip()), (WORDS[cells[4]],))


DATASETS = {
    "gsm8k_local": Dataset(each(gsm8k), left_out={"gsm8k/test_socratic.jsonl": REPEATS}),
    "mr_local": Dataset(each(mr), classes=MOODS),
    "trec_local": Dataset(each(trec), classes=KINDS, left_out={"trec/raw_TREC.test": REPEATS}),
    "cola_local": Dataset(each(cola), classes=STARS),
    "openbookqa_local": Dataset(each(openbookqa)),
    "scitldr_local": Dataset(each(scitldr)),
    "rte_local": Dataset(each(superglue), classes=("yes", "no"), measured="validation"),
    "cb_local": Dataset(each(superglue), classes=("yes", "no", "it is not possible to tell"), measured="validation"),
    "sick_local": Dataset(each(sick), classes=("yes", "it is not possible to tell", "no"), measured="test"),
    "help_local": Dataset(each(help_nli), classes=("yes", "it is not possible to tell"), measured="train"),
}
