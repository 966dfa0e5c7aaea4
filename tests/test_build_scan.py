"""Scans are done once for all mixtures, redone when what they read changes, and never believed when they are broken."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_task import contents, lines, pairs, phrasings, recitals, task_file, verdicts

from instruction_kit import Frame, Mixture, Task, labels
from instruction_kit.build import scan as build_scan
from instruction_kit.build.plan import plan
from instruction_kit.build.scan import Scan, cached
from instruction_kit.build.unit import ScanUnit
from instruction_kit.errors import MixtureError, TaskError
from instruction_kit.schema import Classification
from instruction_kit.source import row as source_row


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("INSTRUCTION_KIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"  # type: ignore[no-any-return]


@pytest.fixture
def source(tmp_path) -> Path:
    task_file(tmp_path / "mine", "lines", train=lines(30), test=lines(9, start=100))
    task_file(tmp_path / "mine", "others", train=lines(12, start=50))
    return tmp_path / "mine"  # type: ignore[no-any-return]


@pytest.fixture
def scanned(monkeypatch) -> list[tuple[str, str]]:
    """(task, split) of every scan that is truly done, in order."""
    done: list[tuple[str, str]] = []
    write = build_scan._write

    def watched(unit: ScanUnit, task: Task, folder: Path) -> None:
        done.append((unit.task, unit.split))
        write(unit, task, folder)

    monkeypatch.setattr(build_scan, "_write", watched)
    return done


def mixture(source: Path, **options: object) -> Mixture:
    return Mixture(**{"tasks": ["lines", "others"], "paths": [source], "num_validation": 2, **options})


ALL = [("lines", "train"), ("lines", "test"), ("others", "train")]


# --- once for all -----------------------------------------------------------------------------------------------------


def test_another_mixture_over_the_same_tasks_scans_nothing(tmp_path, cache, source, scanned):
    mixture(source).build(tmp_path / "one")
    assert scanned == ALL
    mixture(source, seed=3, phrasings=2, hold_out=["others"], settings={"zero_shot.no_options": 1}).build(
        tmp_path / "two"
    )
    mixture(source, tasks=["lines"]).dataset()
    assert scanned == ALL


def test_the_cache_moves_with_its_data_and_holds_no_path(tmp_path, cache, source, scanned):
    mixture(source).build(tmp_path / "one")
    moved = tmp_path / "elsewhere" / "mine"
    shutil.copytree(source, moved)
    shutil.rmtree(source)
    mixture(moved).build(tmp_path / "two")
    assert scanned == ALL
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert not any(str(tmp_path).encode() in data for data in contents(cache).values())
    assert not any(Path(name).name.startswith(".") or "/." in name for name in contents(cache))


def test_only_what_changed_is_scanned_again(tmp_path, cache, source, scanned):
    mixture(source).build(tmp_path / "one")
    scanned.clear()
    data = source / "tasks" / "sorting" / "lines.test.jsonl"
    data.write_text(lines(10, start=100), encoding="utf-8")
    mixture(source).build(tmp_path / "data")
    assert scanned == [("lines", "test")]
    scanned.clear()
    task = source / "tasks" / "sorting" / "others.py"
    task.write_text(task.read_text(encoding="utf-8") + "# a note\n", encoding="utf-8")
    mixture(source).build(tmp_path / "task")
    assert scanned == [("others", "train")]
    scanned.clear()


def test_other_code_scans_everything_again(tmp_path, cache, source, scanned, monkeypatch):
    mixture(source).build(tmp_path / "one")
    scanned.clear()
    monkeypatch.setattr(build_scan, "code_hash", lambda: "another")
    mixture(source).build(tmp_path / "two")
    assert scanned == ALL


def test_samples_and_sources_are_different_scans(tmp_path, cache, source, scanned):
    sample = "".join(f'{{"text": "sample {n}", "label": {n % 2}, "_split": "train"}}\n' for n in range(9))
    (source / "tasks" / "sorting" / "others.sample.jsonl").write_text(sample, encoding="utf-8")
    mixture(source, tasks=["others"]).build(tmp_path / "source")
    mixture(source, tasks=["others"], data="sample").build(tmp_path / "sample")
    assert scanned == [("others", "train")] * 2
    assert "sample" in pairs(tmp_path / "sample")["prompt"][0]


def test_frames_of_equal_content_share_a_scan_and_others_do_not(tmp_path, cache, scanned):
    paths = phrasings(tmp_path / "paths")
    frame = pl.DataFrame({"id": ["a", "b", "c"], "claim": ["x", "y", "z"], "label": [0, 1, 2]})
    for name, data in {"one": frame, "same": frame.clone(), "other": frame.reverse()}.items():
        Mixture(tasks=[verdicts(data)], paths=[paths], num_validation=0).build(tmp_path / name)
    assert scanned == [("verdicts", "train")] * 2


def test_fields_of_ones_own_types_keep_them_wherever_a_batch_ends(tmp_path, cache, monkeypatch):
    """The first batch alone does not show what type they have."""
    path = task_file(tmp_path / "mine", "scored", train="")
    path.write_text(
        "from instruction_kit import Files, Task\n"
        "from instruction_kit.schema import Free, Schema, Text\n"
        "class Scored(Schema):\n"
        "    target = Free('answer')\n"
        "    question: Text\n"
        "    answer: Text\n"
        "    score: float | None = None\n"
        "    tags: list[int] | None = None\n"
        "task = Task(schema=Scored, source=Files({'train': 'scored.train.jsonl'}),\n"
        "            columns={name: name for name in ('question', 'answer', 'score', 'tags')})\n",
        encoding="utf-8",
    )
    rows: list[dict[str, Any]] = [{}, {"question": None}, {"score": None, "tags": None}]
    rows += [{"score": 1.5, "tags": [1]}, {"score": 2, "tags": []}]
    text = "".join(json.dumps({"question": f"q{n}", "answer": "a", **row}) + "\n" for n, row in enumerate(rows))
    path.with_name("scored.train.jsonl").write_text(text, encoding="utf-8")
    text = (
        "{{ question }}{% if score %} scored{% endif %}{% if tags %} {{ tags | length }}{% endif %}\n|||\n{{ answer }}"
    )
    phrasings(tmp_path / "mine", {"scored/one": text})
    made = Mixture(tasks=["scored"], paths=[tmp_path / "mine"], num_validation=0, seed=3)
    for size in (1, 2, 20_000):
        monkeypatch.setattr(source_row, "BATCH_ROWS", size)
        monkeypatch.setenv("INSTRUCTION_KIT_CACHE", str(tmp_path / f"cache {size}"))
        made.build(tmp_path / f"out {size}")
    assert contents(tmp_path / "out 1") == contents(tmp_path / "out 2") == contents(tmp_path / "out 20000")
    assert {"q3 scored 1\n", "q4 scored\n"} <= set(pairs(tmp_path / "out 1")["prompt"])


# --- broken entries ---------------------------------------------------------------------------------------------------


def flip(path: Path, place: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("place", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("name", ["accepted.parquet", "rejected.parquet", "receipt.json"])
def test_a_flipped_bit_in_the_cache_is_noticed_and_the_scan_redone(tmp_path, cache, source, scanned, name, place):
    mixture(source).build(tmp_path / "one")
    before = contents(cache)
    entry = next(path for path in sorted(cache.rglob(name)))
    flip(entry, place)
    scanned.clear()
    mixture(source).build(tmp_path / "two")
    assert len(scanned) == 1
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert contents(cache) == before


@pytest.mark.parametrize("damage", ["no receipt", "empty receipt", "no list", "no file", "cut file", "one file more"])
def test_an_entry_that_is_not_whole_is_redone(tmp_path, cache, source, scanned, damage):
    mixture(source).build(tmp_path / "one")
    receipt = min(cache.rglob("receipt.json"))
    accepted = receipt.with_name("accepted.parquet")
    if damage == "no receipt":
        receipt.unlink()
    elif damage == "empty receipt":
        receipt.write_text("", encoding="utf-8")
    elif damage == "no list":
        receipt.write_text("[]", encoding="utf-8")
    elif damage == "no file":
        accepted.unlink()
    elif damage == "cut file":
        accepted.write_bytes(accepted.read_bytes()[:100])
    else:
        said = json.loads(receipt.read_text(encoding="utf-8"))
        said["files"]["more"] = "0"
        receipt.write_text(json.dumps(said), encoding="utf-8")
    scanned.clear()
    mixture(source).build(tmp_path / "two")
    assert len(scanned) == 1
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_what_a_killed_scan_left_is_swept_away(tmp_path, cache, source, scanned):
    mixture(source).build(tmp_path / "one")
    before = contents(cache)
    entry = min(cache.rglob("receipt.json")).parent
    left = entry.with_name(f".{entry.name}.part")
    left.mkdir()
    (left / ".accepted.parquet.part").write_bytes(b"half a fi")
    (left / "rejected.parquet").write_bytes(b"half a fi")
    shutil.rmtree(entry)
    mixture(source).build(tmp_path / "two")
    assert contents(cache) == before


def test_a_column_that_only_later_rows_have_is_there(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(source_row, "BATCH_ROWS", 2)
    rows = '{"text": "a"}\n{"text": "b"}\n{"text": "c", "label": 1}\n{"label": 0}\n{"text": "e", "label": 0}\n'
    task_file(tmp_path / "mine", "lines", train=rows)
    record = Mixture(tasks=["lines"], paths=[tmp_path / "mine"]).build(tmp_path / "out")
    assert record.tasks["lines"].splits["train"].ledger.rejected == {"label: missing": 2, "text: missing": 1}


def test_a_scan_that_fails_leaves_nothing_in_the_cache(tmp_path, cache):
    columns = {"text": pl.col("text").str.to_uppercase(), "label": labels("lable", ["a", "b"])}
    frame = pl.DataFrame({"text": ["x"], "label": [0]})
    task = Task(name="wrong", cluster="sorting", schema=Classification, source=Frame(frame), columns=columns)
    with pytest.raises(TaskError, match=r"^task wrong: split train has no column lable; did you mean label\?$"):
        Mixture(tasks=[task]).build(tmp_path / "out")
    assert contents(tmp_path) == {}


# --- the plan ---------------------------------------------------------------------------------------------------------


def test_a_plan_reads_no_rows_and_says_what_it_does_not_know(tmp_path, cache, source, scanned):
    planned = mixture(source).plan()
    assert scanned == []
    assert not cache.exists()
    assert {name: (task.rows, task.estimated, task.share) for name, task in planned.training.items()} == {
        "lines": (None, True, None),
        "others": (None, True, None),
    }
    assert planned.pairs is None


def test_a_plan_takes_the_sizes_that_a_task_states_as_estimates(tmp_path, cache, source):
    for name, size in {"lines": 3_000, "others": 1_000}.items():
        path = source / "tasks" / "sorting" / f"{name}.py"
        text = path.read_text(encoding="utf-8").replace('license="mit"', f'sizes={{"train": {size}}}')
        path.write_text(text, encoding="utf-8")
    planned = mixture(source, num_validation=100).plan()
    assert {name: (task.rows, task.estimated, task.pairs) for name, task in planned.training.items()} == {
        "lines": (3_000, True, 2_900),
        "others": (1_000, True, 900),
    }
    assert planned.training["others"].share == pytest.approx(900 / 3_800)


def test_a_plan_after_a_build_is_what_was_built(tmp_path, cache, source):
    """Rejected rows, duplicates and validation rows taken from train are no longer guessed at."""
    rows = pl.DataFrame({"id": list("aabcdefghijk"), "claim": ["x"] * 11 + [None], "label": [0, 1, 2] * 4})
    tasks = ["lines", "others", verdicts(rows), recitals(14)]
    options = {"tasks": tasks, "paths": [source, phrasings(tmp_path / "paths")], "hold_out": ["others"]}
    settings = {"zero_shot.options": 1, "zero_shot.no_options": 3}
    for name, more in {"pass": {}, "number": {"num_pairs": 37, "phrasings": 2}}.items():
        made = mixture(source, **options, settings=settings, **more)
        record = made.build(tmp_path / name)
        planned = plan(made)
        assert {task: (p.share, p.rounds) for task, p in planned.training.items()} == {
            task: (r.expected_share, r.rounds) for task, r in record.tasks.items() if r.role == "train"
        }
        assert planned.pairs == record.splits["train"]["train"]
        assert not any(task.estimated for task in planned.training.values())
        assert planned.measured == ("others",)


def test_a_plan_asks_no_hub(tmp_path, cache):
    """Where nobody answers it is as quick; after a build it knows, without asking, what was built."""
    rows = pl.DataFrame({"text": ["a", "b", None, "d"], "label": [0, 1, 0, 1]})
    (tmp_path / "hub").mkdir()
    rows.write_parquet(tmp_path / "hub" / "train.parquet")
    path = task_file(tmp_path / "mine", "asked", train="")
    text = (
        path.read_text(encoding="utf-8")
        .replace("import Files", "import Hub")
        .replace('license="mit"', 'sizes={"train": 9}')
    )
    source = text[text.index("Files(") : text.index("),\n    columns") + 1]
    for name, where in {"far": "nobody/there", "near": str(tmp_path / "hub")}.items():
        told = text.replace(source, f"Hub({where!r}, splits={{'train': 'train'}})")
        path.with_name(f"{name}.py").write_text(told, encoding="utf-8")
    made = {name: Mixture(tasks=[name], paths=[tmp_path / "mine"], num_validation=0) for name in ("far", "near")}
    assert [made[name].plan().training[name].rows for name in made] == [9, 9]
    made["near"].build(tmp_path / "out")
    planned = made["near"].plan().training["near"]
    assert (planned.rows, planned.estimated) == (3, False)


def test_a_plan_says_what_leaves_and_why(source):
    listed = Mixture(tasks="all", hold_out=["natural_language_inference"], data="sample").plan()
    assert "rte" in listed.measured
    assert all(why for why in listed.leaving.values())
    assert not set(listed.leaving) & set(listed.training)


def test_a_plan_of_a_mixture_that_cannot_be_is_the_same_error(tmp_path, cache):
    made = Mixture(tasks=[recitals(5)], paths=[phrasings(tmp_path)], num_pairs=100)
    with pytest.raises(MixtureError, match=r"recitals 25 times"):
        made.plan()
    with pytest.raises(MixtureError, match=r"recitals 25 times"):
        made.build(tmp_path / "out")


def test_a_scan_is_found_by_its_key_alone(tmp_path, cache, source):
    mixture(source).build(tmp_path / "one")
    made = mixture(source)
    units = [
        unit for name in made.chosen for unit in build_scan.scan_units(made.chosen[name], data="source", data_dir=None)
    ]
    found = [cached(unit, cache) for unit in units]
    assert all(isinstance(scan, Scan) for scan in found)
    assert [(scan.read, scan.accepted) for scan in found if scan] == [(30, 26), (9, 8), (12, 11)]
