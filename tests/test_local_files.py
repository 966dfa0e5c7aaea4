"""The example over local files: every row of every file, counted and read a second time in plain Python.

What the rows should be stands in the modules `local_rows_…`, which know nothing of the kit; here it is held against
what the kit makes of the same files.
"""

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import local_rows_classes
import local_rows_commonsense
import local_rows_coreference
import local_rows_first
import local_rows_generation
import local_rows_inference
import local_rows_instruction
import local_rows_passages
import local_rows_questions
import local_rows_reasoning
import polars as pl
import pytest
from local_rows import Dataset, Expected, byte_lines, quoted_rows, tab_rows

from instruction_kit import Files, Mixture, Task
from instruction_kit.build.manifest import Manifest, read_manifest
from instruction_kit.build.scan import cache_folder, scan, scan_units
from instruction_kit.errors import SourceError
from instruction_kit.library import library_folder
from instruction_kit.schema import Choice, Label
from instruction_kit.task.load import task_files

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "local_files"
DATASETS: dict[str, Dataset] = {
    **local_rows_first.DATASETS,
    **local_rows_classes.DATASETS,
    **local_rows_inference.DATASETS,
    **local_rows_passages.DATASETS,
    **local_rows_questions.DATASETS,
    **local_rows_reasoning.DATASETS,
    **local_rows_commonsense.DATASETS,
    **local_rows_coreference.DATASETS,
    **local_rows_generation.DATASETS,
    **local_rows_instruction.DATASETS,
}
MEASURED = {task: dataset.measured for task, dataset in DATASETS.items() if dataset.measured}
"""Held-out task -> the split that it is measured on."""
RATE = 1_000
"""At most so many rows of a task are trained on, says the mixture."""


@cache
def example(data_dir: Path | None = None) -> Mixture:
    """The example, with fewer rows held back, since each of them is rendered under every template."""
    mixture = Mixture.from_yaml(EXAMPLE / "mixture.yaml")
    return mixture.model_copy(update={"data_dir": data_dir, "num_validation": 40})


def files_of(task: str) -> dict[str, tuple[str, ...]]:
    """Split -> its files as the task names them, those that are read side by side one after the other."""
    source = example().chosen[task].source
    assert isinstance(source, Files)
    return {
        str(split): tuple(file for entry in entries for file in ([entry] if isinstance(entry, str) else entry.values()))
        for split, entries in source.splits.items()
    }


