"""Whom or what a pronoun, or a blank, stands for."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from local_rows import Dataset, Expected, each, json_rows, tab_rows

NO_ANSWERS = "has no answers"
SAME_LABELS = "holds the answers of its neighbour once more"
PRONOUNS = {"male": {"he", "his", "him"}, "female": {"she", "her"}, "neutral": {"they", "their", "them"}}
PART = "is a part of train_m.jsonl"


def knowref(raw: Path, files: tuple[str, ...]) -> Iterator[Expected]:
    (file,) = files
    rows = json.loads((raw / file).read_text(encoding="utf-8"))
    asked = [(row["sentence_with_pronoun"], row["candidate0"][0].strip(), row["candidate1"][0].strip()) for row in rows]
    answers: dict[tuple[str, ...], set[str]] = {}
    for question, row in zip(asked, rows, strict=True):
        answers.setdefault(question, set()).add(row["correct_candidate"][0].strip())
    seen = set()
    for index, (question, row) in enumerate(zip(asked, rows, strict=True)):
        sentence, *options = question
        used = question not in seen and len(answers[question]) == 1 and options[0] != options[1]
        seen.add(question)
        yield Expected(
            f"{file}:{index}",
            (sentence.strip(),),
            (row["correct_candidate"][0].strip(),),
            tuple(options),
            fields={"mention": f"[{sentence.partition('[')[2].partition(']')[0]}]"},
            fate="used" if used else "skipped",
        )


def winogrande(path: Path, _: str) -> Iterator[Expected]:
    for row in json_rows(path):
        options = (row["option1"].strip(), row["option2"].strip())
        answer = options[int(row["answer"]) - 1]
        yield Expected(row["qID"], (row["sentence"].strip(),), (answer,), options, fields={"mention": "_"})


def gap(path: Path, _: str) -> Iterator[Expected]:
    for cells in tab_rows(path)[1:]:
        key, text, pronoun, at, first, _, is_first, second, _, is_second, _ = cells
        start = int(at)
        assert text[start : start + len(pronoun)] == pronoun
        options = (first.strip(), second.strip(), "neither of them")
        answer = options[0] if is_first == "TRUE" else options[1] if is_second == "TRUE" else options[2]
        marked = f"{text[:start]}[{pronoun}]{text[start + len(pronoun) :]}"
        yield Expected(key, (marked.strip(),), (answer,), options, fields={"mention": f"[{pronoun}]"})


def winogender(path: Path, _: str) -> Iterator[Expected]:
    for key, sentence in tab_rows(path)[1:]:
        occupation, other, answer, gender, _ = key.split(".")
        (pronoun,) = (word for word in re.findall(r"\w+", sentence) if word.lower() in PRONOUNS[gender])
        people = (occupation, other)
        yield Expected(key, (sentence.strip(),), (people[int(answer)],), people, fields={"mention": pronoun})


def winobias(path: Path, file: str) -> Iterator[Expected]:
    lines = path.read_text(encoding="utf-8").splitlines()
    people = [re.sub(r"^(the|an|a) ", "", re.findall(r"\[(.*?)\]", line)[0].lower()) for line in lines]
    for index, line in enumerate(lines):
        first = index - index % 2
        options = tuple(f"the {person}" for person in people[first : first + 2])
        sentence = line.split(" ", 1)[1]
        marked = re.split(r"[\[\]]", sentence)  # before, person, between, pronoun, and what follows
        shown = "".join([*marked[:3], f"[{marked[3]}]", *marked[4:]])
        fate = "options: fewer than 2 items" if options[0] == options[1] else "used"
        mention = {"mention": f"[{marked[3]}]"}
        yield Expected(f"{file}:{index}", (shown,), (options[index % 2],), options, fields=mention, fate=fate)


DATASETS = {
    "knowref_local": Dataset(knowref),
    "winogrande_local": Dataset(
        each(winogrande),
        left_out={
            "winogrande/train_m-labels.lst": SAME_LABELS,
            "winogrande/dev-labels.lst": SAME_LABELS,
            "winogrande/train_s.jsonl": PART,
            "winogrande/train_xs.jsonl": PART,
            "winogrande/test.jsonl": NO_ANSWERS,
        },
    ),
    "gap_local": Dataset(each(gap)),
    "winogender_local": Dataset(
        each(winogender), left_out={"winogender/templates.tsv": "is what the sentences were made from"}
    ),
    "winobias_local": Dataset(each(winobias)),
}
