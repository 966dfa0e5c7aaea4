"""`diff`: every row of either folder is of one kind, and the kinds are those that a plain comparison finds."""

import json
import shutil
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from command import command, on_a_terminal, refused
from small_task import PHRASINGS, built, claims, pairs, phrasings, recitals, verdicts

from instruction_kit.build.manifest import read_manifest
from instruction_kit.built.diff import Change, Difference, diff
from instruction_kit.built.row_diff import KINDS

NONE = {"zero_shot.no_options": 1}


def build(folder: Path, *, texts: dict[str, str] | None = None, rows: int = 40, start: int = 0, **options: Any) -> Path:
    """A small mixture: two training tasks and one that is held out."""
    tasks = [
        verdicts(claims(rows, start=start), **options.pop("task", {})),
        recitals(20),
        verdicts({"test": claims(9)}, name="held", cluster="held"),
    ]
    values = {"hold_out": ["held"], "num_validation": 4, **options}
    built(folder / "out", phrasings(folder / "paths", texts or PHRASINGS), *tasks, **values)
    return folder / "out"


VARIANTS: dict[str, dict[str, Any]] = {
    "the same": {},
    "another seed": {"seed": 1},
    "other settings": {"settings": NONE},
    "more phrasings": {"phrasings": 2},
    "more validation": {"num_validation": 8},
    "no validation": {"num_validation": 0},
    "fewer rows": {"rows": 30},
    "other rows": {"start": 10},
    "a template more": {"texts": {**PHRASINGS, "verdict/more": "{{ claim }} So?\n\n{{ options }}\n|||\n{{ answer }}"}},
    "a template less": {"texts": {name: text for name, text in PHRASINGS.items() if name != "verdict/claim"}},
    "another wording": {"texts": {**PHRASINGS, "verdict/claim": PHRASINGS["verdict/claim"].replace("Claim", "Thesis")}},
    "other answers": {"task": {"answers": {"true": "it is"}}},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    return {name: build(tmp_path_factory.mktemp("built"), **options) for name, options in VARIANTS.items()}


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("first"))


def rows_of(folder: Path) -> dict[tuple[str, ...], list[tuple[str, ...]]]:
    """Task, split and row -> home, template, setting, prompt and completion of each pair."""
    found: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for shard in read_manifest(folder).shards:
        if shard.config in ("train", "held_out"):
            columns = ("task", "split", "row", "template", "setting", "prompt", "completion")
            for *row, template, setting, prompt, completion in (
                pairs(folder, shard.split, shard.config).select(columns).iter_rows()
            ):
                found.setdefault(tuple(row), []).append((shard.split, template, setting, prompt, completion))
    return found


def kind(a: list[tuple[str, ...]], b: list[tuple[str, ...]]) -> str:
    if not a or not b:
        return "dropped" if a else "new"
    if {pair[0] for pair in a} != {pair[0] for pair in b}:
        return "moved"
    if len(a) != len(b):
        return "number"
    for name, columns in (("template", 2), ("setting", 3), ("text", 5)):
        if Counter(pair[:columns] for pair in a) != Counter(pair[:columns] for pair in b):
            return name
    return "same"


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("at_once", [None, 5])
def test_every_row_is_of_the_kind_that_a_plain_comparison_finds(variant, at_once, first, folders, monkeypatch):
    if at_once:
        monkeypatch.setattr("instruction_kit.built.row_diff.ROWS_AT_ONCE", at_once)
    a, b = rows_of(first), rows_of(folders[variant])
    expected = Counter((row[0], kind(a.get(row, []), b.get(row, []))) for row in {*a, *b})
    found = diff(first, folders[variant])
    assert {(task.task, name): getattr(task, name) for task in found.tasks for name in KINDS} == {
        (task, name): expected[task, name] for task in ("held", "recitals", "verdicts") for name in KINDS
    }


def kinds(found: Difference) -> set[str]:
    return {name for name in KINDS for task in found.tasks if getattr(task, name)}


def test_the_variants_show_every_kind(first, folders):
    told = {name: kinds(diff(first, folder)) - {"same"} for name, folder in folders.items()}
    assert told["the same"] == set()
    assert told["other settings"] == {"setting", "template"}  # verdict/ask needs no list; others are drawn anew
    assert told["more phrasings"] == {"number"}
    assert told["more validation"] == {"moved"}
    assert {"dropped"} <= told["fewer rows"]
    assert {"dropped", "new"} <= told["other rows"]
    assert told["another wording"] == told["other answers"] == {"text"}
    assert "template" in told["a template more"]
    assert set().union(*told.values()) == set(KINDS) - {"same"}


