"""Questions with options, most of them with written reasoning: commonsense, algebra, Flan's chain-of-thought files."""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from local_rows import Dataset, Expected, each, json_rows, quoted_rows, tab_rows

NO_ANSWERS = "has no answers"
SAME_QUESTIONS = "holds the questions of gsm8k/train.jsonl once more"
CLOSING = re.compile(r"(\n|\.\s+)[^\n.]{0,25}\b(answer|option|choice)\b[^\n]{0,25}\Z", re.IGNORECASE)
"""The end of a solution that names a letter."""


def cosmos_qa(path: Path, _: str) -> Iterator[Expected]:
    for key, context, question, *answers, label in quoted_rows(path, delimiter=",")[1:]:
        options = tuple(answer.strip() for answer in answers)
        yield Expected(key, (context.strip(), question.strip()), (options[int(label)],), options)


def mctaco(path: Path, file: str) -> Iterator[Expected]:
    first: dict[tuple[str, str], int] = {}
    plausible: dict[tuple[str, str], list[str]] = {}
    for index, (sentence, question, answer, label, _) in enumerate(tab_rows(path)):
        first.setdefault((sentence, question), index)
        plausible.setdefault((sentence, question), []).extend([answer] if label == "yes" else [])
    for asked, index in first.items():
        answers = tuple(plausible[asked])
        yield Expected(f"{file}:{index}", asked, answers, fate="used" if answers else "skipped")


def commonsense_qa_cose(raw: Path, files: tuple[str, ...]) -> Iterator[Expected]:
    questions, explanations = (json_rows(raw / file) for file in files)
    told = {row["id"]: row["explanation"]["open-ended"].strip() for row in explanations}
    often = Counter(why.lower() for why in told.values())
    for row in questions:
        choices = {choice["label"]: choice["text"].strip() for choice in row["question"]["choices"]}
        why = told[row["id"]]
        yield Expected(
            row["id"],
            (row["question"]["stem"].strip(),),
            (choices[row["answerKey"]],),
            tuple(choices.values()),
            rationale=why if often[why.lower()] == 1 else "",
        )


def aqua_rat(path: Path, file: str) -> Iterator[Expected]:
    for index, row in enumerate(json_rows(path)):
        options = tuple(option[2:].strip() for option in row["options"])
        answer = options["ABCDE".index(row["correct"])]
        why = CLOSING.sub("", row["rationale"].strip())
        yield Expected(f"{file}:{index}", (row["question"].strip(),), (answer,), options, rationale=why)


def cot_cells(path: Path) -> Iterator[tuple[int, str, list[str], str, str]]:
    """Question, lines of options, answer and reasoning, with the line ends that were written as two characters."""
    for index, (asked, answer, why) in enumerate(tab_rows(path)):
        question, _, options = asked.replace("\\n", "\n").partition("\nOptions:\n")
        yield index, question.strip(), options.split("\n"), answer, why.replace("\\n", "\n").strip()


def cot_aqua(path: Path, file: str) -> Iterator[Expected]:
    for index, question, lines, letter, why in cot_cells(path):
        options = tuple(ungarbled(line[3:].strip()) for line in lines)
        answer = options["ABCDE".index(letter[1])]
        yield Expected(f"{file}:{index}", (ungarbled(question),), (answer,), options, rationale=ungarbled(why))


def ungarbled(text: str) -> str:
    """Two or three characters that are the bytes of one, read as cp1252, become that one."""
    return re.sub(r"[ÃÂ][^\x00-\x7f]|â[^\x00-\x7f]{2}", undone, text)


def undone(found: re.Match[str]) -> str:
    held = b"".join(char.encode("latin-1" if ord(char) < 256 else "cp1252") for char in found[0])
    try:
        return held.decode()
    except UnicodeDecodeError:
        return found[0]


def cot_qasc(path: Path, file: str) -> Iterator[Expected]:
    for index, question, lines, letter, why in cot_cells(path):
        options = tuple(line.removeprefix("- ")[4:] for line in lines)
        yield Expected(f"{file}:{index}", (question,), (options["ABCDEFGH".index(letter[1])],), options, rationale=why)


def cot_ecqa(path: Path, file: str) -> Iterator[Expected]:
    for index, question, lines, answer, why in cot_cells(path):
        options = tuple(line.removeprefix("- ").strip() for line in lines)
        assert answer in options
        yield Expected(f"{file}:{index}", (question,), (answer,), options, rationale=why)


def cot_sensemaking(path: Path, file: str) -> Iterator[Expected]:
    for index, question, lines, answer, why in cot_cells(path):
        options = tuple(line.split(": ", 1)[1][1:-1].strip() for line in lines[:2])
        right = options[["Sentence A", "Sentence B"].index(answer)]
        fate = "skipped" if options[0] == options[1] else "used"
        shown = (question.rstrip("?.: "), *options)
        yield Expected(f"{file}:{index}", shown, (right,), options, rationale=why, fate=fate)


def cot_creak(path: Path, file: str) -> Iterator[Expected]:
    words = {"yes": "true", "no": "false"}
    for index, (asked, answer, why) in enumerate(tab_rows(path)):
        claim = asked[asked.index('"') + 1 : asked.rindex('"')]
        yield Expected(f"{file}:{index}", (claim.strip(),), (words[answer],), rationale=why.strip())


def asdiv(path: Path, _: str) -> Iterator[Expected]:
    for problem in ET.parse(path).iter("Problem"):  # noqa: S314 - a file of our own
        body, question, _kind, answer, formula = ((part.text or "").strip() for part in problem)
        values = [value.split(" (")[0].strip() for value in answer.split(";")]
        yield Expected(problem.attrib["ID"], (f"{body} {question}",), ("; ".join(values),), rationale=formula)


def cot_strategyqa(path: Path, file: str) -> Iterator[Expected]:
    for index, (asked, answer, why) in enumerate(tab_rows(path)):
        yield Expected(f"{file}:{index}", (asked.strip(),), (answer,), rationale=why.strip())


DATASETS = {
    "flan_cot_strategyqa_local": Dataset(each(cot_strategyqa), classes=("yes", "no")),
    "cosmos_qa_local": Dataset(each(cosmos_qa)),
    "mctaco_local": Dataset(each(mctaco), source_rows={"train": 3_783}),
    "commonsense_qa_cose_local": Dataset(
        commonsense_qa_cose,
        source_rows={"train": 2 * 7_610, "validation": 2 * 950},
        left_out={"commonsense_qa_cose/test_rand_split_no_answers.jsonl": NO_ANSWERS},
    ),
    "aqua_rat_local": Dataset(each(aqua_rat)),
    "asdiv_local": Dataset(each(asdiv)),
    "flan_cot_aqua_local": Dataset(each(cot_aqua), left_out={"flan_cot/gsm8k_train.tsv": SAME_QUESTIONS}),
    "flan_cot_qasc_local": Dataset(each(cot_qasc)),
    "flan_cot_ecqa_local": Dataset(each(cot_ecqa)),
    "flan_cot_sensemaking_local": Dataset(each(cot_sensemaking)),
    "flan_cot_creak_local": Dataset(each(cot_creak), classes=("true", "false")),
}