@pytest.fixture(scope="module")
def expected(real_data) -> dict[tuple[str, str], list[Expected]]:
    """(task, split) -> its rows, in the order of the files."""
    return {
        (task, split): list(dataset.rows_of(split)(real_data, files))
        for task, dataset in DATASETS.items()
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


def measured_pairs(out: Path) -> list[dict[str, Any]]:
    return [pair for task, split in MEASURED.items() for pair in pairs(out, "held_out", f"{task}__{split}")]


def by_row(expected: dict[tuple[str, str], list[Expected]]) -> dict[tuple[str, str, str], Expected]:
    return {(task, split, row.row): row for (task, split), rows in expected.items() for row in rows}


# Without the data


def test_the_example_names_every_task_that_is_checked_here_and_measures_those_on_inference():
    mixture = example()
    assert set(mixture.chosen) == set(DATASETS)
    assert set(mixture.held_out.measured) == set(MEASURED)
    assert mixture.held_out.leaving == {}
    named = {name if name in mixture.hold_out else mixture.chosen[name].cluster for name in MEASURED}
    assert named == set(mixture.hold_out)


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
    first = min(DATASETS)
    assert str(tmp_path / "raw" / next(iter(files_of(first).values()))[0]) in str(nowhere.value)
    assert "relative to data_dir" in str(nowhere.value)
    with pytest.raises(SourceError, match=r"set data_dir \(--data-dir\) if the data lie elsewhere"):
        example().build(tmp_path / "out")


# With the data


def test_every_file_of_a_dataset_is_in_a_split_or_left_out_for_a_reason(real_data):
    said = {file for task in DATASETS for files in files_of(task).values() for file in files}
    named = {path.relative_to(real_data).as_posix() for file in said for path in real_data.glob(file)}
    left_out = {file for dataset in DATASETS.values() for file in dataset.left_out}
    folders = {file.partition("/")[0] for file in named}
    there = {path.relative_to(real_data) for folder in folders for path in (real_data / folder).rglob("*")}
    kept = {path.as_posix() for path in there if (real_data / path).is_file() and path.parts[1] != "_upstream"}
    assert kept == named | left_out
    assert not named & left_out


@pytest.mark.parametrize("task", DATASETS)
def test_the_ledger_accounts_for_every_row_of_every_file(task, manifest, expected):
    record = manifest.tasks[task]
    assert set(record.splits) == set(files_of(task))
    for split, source in record.splits.items():
        rows, ledger = expected[task, split], source.ledger
        fates = Counter(row.fate for row in rows)
        assert ledger.read == len(rows)
        assert ledger.source_rows == DATASETS[task].source_rows.get(split, len(rows))
        assert ledger.skipped == fates.pop("skipped", 0)
        assert ledger.used + ledger.not_drawn == fates.pop("used")
        assert ledger.rejected == dict(fates)
        assert ledger.removed == {}
        assert ledger.missed == {}


@pytest.mark.parametrize("task", DATASETS)
def test_as_many_rows_are_used_as_the_mixture_asks_for(task, manifest, expected):
    mixture = example()
    good = {split: Counter(row.fate for row in expected[task, split])["used"] for split in files_of(task)}
    used = {split: source.ledger.used for split, source in manifest.tasks[task].splits.items()}
    if split := MEASURED.get(task):
        wanted = {**dict.fromkeys(used, 0), split: min(mixture.num_held_out, good[split])}
        if split == "test" and "validation" in good:  # what a template is chosen on
            wanted["validation"] = min(mixture.num_validation, good["validation"])
        assert used == wanted
        return
    carved = 0 if "validation" in good else min(mixture.num_validation, good["train"] // 5)
    trained = min(RATE, good["train"] - carved)
    assert used.pop("train") == trained + carved
    assert used.pop("validation", 0) == (0 if carved else min(mixture.num_validation, good["validation"]))
    assert used == dict.fromkeys(used, 0)  # the test split of a task that trains
    assert manifest.tasks[task].splits["train"].ledger.pairs["train"] == trained


def test_every_rejected_row_is_told_with_its_file_and_its_reason(out, manifest, expected):
    found = {
        (row["task"], row["split"], row["row"]): f"{row['field']}: {row['reason']}" if row["field"] else row["reason"]
        for task in sorted(manifest.splits["rejected"], reverse=True)
        for row in reversed(pairs(out, "rejected", task))  # of several reasons, the first is told last
    }
    fates = {key: row.fate for key, row in by_row(expected).items()}
    assert found == {key: fate for key, fate in fates.items() if fate not in ("used", "skipped")}


def test_a_row_of_bytes_in_no_encoding_is_told_with_file_line_and_text(out, real_data):
    stood = (real_data / "trec/TREC.train.all").read_bytes().split(b"\n")[65]
    assert pairs(out, "rejected", "trec_local") == [
        {
            "task": "trec_local",
            "split": "train",
            "file": "trec/TREC.train.all",
            "row": "trec/TREC.train.all:65",
            "place": "line 66",
            "field": "",
            "reason": local_rows_first.NO_UTF_8,
            "value": stood.decode(errors="backslashreplace"),
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


@pytest.mark.parametrize("task", DATASETS)
def test_every_good_row_of_every_file_is_mapped_to_its_own_texts_and_answers(task, real_data, out, expected):
    """All of them, also those that the mixture has not drawn: the scans of the build, read back."""
    chosen = example(real_data).chosen[task]
    found: dict[str, list[dict[str, Any]]] = {}
    for unit in scan_units(chosen, data="source", data_dir=real_data):
        done = scan(unit, task=chosen, root=cache_folder())
        found.setdefault(unit.split, []).extend(pl.read_parquet(done.examples).to_dicts())
    assert set(found) == set(files_of(task))
    for split, rows in found.items():
        good = [row for row in expected[task, split] if row.fate == "used"]
        assert [row["row"] for row in rows] == [row.row for row in good]
        for row, said in zip(rows, good, strict=True):
            texts = texts_of(row)
            assert all(any(text.startswith(shown) for text in texts) for shown in said.shown)
            assert answers_of(row, chosen) == list(said.answers)
            assert tuple(row.get("options") or ()) == said.options
            assert {name: row[name] for name in said.fields} == said.fields
            assert said.rationale is None or (row["rationale"] or "") == said.rationale


def texts_of(row: dict[str, Any]) -> list[str]:
    """The texts of a row, and those in its lists."""
    held = [value if isinstance(value, list) else [value] for value in row.values()]
    return [text for values in held for text in values if isinstance(text, str)]


def answers_of(row: dict[str, Any], task: Task) -> list[str]:
    target = task.schema.target
    if isinstance(target, Label):
        return [task.words[task.classes.index(row[target.field])]]
    if isinstance(target, Choice):
        return [row[target.options][row[target.answer]]]
    answers = row[target.field]
    return answers if isinstance(answers, list) else [answers]


def test_read_with_the_wrong_quoting_rows_would_keep_quotes_that_are_not_theirs(real_data):
    files = [real_data / file for file in files_of("help_local")["train"]]
    rows = [pair for file in files for pair in zip(tab_rows(file), quoted_rows(file), strict=True)]
    assert sum(cells != quoted for cells, quoted in rows) == 184


def test_every_prompt_holds_the_text_of_the_row_that_it_names(out, expected):
    rows, checked = by_row(expected), Counter[str]()
    trained = [pair for split in ("train", "validation", "seen") for pair in pairs(out, "train", split)]
    for pair in (*trained, *measured_pairs(out)):
        row = rows[pair["task"], pair["split"], pair["row"]]
        assert row.fate == "used"
        assert [text for text in row.shown if text not in pair["prompt"]] == []
        checked[pair["task"]] += 1
    assert set(checked) == set(DATASETS)


LITERAL = {
    "MathWordProblem": "math_word_problem/result_only",
    "Classification": "classification/which_label_fits",
    "Coreference": "coreference/what_does_it_stand_for",
    "Translation": "translation/translate_into",
    "StructToText": "struct_to_text/put_into_words",
    "Dialogue": "dialogue/what_comes_next",
    "SequenceLabelling": "sequence_labelling/copy_out_the_pieces",
    "OpenInstruction": "open_instruction/instruction_then_input",
    "WordInContext": "word_in_context/same_meaning",
    "MultipleChoice": "multiple_choice/question_then_options",
    "ReadingComprehension": "reading_comprehension/passage_then_question",
    "BooleanQA": "boolean_qa/passage_then_question",
    "ClaimCheck": "claim_check/claim_and_ruling",
    "ClosedBookQA": "closed_book_qa/question_alone",
    "Paraphrase": "paraphrase/do_both_say_the_same",
    "Rewriting": "rewriting/before_and_after",
    "Summarization": "summarization/in_brief",
    "NaturalLanguageInference": "natural_language_inference/can_we_conclude",
}
"""A phrasing of each schema whose output is the bare answer."""


def literal(task: str) -> str:
    return LITERAL[example().chosen[task].schema.__name__]


def says(output: str, answer: str, prompt: str) -> bool:
    """Whether an output is an answer, or the mark under which the prompt lists it: `[A] positive`."""
    answer = answer.strip()  # both sides of a template are trimmed
    return output == answer or bool(re.search(rf"{re.escape(output)}\W{{0,3}}{re.escape(answer)}", prompt))


def test_the_output_is_the_answer_of_the_row(out, expected):
    rows, phrasings, checked = by_row(expected), {task: literal(task) for task in DATASETS}, Counter[str]()
    for pair in (*pairs(out, "train", "train"), *measured_pairs(out)):
        if pair["template"] == phrasings[pair["task"]]:
            answers = rows[pair["task"], pair["split"], pair["row"]].answers
            assert any(says(pair["completion"], answer, pair["prompt"]) for answer in answers)
            checked[pair["task"]] += 1
    assert set(checked) == set(DATASETS)


def test_a_measured_row_has_a_candidate_for_each_option_and_the_right_one_is_gold(out, expected):
    rows, phrasings = by_row(expected), {task: literal(task) for task in DATASETS}
    for pair in (*pairs(out, "train", "validation"), *measured_pairs(out)):
        task, row = pair["task"], rows[pair["task"], pair["split"], pair["row"]]
        options = list(row.options or DATASETS[task].classes)
        assert len(pair["candidates"]) == len(pair["options"]) == len(options)
        assert not options or pair["candidates"][pair["gold"][0]] == pair["completion"]
        if pair["template"] == phrasings[task]:
            assert sorted(pair["options"]) == sorted(options)
            assert sorted(pair["gold"]) == [i for i, option in enumerate(pair["options"]) if option in row.answers]
            listed = zip(pair["candidates"], pair["options"], strict=True)
            assert all(says(candidate, option, pair["prompt"]) for candidate, option in listed)


def test_every_held_out_row_stands_whole_under_every_phrasing_with_its_classes_among_the_gold(out, manifest, expected):
    for task, split in MEASURED.items():
        measured = pairs(out, "held_out", f"{task}__{split}")
        ledger = manifest.tasks[task].splits[split].ledger
        templates = {pair["template"] for pair in measured}
        assert len(templates) >= 5
        assert len(measured) == ledger.used * len(templates)
        assert ledger.shortened == 0
        answers = Counter(row.answers[0] for row in expected[task, split] if row.fate == "used")
        common = {
            name for name, rows in answers.items() if rows * 20 > answers.total()
        }  # of the others none may be drawn
        golds = {gold for pair in measured for gold in pair["gold"]}
        assert common <= {DATASETS[task].classes[gold] for gold in golds}