def test_seen_from_the_other_side_what_was_dropped_is_new(first, folders):
    there, back = diff(first, folders["other rows"]), diff(folders["other rows"], first)
    swapped = {"dropped": "new", "new": "dropped"}
    for one, other in zip(there.tasks, back.tasks, strict=True):
        assert {name: getattr(one, name) for name in KINDS} == {n: getattr(other, swapped.get(n, n)) for n in KINDS}
    assert {(move.task, move.a, move.b, move.rows) for move in there.moves} == {
        (move.task, move.b, move.a, move.rows) for move in back.moves
    }


def test_moves_say_from_where_to_where(first, folders):
    found = diff(first, folders["no validation"])
    assert {(move.task, move.a, move.b) for move in found.moves} == {
        (task, a, "train") for task in ("recitals", "verdicts") for a in ("seen+train", "validation")
    }
    assert {move.rows for move in found.moves} == {4}


def test_examples_are_the_first_rows_of_each_task_and_kind_with_their_pairs(first, folders):
    found = diff(first, folders["another wording"], num_examples=2)
    by_kind = Counter((example.task, example.kind) for example in found.examples)
    assert set(by_kind.values()) == {2}
    a, b = rows_of(first), rows_of(folders["another wording"])
    for example in found.examples:
        key = (example.task, example.split, example.row)
        assert sorted((p.home, p.template, p.setting, p.prompt, p.completion) for p in example.a) == sorted(a[key])
        assert sorted((p.home, p.template, p.setting, p.prompt, p.completion) for p in example.b) == sorted(b[key])
    assert diff(first, folders["another wording"], num_examples=0).examples == []


def test_shorter_row_names_come_first(first, folders):
    rows = [e.row for e in diff(first, folders["more phrasings"], num_examples=40).examples if e.task == "verdicts"]
    assert rows == sorted(rows, key=lambda row: (len(row), row))


# --- manifests --------------------------------------------------------------------------------------------------------


def changes(found: Difference, about: str) -> dict[tuple[str, str], tuple[Any, Any]]:
    return {(change.name, change.key): (change.a, change.b) for change in found.changes if change.about == about}


def test_keys_of_the_mixture_are_told(first, folders):
    assert changes(diff(first, folders["another seed"]), "mixture") == {("seed", ""): (0, 1)}
    assert diff(first, folders["the same"]).changes == []


def test_templates_are_told_with_their_texts(first, folders):
    more, less = (changes(diff(first, folders[f"a template {word}"]), "template") for word in ("more", "less"))
    assert [key for key, (a, _) in more.items() if a is None] == [("verdict/more", "")]
    assert less == {("verdict/claim", ""): (PHRASINGS["verdict/claim"], None)}
    text = VARIANTS["another wording"]["texts"]["verdict/claim"]
    assert changes(diff(first, folders["another wording"]), "template") == {
        ("verdict/claim", ""): (PHRASINGS["verdict/claim"], text)
    }


def test_tasks_sources_and_ledgers_are_told(first, folders):
    found = diff(first, folders["fewer rows"])
    told = changes(found, "task")
    assert {("verdicts", "hash"), ("verdicts", "source train"), ("verdicts", "realised_share")} <= set(told)
    assert changes(found, "ledger")["verdicts train", "read"] == (40, 30)


def test_a_task_that_is_new_and_one_that_is_gone(tmp_path):
    paths = phrasings(tmp_path / "paths")
    built(tmp_path / "a", paths, verdicts(claims(9)), recitals(9))
    built(tmp_path / "b", paths, verdicts(claims(9)), recitals(9, name="others"))
    told = changes(diff(tmp_path / "a", tmp_path / "b"), "task")
    assert told["recitals", ""] == ("train", None)
    assert told["others", ""] == (None, "train")
    counts = {task.task: (task.same, task.dropped, task.new) for task in diff(tmp_path / "a", tmp_path / "b").tasks}
    assert counts == {"others": (0, 0, 9), "recitals": (0, 9, 0), "verdicts": (9, 0, 0)}


