"""Everyday causes, effects and ways to do things."""

import gzip
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from pathlib import Path

from local_rows import Dataset, Expected, byte_lines, each, json_rows, quoted_rows

NO_LABELS = "has no labels"
ASKED = {"cause": "What was the cause of this?", "effect": "What happened as a result?"}


def piqa(raw: Path, files: tuple[str, ...]) -> Iterator[Expected]:
    items, labels = files
    for index, (item, label) in enumerate(zip(json_rows(raw / items), byte_lines(raw / labels), strict=True)):
        options = (item["sol1"].strip(), item["sol2"].strip())
        goal = item["goal"].strip()
        question = goal if goal.endswith("?") else f"How is this best done: {goal.rstrip('.!:;, ')}?"
        yield Expected(f"{items}:{index}", (question,), (options[int(label)],), options)


def copa_items(path: Path) -> Iterable[ET.Element]:
    return ET.parse(path).iter("item")  # noqa: S314 - a file of our own


def copa_xml(path: Path, _: str) -> Iterator[Expected]:
    for item in copa_items(path):
        premise, *options = ((part.text or "").strip() for part in item)
        right = options[int(item.attrib["most-plausible-alternative"]) - 1]
        yield Expected(item.attrib["id"], (premise, ASKED[item.attrib["asks-for"]]), (right,), tuple(options))


def xcopa(raw: Path, files: tuple[str, ...]) -> Iterator[Expected]:
    """What is asked for stands in English COPA, from which all languages were translated in its order."""
    test = "xcopa/test" in files[0]
    originals = list(copa_items(raw / "copa_xml" / ("copa-test.xml" if test else "copa-dev.xml")))[
        -500 if test else -100 :
    ]
    for file in files:
        for index, (row, original) in enumerate(zip(json_rows(raw / file), originals, strict=True)):
            options = (row["choice1"].strip(), row["choice2"].strip())
            question = f"What was the {original.attrib['asks-for']}?"
            assert int(original.attrib["most-plausible-alternative"]) == row["label"] + 1
            yield Expected(f"{file}:{index}", (row["premise"].strip(), question), (options[row["label"]],), options)


def csqa2(path: Path, _: str) -> Iterator[Expected]:
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        row = json.loads(line)
        yield Expected(row["id"], (row["question"].strip(),), (row["answer"],))


def side_by_side(raw: Path, files: tuple[str, ...]) -> Iterator[tuple[int, list[str], list[str]]]:
    """Records of a file with a header beside those of one without."""
    data, gold = (quoted_rows(raw / file, delimiter=",") for file in files)
    for index, (record, answer) in enumerate(zip(data[1:], gold, strict=True)):
        assert record[0] == answer[0]
        yield index, [cell.strip() for cell in record[1:]], [cell.strip() for cell in answer[1:]]


def comve(raw: Path, files: tuple[str, ...]) -> Iterator[Expected]:
    for index, record, (wrong,) in side_by_side(raw, files):
        options = tuple(sentence.replace(" \ufffd \ufffd", "'") for sentence in record)
        fate = "skipped" if options[0] == options[1] else "used"
        yield Expected(f"{files[0]}:{index}", options, (options[int(wrong)],), options, fate=fate)


def comve_reason(raw: Path, files: tuple[str, ...]) -> Iterator[Expected]:
    for index, (sentence, *reasons), (letter,) in side_by_side(raw, files):
        yield Expected(f"{files[0]}:{index}", (sentence,), (reasons["ABC".index(letter)],), tuple(reasons))


def comve_explain(raw: Path, files: tuple[str, ...]) -> Iterator[Expected]:
    for index, (sentence,), reasons in side_by_side(raw, files):
        yield Expected(f"{files[0]}:{index}", (f"Why does this make no sense: “{sentence}”",), tuple(reasons))


DATASETS = {
    "comve_local": Dataset(comve),
    "comve_reason_local": Dataset(comve_reason),
    "comve_explain_local": Dataset(comve_explain),
    "csqa2_local": Dataset(
        each(csqa2), classes=("yes", "no"), left_out={"csqa2/CSQA2_test_no_answers.json.gz": NO_LABELS}
    ),
    "piqa_local": Dataset(piqa, left_out={"piqa/tests.jsonl": NO_LABELS}),
    "copa_xml_local": Dataset(each(copa_xml)),
    "xcopa_local": Dataset(xcopa),
}
