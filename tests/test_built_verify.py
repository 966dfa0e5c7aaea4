"""`verify`: a folder as it was built is sound; each thing that is tampered with is named, with file and row."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from command import command
from hypothesis import given, settings
from hypothesis import strategies as st
from small_task import built, claims, phrasings, recitals, verdicts
from test_mixture_overlap import mixture

from instruction_kit import Frame, Mixture, Task
from instruction_kit.build.commit import file_hash, write_frame, write_table
from instruction_kit.built.verify import verify
from instruction_kit.render.pair import PAIR_SCHEMA
from instruction_kit.schema import OpenInstruction

TEXTS = {
    "verdict/ask": "{{ claim }}\n\nIs that so?\n\n{{ options }}\n|||\n{{ answer }}",
    "verdict/letter": "---\nstyle: letter\n---\n{{ claim }}\n\n{{ options }}\n|||\nI take {{ answer }}.",
    "verdict/invent": "Write a claim that is {{ answer }}.\n|||\n{{ claim }}",
    "recital/go_on": "Go on: {{ cue }}\n|||\n{{ answer }}",
}
TRAIN, VALIDATION, SEEN = (f"train/{split}-00000-of-00001.parquet" for split in ("train", "validation", "seen"))
HELD, REJECTED = "held_out/held__test-00000-of-00001.parquet", "rejected/verdicts-00000-of-00001.parquet"


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """Tasks of both roles, every kind of output, and rows that are skipped, rejected, removed and not drawn."""
    folder = tmp_path_factory.mktemp("built")
    odd = {"id": ["c3", "bad", None, "skip"], "claim": ["Again.", " ", "Nameless.", "No."], "label": [0, 7, 1, -1]}
    rows = pl.concat([claims(60), pl.DataFrame(odd, schema=claims(1).schema)])
    tasks = [
        verdicts(rows, skip=pl.col("label") == -1),
        recitals(30, cluster="reciting"),
        verdicts({"test": claims(12, start=100)}, name="held", cluster="judged"),
    ]
    weights = {"zero_shot.options": 1, "zero_shot.no_options": 1, "zero_shot.no_options.inverted": 1}
    options = {"hold_out": ["judged"], "num_validation": 5, "num_examples_per_task": 40, "phrasings": 2}
    built(folder / "out", phrasings(folder / "paths", TEXTS), *tasks, settings=weights, **options)
    return Path(folder / "out")


@pytest.fixture
def folder(sound, tmp_path) -> Path:
    """A copy to tamper with."""
    return Path(shutil.copytree(sound, tmp_path / "out"))


def problems(folder: Path) -> list[str]:
    return list(verify(folder).problems)


def manifest(folder: Path, change: Callable[[Any], None]) -> None:
    """Change the manifest as plain data."""
    path = folder / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def rewrite(folder: Path, file: str, frame: pl.DataFrame) -> None:
    """Write other rows to a file, and its hash and number of rows to the manifest."""
    if file.startswith(("rejected", "overlap", "duplicates")):
        write_frame(folder / file, frame)
    else:
        write_table(folder / file, frame.to_arrow().cast(PAIR_SCHEMA))

    def change(content: Any) -> None:
        shard = next(shard for shard in content["shards"] if shard["path"] == file)
        shard["sha256"], before, shard["rows"] = file_hash(folder / file), shard["rows"], frame.height
        content["splits"][shard["config"]][shard["split"]] += frame.height - before

    manifest(folder, change)


def replace(folder: Path, file: str, number: int, /, **values: Any) -> str:
    """Give one row other values; the result is how a problem names the row."""
    frame = pl.read_parquet(folder / file)
    found = frame.row(number, named=True)
    rows = frame.to_dicts()
    rows[number] |= values
    rewrite(folder, file, pl.DataFrame(rows, schema=frame.schema))
    return f"{file} row {number} ({found['task']} {found['split']} {found['row']})"


def first(folder: Path, file: str, **values: Any) -> int:
    """Number of the first row with these values."""
    frame = pl.read_parquet(folder / file).with_row_index("number")
    return int(frame.filter(**values)["number"][0])


# --- sound ------------------------------------------------------------------------------------------------------------


def test_a_folder_as_it_was_built_is_sound(sound):
    verdict = verify(sound)
    assert (verdict.files, verdict.whole, verdict.problems, verdict.num_problems) == (5, True, (), 0)
    assert verdict.pairs == sum(pl.read_parquet(sound / file).height for file in (TRAIN, VALIDATION, SEEN, HELD))


def test_the_shipped_samples_build_a_sound_folder(tmp_path):
    names = ("options", "no_options", "no_options.inverted", "no_options.cot")
    weights = {f"zero_shot.{name}": 1 for name in names}
    Mixture(data="sample", hold_out=["natural_language_inference"], phrasings=3, settings=weights).build(
        tmp_path / "out"
    )
    assert problems(tmp_path / "out") == []


def test_what_git_and_the_hub_keep_beside_the_data_is_no_extra_file(folder):
    (folder / ".git").mkdir()
    (folder / ".git/HEAD").touch()
    (folder / ".gitattributes").touch()
    assert problems(folder) == []


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_missing_an_extra_and_an_unfinished_file_are_named(folder):
    (folder / HELD).unlink()
    (folder / "README.md").unlink()
    (folder / "train/more.parquet").touch()
    (folder / ".work/abc").mkdir(parents=True)
    (folder / ".work/abc/identity.json").touch()
    assert problems(folder) == [
        ".work/abc/identity.json: a build into this folder has not ended",
        "train/more.parquet: manifest.json does not list this file",
        "README.md: is missing",
        f"{HELD}: is missing",
    ]
    assert not verify(folder).whole


def test_other_bytes_are_named_though_every_row_is_the_same(folder):
    table = pl.read_parquet(folder / TRAIN).to_arrow().cast(PAIR_SCHEMA)
    write_table(folder / TRAIN, table.replace_schema_metadata({"a": "b"}))
    assert problems(folder) == [f"{TRAIN}: its bytes are not those whose hash stands in manifest.json"]


def test_a_file_that_is_cut_off_is_named(folder):
    (folder / TRAIN).write_bytes((folder / TRAIN).read_bytes()[:-9])
    told = problems(folder)
    assert told[0] == f"{TRAIN}: its bytes are not those whose hash stands in manifest.json"
    assert told[1].startswith(f"{TRAIN}: cannot be read as Parquet: ")
    assert len(told) == 2


@given(st.data())
@settings(max_examples=60)
def test_a_byte_that_flips_anywhere_is_named_with_its_file_and_ends_nothing(sound, data):
    with TemporaryDirectory() as name:
        folder = Path(shutil.copytree(sound, Path(name) / "out"))
        file = data.draw(st.sampled_from([TRAIN, VALIDATION, SEEN, HELD, REJECTED]))
        content = bytearray((folder / file).read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= 1 << data.draw(st.integers(0, 7))
        (folder / file).write_bytes(content)
        assert problems(folder)[0] == f"{file}: its bytes are not those whose hash stands in manifest.json"


@pytest.mark.parametrize("file", [TRAIN, REJECTED])
def test_columns_of_another_kind_are_named(file, folder):
    frame = pl.read_parquet(folder / file).with_columns(task=pl.lit(1), more=pl.lit("x")).drop("row")
    frame.write_parquet(folder / file)
    assert problems(folder)[1:] == [
        f"{file}: column task is Int32, not String",
        f"{file}: lacks the column row",
        f"{file}: has a column more, which none of its kind has",
    ]


def test_another_number_of_rows_is_named_where_it_is_missed(folder):
    frame = pl.read_parquet(folder / TRAIN)
    dropped = frame.row(frame.height - 1, named=True)
    write_table(folder / TRAIN, frame.head(-1).to_arrow().cast(PAIR_SCHEMA))
    told = problems(folder)
    assert told[:2] == [
        f"{TRAIN}: its bytes are not those whose hash stands in manifest.json",
        f"{TRAIN}: holds {frame.height - 1} rows, manifest.json says {frame.height}",
    ]
    where, count = f"{dropped['task']} train: pairs train", frame.filter(task=dropped["task"]).height
    assert f"manifest.json: {where}: {count}, its files have {count - 1}" in told


def test_a_card_may_be_edited_and_its_configs_may_not(folder):
    card = folder / "README.md"
    card.write_text(card.read_text() + "\nMade for a talk.\n")
    assert problems(folder) == []
    card.write_text(card.read_text().replace("path: train/train-*", "path: train/*"))
    assert problems(folder) == [
        "README.md: the configs at its top are not those of the manifest, so load_dataset reads other files"
    ]
    card.write_text("No front matter.\n")
    assert len(problems(folder)) == 1


# --- rows -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "where", "values", "what"),
    [
        (TRAIN, {}, {"prompt": "No end."}, r"the prompt does not end with the joiner '\n'"),
        (TRAIN, {}, {"prompt": None}, "prompt is null"),
        (TRAIN, {}, {"options": None}, "options is null"),
        (TRAIN, {}, {"row": None}, "row is null"),
        (TRAIN, {}, {"references": ["other"]}, "the completion is none of its references"),
        (TRAIN, {}, {"question_start": -1}, "question_start lies outside the prompt"),
        (TRAIN, {}, {"question_start": 10_000}, "question_start lies outside the prompt"),
        (TRAIN, {}, {"question_start": 3}, "question_start is not 0, and no exemplar or turn stands before it"),
        (TRAIN, {"inverted": False}, {"answer_start": None}, "answer_start and answer_end are not null together"),
        (TRAIN, {"inverted": False}, {"answer_start": None, "answer_end": None}, "its answer has no span"),
        (TRAIN, {"inverted": True}, {"answer_start": 0, "answer_end": 1}, "an inverted output has an answer span"),
        (TRAIN, {"inverted": False}, {"answer_end": 99}, "its answer span lies outside the completion"),
        (TRAIN, {"inverted": False}, {"answer_end": 0}, "its answer span lies outside the completion"),
        (TRAIN, {"template": "verdict/letter"}, {"answer_end": 9}, "its answer span does not hold the answer"),
        (TRAIN, {"template": "verdict/ask"}, {"options": ["x", "y"]}, "its answer is none of its options"),
        (TRAIN, {}, {"candidates": ["a"], "gold": [0]}, "it is not measured by rank, and has candidates"),
        (SEEN, {"task": "verdicts"}, {"candidates": ["a"]}, "its candidates are not one for each of its options"),
        (HELD, {}, {"candidates": []}, "its candidates are not one for each of its options"),
        (HELD, {}, {"gold": []}, "none of its candidates is gold"),
        (HELD, {}, {"gold": [3]}, "gold lies outside the candidates"),
        (HELD, {}, {"gold": [-1]}, "gold lies outside the candidates"),
        (HELD, {}, {"gold": [0, 1, 2, 2]}, "gold names a candidate twice"),
        (TRAIN, {"inverted": False}, {"round": 7}, "its round is one that there was not"),
        (HELD, {}, {"round": 1}, "its round is one that there was not"),
        (TRAIN, {"inverted": False}, {"inverted": True}, "inverted is not what its setting says"),
        (TRAIN, {}, {"setting": "few_shot.options"}, "its setting is none of the mixture's settings"),
        (HELD, {}, {"setting": "zero_shot.no_options"}, "its setting is none of the mixture's held_out_settings"),
        (TRAIN, {}, {"template": "verdict/other"}, "its template is not in manifest.json"),
        (TRAIN, {}, {"cluster": "elsewhere"}, "its cluster is not that of its task"),
        (TRAIN, {}, {"task": "other"}, "its task is none that the mixture trains"),
        (TRAIN, {}, {"task": "held"}, "its task is none that the mixture trains"),
        (HELD, {}, {"task": "verdicts"}, "its task is none that the mixture holds out"),
        (HELD, {}, {"split": "train"}, "it is of another task or split than its file"),
        (TRAIN, {}, {"split": "test"}, "its split is none of its task"),
    ],
)  # fmt: skip
def test_each_thing_that_is_wrong_with_a_row_is_named(file, where, values, what, folder):
    number = first(folder, file, **where)
    replace(folder, file, number, **values)
    told = [line for line in problems(folder) if line.startswith(f"{file} row {number} (")]
    assert what in {line.partition("): ")[2] for line in told}


def test_a_completion_that_is_not_the_gold_candidate_is_named(folder):
    number = first(folder, HELD, template="verdict/ask")
    row = pl.read_parquet(folder / HELD).row(number, named=True)
    other = next(text for text in row["candidates"] if text != row["completion"])
    changed = {"completion": other, "references": [other], "answer_end": len(other)}
    assert problems_after(folder, HELD, number, **changed) == ["its completion is none of the gold candidates"]


def problems_after(folder: Path, file: str, row: int, **values: Any) -> list[str]:
    """What is told of one row that was changed."""
    named = replace(folder, file, row, **values)
    return [line.removeprefix(f"{named}: ") for line in problems(folder) if line.startswith(f"{named}: ")]


def test_one_row_may_have_many_problems(folder):
    number = first(folder, TRAIN, template="verdict/letter")
    assert problems_after(folder, TRAIN, number, prompt="", completion=" ", references=[]) == [
        "the prompt does not end with the joiner '\\n'",
        "the completion is blank",
        "the completion is none of its references",
        "question_start lies outside the prompt",
        "its answer span lies outside the completion",
        "its answer span does not hold the answer",
    ]


def test_many_rows_with_one_problem_are_counted(folder):
    frame = pl.read_parquet(folder / TRAIN)
    rewrite(folder, TRAIN, frame.with_columns(prompt=pl.lit("x")))
    told = problems(folder)
    assert told[3] == f"{TRAIN} {frame.height - 3} more rows: the prompt does not end with the joiner '\\n'"
    shares = told[4:]  # what was written is less, in each sum
    assert all(" tokens, its files have " in line for line in shares)
    assert verify(folder).num_problems == frame.height + len(shares)


def test_a_trained_row_that_is_measured_too_is_named(folder):
    frame = pl.read_parquet(folder / TRAIN)
    both = pl.read_parquet(folder / VALIDATION).filter(task="recitals")[0]
    rewrite(folder, TRAIN, pl.concat([frame, both]))
    row = both.row(0, named=True)
    named = f"{TRAIN} row {frame.height} (recitals train {row['row']})"
    told = problems(folder)
    assert f"{named}: it is trained on, and measured as if it were not" in told
    assert not [line for line in told if line.startswith(VALIDATION)]


def test_a_seen_row_that_is_not_trained_on_is_named(folder):
    named = replace(folder, SEEN, 0, row="elsewhere:1")
    named = re.sub(r"\(.*\)", lambda said: f"{said[0].rpartition(' ')[0]} elsewhere:1)", named)
    assert f"{named}: it is called seen, and is not trained on" in problems(folder)


# --- the manifest and its ledgers -------------------------------------------------------------------------------------


def ledger(content: Any, task: str = "verdicts", split: str = "train") -> Any:
    return content["tasks"][task]["splits"][split]["ledger"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda m: ledger(m).update(read=65),
            r"verdicts train: read 65 is not used \d+ \+ not drawn \d+ \+ skipped 1 \+ rejected 2 \+ removed 1 = 64",
        ),
        (
            lambda m: ledger(m).update(used=ledger(m)["used"] - 1, not_drawn=ledger(m)["not_drawn"] + 1),
            r"verdicts train: used 44, its pairs are of 45 rows",
        ),
        (lambda m: ledger(m).update(skipped=-1), r"verdicts train: skipped is -1"),
        (
            lambda m: ledger(m)["rejected"].update({"key: missing": 2}),
            r"verdicts train: lost 2 rows for 'key: missing', its file of rejected rows has between 0 and 1",
        ),
        (
            lambda m: ledger(m).update(rejected={"claim: missing": 1, "key: missing": 1}),
            r"verdicts train: lost 1 rows for 'claim: missing', its file of rejected rows has 0",
        ),
        (lambda m: ledger(m)["pairs"].update(train=1), r"verdicts train: pairs train: 1, its files have \d+"),
        (lambda m: ledger(m, "held", "test")["pairs"].update(held__test=1), r"held test: pairs held__test: 1, .* 24"),
        (
            lambda m: m["tasks"]["recitals"]["settings"].update({"zero_shot.options": 3}),
            r"recitals: pairs of setting zero_shot.options: 3, its files have \d+",
        ),
        (
            lambda m: m["tasks"]["recitals"]["templates"].update({"recital/other": 3}),
            r"recitals: pairs of template recital/other: 3, its files have 0",
        ),
        (
            lambda m: m["tasks"]["recitals"].update(realised_share=0.5),
            r"recitals: realised_share 0.500000, its training pairs are 0\.\d+ of all",
        ),
        (lambda m: m["splits"]["train"].update(train=7), r"train train: says 7 rows, its shards have \d+"),
        (lambda m: m["splits"]["train"].pop("seen"), r"train seen: says no rows, its shards have \d+"),
        (lambda m: m["shards"].append(m["shards"][0]), r"lists train/.*\.parquet more than once"),
        (lambda m: m["mixture"].update(seed=7), r"its fingerprint is not that of its mixture and inputs"),
        (lambda m: m["inputs"].update(code="7"), r"its fingerprint is not that of its mixture and inputs"),
        (
            lambda m: m["templates"]["verdict/ask"].update(text="{{ claim }}\n|||\n{{ answer }}"),
            r"the text of template verdict/ask is not that of its hash",
        ),
        (
            lambda m: m["templates"]["verdict/ask"].update(text="{{ claim"),
            r"the text of template verdict/ask cannot be parsed: verdict/ask:1: .*",
        ),
    ],
)  # fmt: skip
def test_each_thing_that_is_wrong_in_the_manifest_is_named(change, told, folder):
    manifest(folder, change)
    lines = [line.removeprefix("manifest.json: ") for line in problems(folder)]
    assert [line for line in lines if re.fullmatch(told, line)], lines


def test_a_line_that_is_gone_from_the_rejected_rows_is_missed(folder):
    rewrite(folder, REJECTED, pl.read_parquet(folder / REJECTED).filter(pl.col("row").is_null()))
    assert problems(folder) == [
        "manifest.json: verdicts train: lost 1 rows for 'label: not one of the labels', its file of rejected rows has 0"
    ]


def test_a_pair_that_was_taken_out_is_missed_in_every_ledger_that_counted_it(folder):
    frame = pl.read_parquet(folder / HELD)
    rewrite(folder, HELD, frame.filter(pl.col("row") != frame["row"][0]))
    assert problems(folder) == [
        "manifest.json: held test: pairs held__test: 24, its files have 22",
        "manifest.json: held test: used 12, its pairs are of 11 rows",
        "manifest.json: held: pairs of setting zero_shot.options: 24, its files have 22",
        "manifest.json: held: pairs of template verdict/ask: 12, its files have 11",
        "manifest.json: held: pairs of template verdict/letter: 12, its files have 11",
    ]


OVERLAP = "overlap/overlap-00000-of-00001.parquet"


def test_what_stands_before_the_question_of_a_conversation_is_its_turns(tmp_path):
    said = [[{"role": "user", "content": f"Hello {n}."}, {"role": "assistant", "content": "Hi."}] for n in range(6)]
    rows = {"instruction": [f"Say {n}." for n in range(6)], "output": [str(n) for n in range(6)], "turns": said}
    columns = {name: name for name in rows}
    task = Task(name="talk", cluster="talk", schema=OpenInstruction, source=Frame(pl.DataFrame(rows)), columns=columns)
    Mixture(tasks=[task], num_validation=0).build(tmp_path / "out")
    assert problems(tmp_path / "out") == []
    frame = pl.read_parquet(tmp_path / "out" / TRAIN)
    other = [*frame["turns"][2][:1].to_list(), {"role": "assistant", "content": "Good day."}]
    named = replace(tmp_path / "out", TRAIN, 2, turns=other)
    assert problems(tmp_path / "out") == [f"{named}: what stands before its question is not its turns"]


@pytest.fixture
def cleaned(tmp_path) -> Path:
    """A folder from which five training rows were dropped that share text with held-out rows."""
    mixture(tmp_path, drop_overlap=True).build(tmp_path / "cleaned")
    return Path(tmp_path / "cleaned")


def test_a_match_that_is_gone_is_missed(cleaned):
    rewrite(cleaned, OVERLAP, pl.read_parquet(cleaned / OVERLAP).head(4))
    assert problems(cleaned) == [
        "manifest.json: overlap held trained exact: 5, its files have 4",
        (
            "manifest.json: trained train: removed 5 rows for 'it shares text with a held-out row', "
            "its file of overlaps has 4"
        ),
    ]


def test_a_row_that_was_to_be_dropped_and_is_trained_on_is_named(cleaned):
    named = replace(cleaned, TRAIN, 3, row="t2")
    named = named.rpartition(" ")[0] + " t2)"
    assert f"{named}: it shares text with a held-out row, and was to be dropped" in problems(cleaned)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_says_that_a_folder_is_sound(sound):
    code, out, err = command("verify", sound)
    assert (code, out) == (0, f"5 files, {verify(sound).pairs} pairs: all as the manifest says, both ledgers add up\n")
    assert [line.split()[0] for line in err.splitlines()] == ["files", "pairs"]


def test_the_command_tells_every_problem_and_ends_with_1(folder):
    (folder / "train/[bold]").touch()
    (folder / HELD).unlink()
    code, out, err = command("verify", folder)
    assert code == 1
    assert out.splitlines() == ["train/[bold]: manifest.json does not list this file", f"{HELD}: is missing"]
    assert err.splitlines()[-2:] == [
        "not every file can be read, so the ledgers were not counted again",
        f"5 files, {verify(folder).pairs} pairs, 2 problems",
    ]


def test_a_folder_that_is_no_built_mixture_is_an_error(tmp_path, folder):
    code, out, err = command("verify", tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith(
        f"error: {tmp_path}: no manifest.json, so this is no built mixture or its build has not ended"
    )
    manifest(folder, lambda content: content.update(format_version=99))
    assert command("verify", folder).err.startswith(
        f"error: {folder / 'manifest.json'}: format_version 99, this version"
    )