def test_versions_and_code_are_told(first, tmp_path):
    other = Path(shutil.copytree(first, tmp_path / "other"))
    content = json.loads((other / "manifest.json").read_text(encoding="utf-8"))
    content["versions"]["polars"], content["inputs"]["code"] = "1.0", "old"
    content["left"]["cb"] = "by its family"
    (other / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    found = diff(other, first)
    now = read_manifest(first)
    assert Change("versions", "polars", "", "1.0", now.versions["polars"]) in found.changes
    assert Change("inputs", "code", "", "old", now.inputs["code"]) in found.changes
    assert Change("left", "cb", "", "by its family", None) in found.changes
    out = command("diff", other, first).out
    assert f"versions polars: was 1.0, now {now.versions['polars']}\n" in out
    assert "inputs code: changed\nleft cb: was by its family, now not there\n" in out
    assert out.endswith("3 tasks have the same rows and pairs\n")


# --- the command ------------------------------------------------------------------------------------------------------


def test_folders_that_hold_the_same_are_told_in_a_line(first, folders):
    told = "the same pairs, from the same mixture\n"
    code, out, err = command("diff", first, folders["the same"], "--exit-code")
    assert (code, out) == (0, told)
    assert err.split()[0] == "compare"


def test_the_exit_code_tells_only_where_it_is_asked_for(first, folders):
    assert command("diff", first, folders["another seed"]).code == 0
    assert command("diff", first, folders["another seed"], "--exit-code").code == 1


def test_json_holds_every_record(first, folders):
    code, out, _ = command("diff", first, folders["fewer rows"], "--json", "--examples", "1")
    assert code == 0
    found = diff(first, folders["fewer rows"], num_examples=1)
    assert json.loads(out) == json.loads(json.dumps(asdict(found)))


def test_another_wording_is_told_in_words(first, folders):
    out = command("diff", first, folders["another wording"]).out.splitlines()
    assert "template verdict/claim: its text changed" in out
    table = out.index("Rows by what became of them")
    assert out[table + 1].split() == ["task", "same", "text"]
    shown = [line for line in out if line.startswith("verdicts train c")]
    assert shown[0].endswith("verdict/claim: prompt from character 0: " + shown[0].partition("character 0: ")[2])
    assert "text: verdict/claim: prompt from character 0: 'Claim: Number" in shown[0]
    assert " -> 'Thesis: Number" in shown[0]


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ("other answers", "text: verdict/"),
        ("more phrasings", "number: 1 pair -> 2 pairs"),
        ("other settings", "setting: recital/"),
        (
            "other settings",
            "mixture settings: was {zero_shot.options: 1.0}, now {zero_shot.no_options: 1.0}\n",
        ),
        ("more validation", "moved: "),
        ("fewer rows", "dropped: "),
        ("other rows", "new: "),
        ("fewer rows", "ledger verdicts train: read was 40, now 30"),
        ("fewer rows", "task verdicts: its file changed"),
        ("fewer rows", "task verdicts: its source train changed"),
        ("fewer rows", "task verdicts: realised_share was 69.23%, now 61.90%"),
        ("fewer rows", "ledger verdicts train: pairs (train) was 36, now 26"),
        ("a template more", "template verdict/more: is new"),
        ("a template less", "template verdict/claim: is gone"),
        ("no validation", "moved: recitals: 4 rows from validation to train"),
    ],
)
def test_each_kind_of_change_has_its_words(variant, words, first, folders):
    assert words in command("diff", first, folders[variant]).out


@pytest.mark.parametrize("variant", ["other settings", "other rows"])
def test_tables_fit_80_columns(variant, first, folders):
    lines = on_a_terminal("diff", first, folders[variant], "--examples", "0")
    assert max(len(line.rstrip()) for line in lines) <= 80


def test_what_is_no_built_folder_is_refused(first, tmp_path):
    assert refused("diff", first, tmp_path).startswith(f"{tmp_path}: no manifest.json, so this is no built mixture")
    copy = Path(shutil.copytree(first, tmp_path / "copy"))
    (copy / "train/seen-00000-of-00001.parquet").unlink()
    assert refused("diff", first, copy) == (
        f"{copy}/train/seen-00000-of-00001.parquet: is missing; instruction-kit verify {copy} tells what is wrong"
    )
    (copy / "train/seen-00000-of-00001.parquet").write_bytes(b"no Parquet at all")
    code, out, err = command("diff", copy, first)
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith(f"error: {copy}: its pairs cannot be read (")
    assert err.endswith(f"); instruction-kit verify {copy} tells what is wrong\n")
