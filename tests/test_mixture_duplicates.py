"""Training rows that are copies of others: taken out before anything is rendered, counted, named with their match."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_task import CLASSES, contents, phrasings, verdicts

from instruction_kit import Frame, Mixture, Task
from instruction_kit.build.commit import file_hash, write_frame
from instruction_kit.build.removal import REMOVED
from instruction_kit.built.verify import verify
from instruction_kit.errors import MixtureError
from instruction_kit.schema import MultipleChoice

LONG = "Statement {} has a good many words of its own, {} and {} and {} among them, so that it is quite long by itself."
FILE = "duplicates/duplicates-00000-of-00001.parquet"


def rows(name: str, numbers: range, *, near: bool = False, loud: bool = False) -> pl.DataFrame:
    said = [LONG.format(*(f"{word}{n}" for word in ("a", "b", "c", "d"))) for n in numbers]
    said = [text.replace("so that it is", "so it is") if near else text.upper() if loud else text for text in said]
    label = [n % len(CLASSES) for n in numbers]
    return pl.DataFrame({"id": [f"{name}{n}" for n in numbers], "claim": said, "label": label})


def tasks(*, backwards: bool = False) -> list[Any]:
    """30 rows each; the second has 6 of the first in capitals, 4 with a word less, and twice one of its own."""
    second = [rows("s", range(100, 119)), rows("s", range(6), loud=True), rows("s", range(6, 10), near=True)]
    frames = {"first": rows("f", range(30)), "second": pl.concat([*second, rows("t", range(100, 101))])}
    made = [verdicts(f.reverse() if backwards else f, name=name) for name, f in frames.items()]
    return made[::-1] if backwards else made


def mixture(folder: Path, *, which: list[Any] | None = None, **options: Any) -> Mixture:
    values = {"tasks": which or tasks(), "paths": [phrasings(folder)], "num_validation": 0, **options}
    return Mixture(**values)


def removed(manifest: Any) -> dict[str, int]:
    """Reason -> rows, over all tasks."""
    found: dict[str, int] = {}
    for task in manifest.tasks.values():
        for why, count in task.splits["train"].ledger.removed.items():
            found[why] = found.get(why, 0) + count
    return found


@pytest.mark.parametrize(("kind", "lost"), [("exact", {"exact": 7}), ("near", {"exact": 7, "near": 4})])
def test_copies_are_taken_out_and_counted_where_that_is_asked_for(tmp_path, kind, lost):
    manifest = mixture(tmp_path, drop_duplicates=kind).build(tmp_path / "out")
    assert removed(manifest) == {REMOVED[kind]: count for kind, count in lost.items()}
    assert sum(task.splits["train"].ledger.used for task in manifest.tasks.values()) == 60 - sum(lost.values())
    found = pl.read_parquet(tmp_path / "out" / FILE)
    trained = set(pl.read_parquet(tmp_path / "out" / "train" / "train-*.parquet")["row"])
    assert not trained & set(found["row"])
    assert set(found["kept_row"]) <= trained
    for row in found.iter_rows(named=True):
        assert row["row"][1:] == row["kept_row"][1:], "the match is the row that says the same"
        assert (row["similarity"] < 1) == (row["kind"] == "near")
    assert set(found["task"]) == {"first", "second"}  # neither task loses to the other by its name
    assert verify(tmp_path / "out").problems == ()
    assert "taken out; the config `duplicates` names both" in (tmp_path / "out" / "README.md").read_text("utf-8")


def choices(*rows: tuple[str, list[str], int]) -> Task:
    frame = pl.DataFrame(rows, schema=["question", "options", "answer"], orient="row")
    columns = {name: name for name in frame.columns}
    return Task(name="quiz", cluster="quizzes", schema=MultipleChoice, source=Frame(frame), columns=columns)


def test_another_answer_is_no_copy_and_neither_is_another_sign(tmp_path):
    before = (
        "Eight birds sat on a wire above the road, and it was early in the morning, and it was cold, and nobody spoke."
    )
    asked = f"{before} How many are left there when three of them have flown away?"
    more = [asked, asked.replace("road", "street"), asked.replace("wire above", "WIRE -- above")]
    quiz = choices(
        (more[0], ["5", "-5"], 0),
        (more[0], ["5", "-5"], 1),
        (more[1], ["5", "-5"], 0),
        (more[1], ["5", "+5"], 0),
        (more[2], ["5", "-5"], 0),
        (more[0], ["-5", "5"], 1),
    )
    mixture(tmp_path, which=[quiz], drop_duplicates="exact").build(tmp_path / "exact")
    assert not (tmp_path / "exact" / FILE).exists()
    mixture(tmp_path, which=[quiz], drop_duplicates="near").build(tmp_path / "near")
    found = pl.read_parquet(tmp_path / "near" / FILE)
    alike = {*found["row"], *found["kept_row"]}
    assert (found.height, alike) == (2, {f"Frame[train]:{n}" for n in (0, 2, 4)})


def test_by_default_copies_stay(tmp_path):
    manifest = mixture(tmp_path).build(tmp_path / "out")
    assert (removed(manifest), manifest.duplicates, manifest.splits["duplicates"]) == ({}, {}, {"duplicates": 0})
    assert manifest.splits["train"]["train"] == 60
    assert not (tmp_path / "out" / "duplicates").exists()


def test_which_copy_stays_depends_neither_on_the_order_of_tasks_nor_on_that_of_rows(tmp_path):
    one = mixture(tmp_path, drop_duplicates="near").build(tmp_path / "one")
    mixture(tmp_path, which=tasks(backwards=True), drop_duplicates="near").build(tmp_path / "two")
    for file in (shard.path for shard in one.shards):
        assert pl.read_parquet(tmp_path / "one" / file).equals(pl.read_parquet(tmp_path / "two" / file)), file


def test_another_seed_keeps_other_copies(tmp_path):
    kept = []
    for seed in (0, 1):
        mixture(tmp_path, drop_duplicates="exact", seed=seed).build(tmp_path / f"{seed}")
        kept.append(set(pl.read_parquet(tmp_path / f"{seed}" / FILE)["kept_row"]))
    assert kept[0] != kept[1]


def test_a_build_that_is_begun_again_writes_the_same_copies(tmp_path):
    made = mixture(tmp_path, drop_duplicates="exact")
    made.build(tmp_path / "out")
    before = contents(tmp_path / "out")
    (tmp_path / "out" / "train" / "train-00000-of-00001.parquet").unlink()
    made.build(tmp_path / "out")
    assert contents(tmp_path / "out") == before


def test_neither_validation_rows_nor_exemplars_are_copies_of_what_is_trained_on(tmp_path):
    options: dict[str, Any] = {"num_validation": 6, "settings": {"few_shot.options": 1}, "drop_duplicates": "near"}
    mixture(tmp_path, **options).build(tmp_path / "out")
    gone = set(pl.read_parquet(tmp_path / "out" / FILE)["row"])
    for split in ("train", "validation"):
        made = pl.read_parquet(tmp_path / "out" / "train" / f"{split}-*.parquet")
        shown = made["exemplars"].explode().drop_nulls().struct.field("row")
        assert not gone & (set(made["row"]) | set(shown))
    assert verify(tmp_path / "out").problems == ()


def test_held_out_copies_go_first_and_are_counted_as_such(tmp_path):
    held = verdicts(rows("h", range(5)), name="held", cluster="away")
    options: dict[str, Any] = {
        "which": [*tasks(), held],
        "hold_out": ["away"],
        "drop_overlap": True,
        "drop_duplicates": "exact",
    }
    manifest = mixture(tmp_path, **options).build(tmp_path / "out")
    assert removed(manifest) == {"it shares text with a held-out row": 10, REMOVED["exact"]: 2}
    assert verify(tmp_path / "out").problems == ()


def test_a_task_of_which_nothing_is_left_is_told_with_what_took_its_rows(tmp_path):
    trained, held = (
        verdicts(rows("f", range(3)), name="trained"),
        verdicts(rows("h", range(5)), name="h", cluster="away"),
    )
    options: dict[str, Any] = {"which": [*tasks(), trained, held], "hold_out": ["away"], "drop_overlap": True}
    with pytest.raises(MixtureError) as error:
        mixture(tmp_path, **options).build(tmp_path / "out")
    why = "no row of train can be used (3 x it shares text with a held-out row)"
    assert str(error.value) == f"task trained: {why}; mend the task, or take it out"


def test_verify_misses_a_copy_that_is_gone_from_the_file(tmp_path):
    mixture(tmp_path, drop_duplicates="exact").build(tmp_path / "out")
    found = pl.read_parquet(tmp_path / "out" / FILE)
    write_frame(tmp_path / "out" / FILE, found[1:])
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    shard = next(shard for shard in manifest["shards"] if shard["path"] == FILE)
    shard |= {"sha256": file_hash(tmp_path / "out" / FILE), "rows": found.height - 1}
    manifest["splits"]["duplicates"]["duplicates"] -= 1
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    task, kept = found["task"][0], found["kept_task"][0]
    mine, both = (found.filter(pl.col("task") == task, *also).height for also in ([], [pl.col("kept_task") == kept]))
    assert verify(tmp_path / "out").problems == (
        f"manifest.json: duplicates {task} {kept} exact: {both}, its files have {both - 1}",
        f"manifest.json: {task} train: removed {mine} rows for {REMOVED['exact']!r}, its file of copies has {mine - 1}",
    )
