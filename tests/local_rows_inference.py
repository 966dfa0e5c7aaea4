"""The rows of more tasks of the example on what follows from a text, on paraphrase, and on causes and effects."""

from collections.abc import Iterator
from pathlib import Path

from local_rows import Dataset, Expected, byte_lines, each, json_rows, tab_rows

WORDS = {"entailment": "yes", "neutral": "it is not possible to tell", "contradiction": "no"}
VERDICTS = {"SUPPORTS": "yes", "REFUTES": "no"}
SAME = ("no", "yes")


def textfooler(path: Path, file: str) -> Iterator[Expected]:
    for index, (label, *texts) in enumerate(tab_rows(path)):
        yield Expected(f"{file}:{index}", tuple(text.strip() for text in texts), (WORDS[label],))


def breaking(path: Path, _: str) -> Iterator[Expected]:
    for row in json_rows(path):
        yield Expected(str(row["pairID"]), (row["sentence1"], row["sentence2"]), (WORDS[row["gold_label"]],))


def fever(path: Path, _: str) -> Iterator[Expected]:
    for row in json_rows(path):
        yield Expected(row["id"], (row["evidence"].strip(), row["claim"].strip()), (VERDICTS[row["label"]],))


def esnli(raw: Path, files: tuple[str, ...]) -> Iterator[Expected]:
    columns = [[line.decode().strip() for line in byte_lines(raw / file)] for file in files]
    for index, (premise, hypothesis, label, why) in enumerate(zip(*columns, strict=True)):
        yield Expected(f"{files[0]}:{index}", (premise, hypothesis), (WORDS[label],), rationale=why)


def msrp(path: Path, file: str) -> Iterator[Expected]:
    for index, (label, _, _, *sentences) in enumerate(tab_rows(path)[1:]):
        shown = tuple(text.replace("\x12", "'").replace("&apos;", "'") for text in sentences)
        yield Expected(f"{file}:{index}", shown, (SAME[int(label)],))


def copa(path: Path, file: str) -> Iterator[Expected]:
    for index, row in enumerate(json_rows(path)):
        options = (row["choice1"], row["choice2"])
        yield Expected(f"{file}:{index}", (row["premise"],), (options[row["label"]],), options)


DATASETS = {
    "nli_textfooler_local": Dataset(
        each(textfooler),
        classes=tuple(WORDS.values()),
        left_out={"nli_textfooler/mnli": "the pairs of mnli_mismatched, with numbers for labels"},
        measured="test",
    ),
    "breaking_nli_local": Dataset(each(breaking), classes=tuple(WORDS.values()), measured="test"),
    "fever_symmetric_local": Dataset(
        each(fever),
        classes=tuple(VERDICTS.values()),
        left_out={"fever_symmetric/v0.1_fever_symmetric_generated.jsonl": "an earlier version of the other two"},
        measured="test",
    ),
    "esnli_local": Dataset(
        esnli,
        classes=tuple(WORDS.values()),
        left_out={f"esnli/preproc1_expl_{number}.dev": "another explanation of each pair" for number in (2, 3)},
        measured="validation",
    ),
    "msrp_local": Dataset(each(msrp), classes=SAME, measured="test"),
    "copa_jsonl_local": Dataset(each(copa)),
}
