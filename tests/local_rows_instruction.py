"""Open instructions: notes of a doctor, programs, seed tasks, Natural Instructions."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from local_rows import Dataset, Expected, each, json_rows, quoted_rows

SECTIONS = {"GENHX": "history of present illness", "FAM/SOCHX": "family and social history", "CC": "chief complaint"}
"""Some of the words that stand for a header."""


def mts_dialog(path: Path, file: str) -> Iterator[Expected]:
    for index, (_, header, note, dialogue) in enumerate(quoted_rows(path, delimiter=",")[1:]):
        lines = [line.strip(" ") for line in dialogue.replace("\r\n", "\n").strip().split("\n")]
        asked = f"Write the section “{SECTIONS[header]}”" if header in SECTIONS else "Write the section “"
        shown = (asked, "\n".join(lines)[:200])  # a conversation may be shortened at its end
        yield Expected(f"{file}:{index}", shown, (note.replace("\r\n", "\n").strip(),))


def human_eval(path: Path, _: str) -> Iterator[Expected]:
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        row = json.loads(line)
        whole = f"{row['prompt']}{row['canonical_solution']}"
        shown = f"Complete this Python function, and give all of it.\n\n{row['prompt']}"
        yield Expected(row["task_id"], (shown.strip(),), (whole,))


def text2sql_advising(path: Path, file: str) -> Iterator[Expected]:
    for index, item in enumerate(json.loads(path.read_text(encoding="utf-8"))):
        examples = {variable["name"]: variable["example"] for variable in item["variables"]}
        for number, sentence in enumerate(item["sentences"]):
            given = {name: value for name, value in sentence["variables"].items() if value}
            question, query = sentence["text"], item["sql"][0]
            for name, value in {**examples, **given}.items():
                question, query = question.replace(name, value), query.replace(name, value)
            yield Expected(
                f"{file}:{index}" + f"#{number}" * (number > 0),
                (f"Write an SQL query for this question about university courses: {question}",),
                (query,),
                fate="used" if sentence["question-split"] == "train" else "skipped",
            )


def seed_tasks(path: Path, _: str) -> Iterator[Expected]:
    for row in json_rows(path):
        (instance,) = row["instances"]
        texts = (row["instruction"].strip(), instance["input"].strip()[:200])
        yield Expected(row["id"], tuple(text for text in texts if text), (instance["output"].strip(),))


def natural_instructions_v1(path: Path, file: str) -> Iterator[Expected]:
    task = json.loads(path.read_text(encoding="utf-8"))
    for number, instance in enumerate(task["Instances"]):
        output = instance["output"][0].strip()
        yield Expected(
            f"{file}:0" + f"#{number}" * (number > 0),
            (task["Definition"].strip(), instance["input"].strip()),
            (output,),
            fate="used" if output else "output: blank",
        )


DATASETS = {
    "mts_dialog_local": Dataset(each(mts_dialog)),
    "human_eval_local": Dataset(each(human_eval), measured="test"),
    "text2sql_advising_local": Dataset(each(text2sql_advising), source_rows={"train": 205}),
    "seed_tasks_local": Dataset(each(seed_tasks)),
    "natural_instructions_v1_local": Dataset(each(natural_instructions_v1), source_rows={"train": 4}),
}
