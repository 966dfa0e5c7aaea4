"""The example over local files: every row of every file, counted and read a second time in plain Python.

What the rows should be is worked out here from the bytes of the files, with `csv` and `json` and none of the kit's
readers, so that a row that is lost, shifted or mislabelled cannot agree with it by accident.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from instruction_kit import Files, Mixture
from instruction_kit.build.manifest import Manifest, read_manifest
from instruction_kit.build.scan import cache_folder, scan, scan_units
from instruction_kit.errors import SourceError
from instruction_kit.library import library_folder
from instruction_kit.task.load import task_files

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "local_files"
RATE, NUM_VALIDATION, NUM_HELD_OUT = 1_000, 60, 150
"""What the mixture asks of each task."""
MEASURED = {"rte_local": "validation", "cb_local": "validation", "sick_local": "test", "help_local": "train"}
"""Held-out task -> the split that it is measured on."""
REPEATS = {"gsm8k/test_socratic.jsonl", "trec/raw_TREC.test"}
"""Files with the questions of another file, left out on purpose."""
NO_UTF_8 = "not valid utf-8 (byte 0xF0)"

STARS = ["unacceptable", "acceptable"]
KINDS = ["description", "entity", "abbreviation", "human", "location", "number"]
WORDS = {"entailment": "yes", "neutral": "it is not possible to tell", "contradiction": "no", "not_entailment": "no"}
OPTIONS = {
    "mr_local": ["negative", "positive"],
    "cola_local": STARS,
    "trec_local": KINDS,
    "rte_local": ["yes", "no"],
    "cb_local": ["yes", "no", "it is not possible to tell"],
    "sick_local": ["yes", "it is not possible to tell", "no"],
    "help_local": ["yes", "it is not possible to tell"],
}


@dataclass(frozen=True)
class Expected:
    """One row as it should come out, or why it should not."""

    row: str
    shown: tuple[str, ...] = ()
    """What a prompt must hold, word for word."""
    answer: str = ""
    options: tuple[str, ...] = ()
    fate: str = "used"
    """`used`, `skipped`, or the reason of a rejection."""


def byte_lines(path: Path) -> list[bytes]:
    lines = path.read_bytes().split(b"\n")
    return lines[:-1] if not lines[-1] else lines


def json_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in byte_lines(path)]


def tab_rows(path: Path) -> list[list[str]]:
    return [line.decode().removesuffix("\r").split("\t") for line in byte_lines(path)]


def quoted_rows(path: Path) -> list[list[str]]:
    return list(csv.reader((line.decode() for line in byte_lines(path)), delimiter="\t"))


def gsm8k(path: Path, file: str) -> Iterator[Expected]:
    for index, row in enumerate(json_rows(path)):
        answer = row["answer"].split("#### ")[1].replace(",", "").strip()
        yield Expected(f"{file}:{index}", (row["question"].strip(),), answer)


def mr(path: Path, file: str) -> Iterator[Expected]:
    for index, line in enumerate(byte_lines(path)):
        label, sentence = line.decode("cp1252").split(" ", 1)
        yield Expected(f"{file}:{index}", (sentence.strip(),), OPTIONS["mr_local"][int(label)])


def trec(path: Path, file: str) -> Iterator[Expected]:
    for index, line in enumerate(byte_lines(path)):
        if b"\xf0" in line:
            yield Expected(f"{file}:{index}", fate=NO_UTF_8)
        else:
            label, question = line.decode("ascii").split(" ", 1)
            yield Expected(f"{file}:{index}", (question.strip(),), KINDS[int(label)])


def cola(path: Path, file: str) -> Iterator[Expected]:
    for index, (_, label, _, sentence) in enumerate(tab_rows(path)):
        yield Expected(f"{file}:{index}", (sentence.strip(),), STARS[int(label)])


def openbookqa(path: Path, _: str) -> Iterator[Expected]:
    for key, stem, choices, _, letter in tab_rows(path)[1:]:
        _, *parts = re.split(r"\(([A-Z])\) ", choices)
        letters, options = parts[::2], tuple(part.strip() for part in parts[1::2])
        if letters == ["A", "B", "C", "D"]:
            yield Expected(key, (stem.strip(),), options[letters.index(letter)], options)
        else:
            yield Expected(key, fate="skipped")


def scitldr(path: Path, _: str) -> Iterator[Expected]:
    for row in json_rows(path):
        start = row["source"][0].strip()[:150]  # an abstract may be shortened at its end
        yield Expected(row["paper_id"], (start,), row["target"][0].strip())


def superglue(path: Path, file: str) -> Iterator[Expected]:
    for index, row in enumerate(json_rows(path)):
        texts = (row["premise"].strip(), row["hypothesis"].strip())
        yield Expected(f"{file}:{index}", texts, WORDS[row["label"]])


def sick(path: Path, _: str) -> Iterator[Expected]:
    for cells in tab_rows(path)[1:]:
        key, premise, hypothesis, _, label = (cell.strip() for cell in cells)
        yield Expected(key, (premise, hypothesis), WORDS[label.lower()])


def help_nli(path: Path, file: str) -> Iterator[Expected]:
    for index, cells in enumerate(quoted_rows(path)[1:]):
        yield Expected(f"{file}:{index}", (cells[8].strip(), cells[9].strip()), WORDS[cells[4]])


READERS: dict[str, Callable[[Path, str], Iterator[Expected]]] = {
    "gsm8k_local": gsm8k,
    "mr_local": mr,
    "trec_local": trec,
    "cola_local": cola,
    "openbookqa_local": openbookqa,
    "scitldr_local": scitldr,
    "rte_local": superglue,
    "cb_local": superglue,
    "sick_local": sick,
    "help_local": help_nli,
}


def example(data_dir: Path | None = None) -> Mixture:
    return Mixture.from_yaml(EXAMPLE / "mixture.yaml").model_copy(update={"data_dir": data_dir})


def files_of(task: str) -> dict[str, tuple[str, ...]]:
    source = example().chosen[task].source
    assert isinstance(source, Files)
    return {str(split): paths for split, paths in source.splits.items()}


@pytest.fixture(scope="module")
def expected(real_data) -> dict[tuple[str, str], list[Expected]]:
    """(task, split) -> its rows, in the order of the files."""
    return {
        (task, split): [row for file in files for row in reader(real_data / file, file)]
        for task, reader in READERS.items()
        for split, files in files_of(task).items()
    }


@pytest.fixture(scope="module")
def out(real_data, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("local_files") / "out"
    example(real_data).build(folder)
    return Path(folder)


@pytest.fixture(scope="module")
def manifest(out) -> Manifest:
    return read_manifest(out)


def pairs(out: Path, config: str, split: str) -> list[dict[str, Any]]:
    return [row for file in sorted((out / config).glob(f"{split}-*")) for row in pl.read_parquet(file).to_dicts()]


def by_row(expected: dict[tuple[str, str], list[Expected]]) -> dict[tuple[str, str], Expected]:
    return {(task, row.row): row for (task, _), rows in expected.items() for row in rows}


# Without the data


def test_the_example_holds_ten_tasks_of_which_the_ones_on_inference_are_measured():
    mixture = example()
    assert set(mixture.chosen) == set(READERS)
    assert mixture.held_out.measured == tuple(sorted(MEASURED))
    assert mixture.held_out.leaving == {}
    assert {mixture.chosen[name].cluster for name in mixture.held_out.training} == {
        "linguistic_acceptability",
        "math",
        "question_classification",
        "reading_comprehension",
        "sentiment",
        "summarization",
    }


def test_no_task_of_the_example_overrides_a_shipped_one_and_each_of_its_templates_serves_a_task():
    assert not set(task_files([EXAMPLE])) & set(task_files([library_folder()]))
    mixture = example()
    served = {template.name for name in mixture.chosen for template in mixture.templates[name]}
    own = {f"{path.parent.name}/{path.stem}" for path in (EXAMPLE / "templates").glob("*/*.jinja")}
    assert own
    assert own <= served


def test_without_the_data_the_error_names_the_missing_file_and_data_dir(tmp_path):
    with pytest.raises(SourceError) as nowhere:
        example(tmp_path / "raw").build(tmp_path / "out")
    assert str(tmp_path / "raw" / "cb" / "train.jsonl") in str(nowhere.value)
    assert "relative to data_dir" in str(nowhere.value)
    with pytest.raises(SourceError, match=r"set data_dir \(--data-dir\) if the data lie elsewhere"):
        example().build(tmp_path / "out")


# With the data


@pytest.mark.parametrize("task", READERS)
def test_every_file_of_a_dataset_is_in_a_split_or_repeats_another(task, real_data):
    named = {file for files in files_of(task).values() for file in files}
    folder = next(iter(named)).partition("/")[0]
    there = {f"{folder}/{path.name}" for path in (real_data / folder).iterdir() if path.is_file()}
    assert there - named <= REPEATS
    assert named <= there


@pytest.mark.parametrize("task", READERS)
def test_the_ledger_accounts_for_every_row_of_every_file(task, manifest, expected):
    record = manifest.tasks[task]
    assert set(record.splits) == set(files_of(task))
    for split, source in record.splits.items():
        rows, ledger = expected[task, split], source.ledger
        fates = Counter(row.fate for row in rows)
        assert ledger.read == ledger.source_rows == len(rows)
        assert ledger.skipped == fates.pop("skipped", 0)
        assert ledger.used + ledger.not_drawn == fates.pop("used")
        assert ledger.rejected == dict(fates)
        assert ledger.removed == {}
        assert ledger.missed == {}


@pytest.mark.parametrize("task", READERS)
def test_as_many_rows_are_used_as_the_mixture_asks_for(task, manifest, expected):
    used = {split: source.ledger.used for split, source in manifest.tasks[task].splits.items()}
    if task in MEASURED:
        good = len(expected[task, MEASURED[task]])
        assert used == {**dict.fromkeys(used, 0), MEASURED[task]: min(NUM_HELD_OUT, good)}
        return
    own = "validation" in used
    assert used.pop("train") == RATE + (0 if own else NUM_VALIDATION)
    assert used.pop("validation", NUM_VALIDATION) == NUM_VALIDATION
    assert used == dict.fromkeys(used, 0)  # the test split of a task that trains
    assert manifest.tasks[task].splits["train"].ledger.pairs["train"] == RATE


def test_the_one_rejected_row_is_told_with_file_and_line(out, manifest):
    assert {task: rows for task, rows in manifest.splits["rejected"].items() if rows} == {"trec_local": 1}
    assert pairs(out, "rejected", "trec_local") == [
        {
            "task": "trec_local",
            "split": "train",
            "file": "trec/TREC.train.all",
            "row": "trec/TREC.train.all:65",
            "field": "",
            "reason": NO_UTF_8,
            "value": None,
        }
    ]


def test_read_with_the_wrong_encoding_a_file_loses_just_the_lines_that_say_so(real_data, tmp_path):
    task = example(real_data).chosen["mr_local"]
    wrong = replace(task, source=Files({"train": "mr/rt-polarity.all"}, format="lines"))
    (unit,) = scan_units(wrong, data="source", data_dir=real_data)
    done = scan(replace(unit, key="wrong-encoding"), task=wrong, root=tmp_path)
    beyond_ascii = [line for line in byte_lines(real_data / "mr" / "rt-polarity.all") if not line.isascii()]
    assert sum(done.rejected.values()) == len(beyond_ascii) == 202
    assert all(re.fullmatch(r"not valid utf-8 \(byte 0x[0-9A-F]{2}\)", reason) for reason in done.rejected)


@pytest.mark.parametrize("task", READERS)
def test_every_good_row_of_every_file_is_mapped_to_its_own_texts(task, real_data, out, expected):
    """All of them, also those that the mixture has not drawn: the scans of the build, read back."""
    mixture = example(real_data)
    found: dict[str, list[dict[str, Any]]] = {}
    for unit in scan_units(mixture.chosen[task], data="source", data_dir=real_data):
        done = scan(unit, task=mixture.chosen[task], root=cache_folder())
        found.setdefault(unit.split, []).extend(pl.read_parquet(done.examples).to_dicts())
    assert set(found) == set(files_of(task))
    for split, rows in found.items():
        good = [row for row in expected[task, split] if row.fate == "used"]
        assert [row["row"] for row in rows] == [row.row for row in good]
        for row, said in zip(rows, good, strict=True):
            texts = [value for value in row.values() if isinstance(value, str)]
            assert all(any(text.startswith(shown) for text in texts) for shown in said.shown)
            assert tuple(row.get("options") or ()) == said.options


def test_read_with_the_wrong_quoting_rows_would_keep_quotes_that_are_not_theirs(real_data):
    files = [real_data / file for file in files_of("help_local")["train"]]
    rows = [pair for file in files for pair in zip(tab_rows(file), quoted_rows(file), strict=True)]
    assert sum(cells != quoted for cells, quoted in rows) == 184


def test_every_prompt_holds_the_text_of_the_row_that_it_names(out, expected):
    rows, checked = by_row(expected), Counter[str]()
    measured = [pair for task, split in MEASURED.items() for pair in pairs(out, "held_out", f"{task}__{split}")]
    for pair in (*(p for split in ("train", "validation", "seen") for p in pairs(out, "train", split)), *measured):
        row = rows[pair["task"], pair["row"]]
        assert row.fate == "used"
        assert all(text in pair["prompt"] for text in row.shown)
        checked[pair["task"]] += 1
    assert set(checked) == set(READERS)


LITERAL = {
    "gsm8k_local": "math_word_problem/result_only",
    "mr_local": "classification/which_label_fits",
    "trec_local": "classification/which_label_fits",
    "cola_local": "classification/which_label_fits",
    "openbookqa_local": "multiple_choice/question_then_options",
    "scitldr_local": "summarization/in_brief",
    "rte_local": "natural_language_inference/can_we_conclude",
    "cb_local": "natural_language_inference/can_we_conclude",
    "sick_local": "natural_language_inference/can_we_conclude",
    "help_local": "natural_language_inference/can_we_conclude",
}
"""A phrasing of each task whose output is the bare answer."""


def test_the_output_is_the_answer_of_the_row(out, expected):
    rows, checked = by_row(expected), Counter[str]()
    measured = [pair for task, split in MEASURED.items() for pair in pairs(out, "held_out", f"{task}__{split}")]
    for pair in (*pairs(out, "train", "train"), *measured):
        if pair["template"] == LITERAL[pair["task"]]:
            assert pair["completion"] == rows[pair["task"], pair["row"]].answer
            checked[pair["task"]] += 1
    assert set(checked) == set(READERS)


def test_a_measured_row_has_a_candidate_for_each_option_and_the_right_one_is_gold(out, expected):
    rows = by_row(expected)
    for config, split in [
        ("train", "validation"),
        *(("held_out", f"{task}__{name}") for task, name in MEASURED.items()),
    ]:
        for pair in pairs(out, config, split):
            task, row = pair["task"], rows[pair["task"], pair["row"]]
            options = list(row.options) or OPTIONS.get(task, [])
            assert len(pair["candidates"]) == len(options)
            assert pair["gold"] == ([options.index(row.answer)] if options else [])
            assert [pair["candidates"][index] for index in pair["gold"]] == ([pair["completion"]] if options else [])
            if pair["template"] == LITERAL[task] and options:
                assert pair["candidates"] == options


def test_every_held_out_row_stands_whole_under_every_phrasing_with_all_classes_among_the_gold(out, manifest):
    for task, split in MEASURED.items():
        measured = pairs(out, "held_out", f"{task}__{split}")
        ledger = manifest.tasks[task].splits[split].ledger
        templates = {pair["template"] for pair in measured}
        assert len(templates) >= 8
        assert len(measured) == ledger.used * len(templates)
        assert ledger.shortened == 0
        assert {gold for pair in measured for gold in pair["gold"]} == set(range(len(OPTIONS[task])))
