"""The rows of tasks of the example whose questions are answered from memory, or are themselves put right."""

import json
from collections.abc import Iterator
from pathlib import Path

from local_rows import Dataset, Expected, each, json_rows

SPREADSHEET = ("#VALUE!", '\\"\\"')
NO_QUESTION = ("n/a", "question n/a", "answer n/a", "no question", "no question.", "no question n/a")


def nq_open(path: Path, file: str) -> Iterator[Expected]:
    for index, row in enumerate(json_rows(path)):
        answers = (mended(answer).replace("\xa0", " ").strip() for answer in row["answer"])
        right = tuple(answer for answer in answers if answer not in (")", ","))
        fate = "used" if right else "answers: fewer than 1 items"
        yield Expected(f"{file}:{index}", (row["question"].strip(),), right, fate=fate)


def mended(answer: str) -> str:
    """Two characters that are the bytes of one: every character beyond ASCII of such an answer is below U+0100."""
    if any(ord(character) > 0xFF for character in answer):
        return answer
    try:
        return bytes(ord(character) for character in answer).decode("utf-8")
    except UnicodeDecodeError:
        return answer


def webquestions(path: Path, _: str) -> Iterator[Expected]:
    for row in json.loads(path.read_bytes()):
        answers = tuple(without_outer_quotes(answer).strip() for answer in row["answers"])
        fate = "skipped" if answers[0].startswith("http") else "used"
        yield Expected(row["qId"], (row["qText"].strip(),), answers, fate=fate)


def without_outer_quotes(answer: str) -> str:
    return answer[1:-1] if answer.count('"') > 2 and answer[0] == answer[-1] == '"' else answer


def disfl_qa(path: Path, _: str) -> Iterator[Expected]:
    for key, pair in json.loads(path.read_bytes()).items():
        said, meant = pair["disfluent"].strip(), pair["original"].strip()
        fate = "used" if said else "text: blank"
        if said in SPREADSHEET or said.lower() in NO_QUESTION:
            fate = "skipped"
        yield Expected(key, (said,), (meant,), fate=fate)


DATASETS = {
    "nq_open_local": Dataset(each(nq_open)),
    "webquestions_local": Dataset(each(webquestions)),
    "disfl_qa_local": Dataset(each(disfl_qa)),
}
