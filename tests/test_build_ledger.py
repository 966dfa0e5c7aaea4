"""Both ledgers: every row of every source is somewhere, every pair is counted, and each loss has its reason."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_task import CLASSES, Verdict, built, claims, pairs, phrasings, recitals, task_file, verdicts

from instruction_kit import Frame, Mixture, Task, labels
from instruction_kit.build.manifest import Ledger, Manifest
from instruction_kit.built.verify import verify
from instruction_kit.errors import MixtureError, TaskError
from instruction_kit.task.load import load_task

LONG = "It is so long that it fits nowhere, and goes on and on and on until nobody would read it to its end."
FEW_PHRASINGS = {
    "verdict/bare": "{{ claim }}\n|||\n{{ answer }}",
    "verdict/list": "{{ claim }}\n\n{{ options }}\n|||\n{{ answer }}",
}

dirty_rows = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from([None, "a", "b", "c", "d", "e", "f", "g", "h"]),
            "claim": st.sampled_from([None, "", " \n", "It is.", "It is not.", LONG, LONG * 3]),
            "label": st.sampled_from([None, 0, 1, 2, 3, -1, -2]),
        }
    ),
    max_size=25,
)


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"id": pl.String, "claim": pl.String, "label": pl.Int64})


def dirty(rows: dict[str, list[dict[str, Any]]], **options: Any) -> Task:
    return verdicts({split: frame(r) for split, r in rows.items()}, name="dirty", skip=pl.col("label") == -1, **options)


def check(record: Manifest, folder: Path) -> None:
    """What must hold of any built folder."""
    assert verify(folder).problems == ()
    lost: Counter[tuple[str, str]] = Counter()
    for name, task in record.tasks.items():
        file = folder / f"rejected/{name}-00000-of-00001.parquet"
        if file.exists():
            lost.update(
                pl.read_parquet(file).select("task", "split", "row").unique().select("task", "split").iter_rows()
            )
        for split, source in task.splits.items():
            ledger = source.ledger
            assert ledger.read == total(ledger), (name, split)
            assert min(ledger.used, ledger.not_drawn, ledger.skipped) >= 0
            assert lost[name, split] <= sum(ledger.rejected.values()) + sum(ledger.removed.values())
            for home, count in ledger.pairs.items():
                config = "held_out" if task.role == "held_out" else "train"
                made = pairs(folder, home, config).filter((pl.col("task") == name) & (pl.col("split") == split))
                assert made.height == count, (name, split, home)
            homes = [pairs(folder, home, "held_out" if task.role == "held_out" else "train") for home in ledger.pairs]
            rows = {
                row for made in homes for row in made.filter(pl.col("task") == name, pl.col("split") == split)["row"]
            }
            assert len(rows) == ledger.used, (name, split)
    for config, splits in record.splits.items():
        for split, count in splits.items():
            assert count == sum(s.rows for s in record.shards if (s.config, s.split) == (config, split))


def total(ledger: Ledger) -> int:
    return (
        ledger.used + ledger.not_drawn + ledger.skipped + sum(ledger.rejected.values()) + sum(ledger.removed.values())
    )


def fates(rows: list[dict[str, Any]]) -> Counter[str]:
    """What should become of each row before anything is drawn, told without any of the code under test."""
    found: Counter[str] = Counter()
    seen = set()
    for row in rows:
        if row["label"] == -1:
            found["skipped"] += 1
        elif row["id"] is None or not (row["claim"] or "").strip() or row["label"] not in (0, 1, 2):
            found["rejected"] += 1
        elif row["id"] in seen:
            found["duplicate"] += 1
        else:
            seen.add(row["id"])
            found["good"] += 1
    return found


@settings(max_examples=15)
@given(dirty_rows, dirty_rows, st.sampled_from([None, 100, 260]), st.integers(1, 3), st.sampled_from([0, 2]))
def test_the_ledgers_of_any_table_add_up(train, test, budget, phrasing, num_validation):
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths = phrasings(folder / "paths", {**FEW_PHRASINGS, "recital/one": "{{ cue }}\n|||\n{{ answer }}"})
        held = dirty({"train": train, "test": test}, cluster="held")
        options: dict[str, Any] = {
            "budget": {"characters": budget} if budget else None,
            "phrasings": phrasing,
            "num_validation": num_validation,
            "num_examples_per_task": 5,
            "settings": {"zero_shot.options": 1, "zero_shot.no_options": 1},
        }
        trained = verdicts(frame(train), name="trained", skip=pl.col("label") == -1)
        for tasks, hold_out in (([held, recitals(4)], ["held"]), ([trained, recitals(4)], [])):
            measured = test if hold_out else train
            if not fates(measured)["good"]:
                with pytest.raises(MixtureError, match="can be used"):
                    built(folder / f"out {len(hold_out)}", paths, *tasks, hold_out=hold_out, **options)
                continue
            record = built(folder / f"out {len(hold_out)}", paths, *tasks, hold_out=hold_out, **options)
            check(record, folder / f"out {len(hold_out)}")
            told = record.tasks["dirty" if hold_out else "trained"].splits
            for split, rows in {"train": train, **({"test": test} if hold_out else {})}.items():
                ledger, expected = told[split].ledger, fates(rows)
                assert ledger.read == ledger.source_rows == len(rows)
                assert ledger.skipped == expected["skipped"]
                assert sum(ledger.rejected.values()) == expected["rejected"]
                assert ledger.removed.get("another row before it has the same key", 0) == expected["duplicate"]


def test_each_loss_has_its_reason_and_stands_in_a_file(tmp_path):
    rows: list[dict[str, Any]] = [
        {"id": "good", "claim": "It is.", "label": 0},
        {"id": "no text", "claim": None, "label": 0},
        {"id": "blank", "claim": " \n\t", "label": 1},
        {"id": "label", "claim": "It is.", "label": 7},
        {"id": "both", "claim": None, "label": None},
        {"id": "skipped", "claim": None, "label": -1},
        {"id": None, "claim": "It is.", "label": 0},
        {"id": " ", "claim": "It is.", "label": 0},
        {"id": "good", "claim": "It is again.", "label": 1},
        {"id": "long", "claim": "It is.", "label": 2},
    ]
    texts = {"verdict/ask": "{{ claim }}\n|||\n{{ answer }}", "recital/one": "{{ cue }}\n|||\n{{ answer }}"}
    paths, bare = phrasings(tmp_path / "paths", texts), {"settings": {"zero_shot.no_options": 1}}
    task = dirty({"train": rows}, answers={"open": "a long answer " * 9})
    with_room = built(tmp_path / "room", paths, task, **bare)
    assert with_room.tasks["dirty"].splits["train"].ledger.rejected == {
        "claim: blank": 1,
        "claim: missing": 2,
        "key: missing": 2,
        "label: not one of the labels": 1,
    }
    assert with_room.tasks["dirty"].splits["train"].ledger.skipped == 1
    assert with_room.tasks["dirty"].splits["train"].ledger.removed == {"another row before it has the same key": 1}
    lost = pl.read_parquet(tmp_path / "room" / "rejected" / "dirty-00000-of-00001.parquet")
    assert set(lost.columns) == {"task", "split", "file", "row", "field", "reason", "value", "place"}
    assert set(lost.select("row", "field", "reason", "value").iter_rows()) == {
        ("no text", "claim", "missing", None),
        ("blank", "claim", "blank", " \n\t"),
        ("label", "label", "not one of the labels", "7"),
        ("both", "claim", "missing", None),
        ("both", "label", "missing", None),
        (None, "key", "missing", None),
    }
    assert set(lost["file"]) == {"Frame[train]"}
    # the longest answer fits beside no question, so no row of the task can stand anywhere
    with_none = built(tmp_path / "none", paths, task, recitals(3), budget={"characters": 110}, **bare)
    assert with_none.tasks["dirty"].splits["train"].ledger.removed == {
        "another row before it has the same key": 1,
        "too long for the budget": 2,
    }
    assert with_none.tasks["dirty"].realised_share == 0
    check(with_none, tmp_path / "none")


def test_a_measured_row_that_misses_a_phrasing_is_counted_there_and_stands_under_the_others(tmp_path):
    texts = {
        "verdict/short": "{{ claim }}\n\n{{ options }}\n|||\n{{ answer }}",
        "verdict/wordy": f"{LONG}\n{{{{ claim }}}}\n\n{{{{ options }}}}\n|||\n{{{{ answer }}}}",
        "recital/one": "{{ cue }}\n|||\n{{ answer }}",
    }
    paths = phrasings(tmp_path / "paths", texts)
    held = verdicts({"test": claims(6)}, name="held")
    record = built(tmp_path / "out", paths, held, recitals(5), hold_out=["held"], budget={"characters": 100})
    ledger = record.tasks["held"].splits["test"].ledger
    assert (ledger.used, ledger.pairs, ledger.missed) == (6, {"held__test": 6}, {"too long for the budget": 6})
    check(record, tmp_path / "out")


def test_shortened_pairs_are_counted(tmp_path):
    paths = phrasings(tmp_path / "paths", {"verdict/one": "{{ claim }}\n|||\n{{ answer }}"})
    rows = claims(6).with_columns(claim=pl.when(pl.col("id") == "c2").then(pl.lit(LONG * 3)).otherwise("claim"))
    options = {"settings": {"zero_shot.no_options": 1}, "budget": {"characters": 200}}
    record = built(tmp_path / "out", paths, verdicts(rows), **options)
    assert record.tasks["verdicts"].splits["train"].ledger.shortened == 1
    assert pairs(tmp_path / "out")["prompt"].str.len_chars().max() <= 200  # type: ignore[operator]


# --- rows that explode or group ---------------------------------------------------------------------------------------


def shaped(data: Any, **options: Any) -> Task:
    columns = {"claim": "claim", "label": labels("label", CLASSES)}
    return Task(name="shaped", cluster="judging", schema=Verdict, source=Frame(data), columns=columns, **options)


NESTED = pl.DataFrame(
    {
        "article": ["a", "b", "c", "d"],
        "claims": [["a1", "a2", "a3"], ["b1"], [], ["d1", "d2"]],
        "labels": [[0, 1, 2], [1], [], [2, 9]],
    }
)


def exploded(frame: pl.LazyFrame) -> pl.LazyFrame:
    return frame.explode("claims", "labels").rename({"claims": "claim", "labels": "label"})


def test_rows_that_explode_tell_source_rows_and_rows(tmp_path):
    record = built(tmp_path / "out", phrasings(tmp_path / "paths"), shaped(NESTED, rows=exploded))
    ledger = record.tasks["shaped"].splits["train"].ledger
    assert (ledger.source_rows, ledger.read, ledger.used) == (4, 6, 5)
    assert ledger.rejected == {"label: not one of the labels": 1}
    named = {row: prompt.split("\n")[0] for row, prompt in pairs(tmp_path / "out").select("row", "prompt").iter_rows()}
    assert set(named) == {"Frame[train]:0", "Frame[train]:0#1", "Frame[train]:0#2", "Frame[train]:1", "Frame[train]:3"}
    assert "a2" in named["Frame[train]:0#1"]
    check(record, tmp_path / "out")


def test_rows_of_a_group_are_named_by_it_wherever_they_stand(tmp_path):
    votes = pl.DataFrame({"claim": ["x", "y", "x", "z", "y", "x"], "vote": [1, 0, 1, 2, 0, 0]})

    def majority(frame: pl.LazyFrame) -> pl.LazyFrame:
        return frame.group_by("claim", maintain_order=True).agg(pl.col("vote").mode().min().alias("label"))

    paths = phrasings(tmp_path / "paths")
    for name, frame in {"one": votes, "other": votes.reverse()}.items():
        record = built(tmp_path / name, paths, shaped(frame, rows=majority, scope="group:claim"))
        ledger = record.tasks["shaped"].splits["train"].ledger
        assert (ledger.source_rows, ledger.read, ledger.used) == (6, 3, 3)
        assert set(pairs(tmp_path / name)["row"]) == {"train:x", "train:y", "train:z"}
    assert pairs(tmp_path / "one").equals(pairs(tmp_path / "other"))


def test_a_scope_of_the_whole_split_sees_all_files_at_once(tmp_path):
    body = "".join(f'{{"text": "{number}", "label": {number % 2}}}\n' for number in range(20))
    path = task_file(tmp_path / "mine", "joined", train=body)
    path.with_name("second.jsonl").write_text('{"text": "20", "label": 1}\nbroken\n', encoding="utf-8")
    text = path.read_text(encoding="utf-8").replace("'joined.train.jsonl'", "['joined.train.jsonl', 'second.jsonl']")
    text = text.replace(
        'license="mit"', "rows=lambda f: f.filter(pl.col('text').cast(pl.Int64) > pl.len() - 6), scope='split'"
    )
    path.write_text(text, encoding="utf-8")
    record = Mixture(tasks=["joined"], paths=[tmp_path / "mine"], num_validation=0).build(tmp_path / "out")
    ledger = record.tasks["joined"].splits["train"].ledger
    assert (ledger.source_rows, ledger.read, ledger.used) == (22, 6, 5)
    assert ledger.rejected == {"not JSON (expecting value)": 1}
    assert set(pairs(tmp_path / "out")["row"]) == {
        *(f"joined.train.jsonl:{n}" for n in (16, 17, 18, 19)),
        "second.jsonl:0",
    }


def test_rows_that_lose_their_names_are_refused(tmp_path):
    """Counted within a batch they would be other rows whenever the batch is another."""
    task = shaped(NESTED, rows=lambda frame: exploded(frame).select("claim", "label"))
    with pytest.raises(TaskError) as error:
        built(tmp_path / "out", phrasings(tmp_path / "paths"), task)
    assert str(error.value) == "task shaped: rows= drops _index, by which rows are named; keep it, or give key="
    keyed = shaped(NESTED, rows=lambda frame: exploded(frame).select("claim", "label"), key="claim")
    assert set(built(tmp_path / "out", tmp_path / "paths", keyed).tasks["shaped"].templates) <= set(FEW_PHRASINGS) | {
        "verdict/ask",
        "verdict/claim",
    }


def test_a_function_that_does_not_fit_is_told_with_its_task(tmp_path):
    task = shaped(NESTED, rows=lambda frame: frame.explode("clams"))
    with pytest.raises(TaskError, match=r"^task shaped: rows= does not fit the source: .*clams"):
        built(tmp_path / "out", phrasings(tmp_path / "paths"), task)
    with pytest.raises(TaskError) as error:
        built(tmp_path / "out", phrasings(tmp_path / "paths"), shaped(NESTED, rows=lambda frame: frame.explod()))
    assert str(error.value) == (
        "task shaped: rows= does not fit the source: AttributeError: 'LazyFrame' object has no attribute 'explod'"
    )


@pytest.mark.parametrize(
    ("claim", "rows", "told"),
    [
        ("'claim'", "lambda frame: frame.with_columns(SAID)", "rows= does not fit the source"),
        ("SAID", "None", "split train: a column's expression does not fit the source"),
    ],
)
def test_what_a_function_of_a_task_file_raises_is_told_with_its_line(tmp_path, claim, rows, told):
    path = tmp_path / "mine/tasks/judging/slips.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "import polars as pl\n"
        "from small_task import CLASSES, Verdict\n"
        "from instruction_kit import Files, Task, labels\n"
        "def said(claim):\n"
        "    return claim.nope\n"
        "SAID = pl.col('claim').map_elements(said, return_dtype=pl.String)\n"
        "task = Task(schema=Verdict, source=Files({'train': 'slips.jsonl'}),\n"
        f"    columns={{'claim': {claim}, 'label': labels('label', CLASSES)}}, rows={rows})\n",
        encoding="utf-8",
    )
    path.with_name("slips.jsonl").write_text('{"claim": "a", "label": 1}\n', encoding="utf-8")
    with pytest.raises(TaskError) as error:
        built(tmp_path / "out", phrasings(tmp_path / "mine"), load_task(path))
    assert str(error.value).splitlines() == [f"{path}:5: {told}: AttributeError: 'str' object has no attribute 'nope'"]


def test_the_plan_of_a_query_is_not_told(tmp_path):
    with pytest.raises(TaskError) as error:
        built(
            tmp_path / "out", phrasings(tmp_path / "paths"), shaped(NESTED, rows=lambda frame: frame.explode("clams"))
        )
    assert "\n" not in str(error.value)


# --- tasks without a usable row ---------------------------------------------------------------------------------------


def test_a_task_whose_rows_are_all_lost_is_an_error_with_the_reasons(tmp_path):
    rows = [
        {"id": "a", "claim": "", "label": 0},
        {"id": "b", "claim": "x", "label": 5},
        {"id": "c", "claim": "x", "label": -1},
    ]
    paths = phrasings(tmp_path / "paths")
    with pytest.raises(MixtureError) as error:
        built(tmp_path / "out", paths, dirty({"train": rows}), recitals(3))
    assert str(error.value) == (
        "task dirty: no row of train can be used (1 x claim: blank; 1 x label: not one of the labels; 1 skipped, "
        "for example ''); mend the task, or take it out"
    )
    with pytest.raises(MixtureError, match=r"^task dirty: no row of test can be used \(the source has none\)"):
        built(tmp_path / "out", paths, dirty({"train": rows, "test": []}), recitals(3), hold_out=["dirty"])
    assert not (tmp_path / "out").exists()


def test_a_split_without_any_row_is_0_in_the_ledger(tmp_path):
    paths = phrasings(tmp_path / "paths")
    task = verdicts({"train": claims(5), "validation": claims(0), "test": claims(0)})
    record = built(tmp_path / "out", paths, task, num_validation=2)
    assert {split: source.ledger.read for split, source in record.tasks["verdicts"].splits.items()} == {
        "train": 5,
        "validation": 0,
        "test": 0,
    }


def test_parquet_and_text_files_without_rows_are_read_as_such(tmp_path):
    path = task_file(tmp_path / "mine", "lines", train='{"text": "a", "label": 1}\n', test="", validation="")
    claims(0).write_parquet(path.with_name("lines.validation.parquet"))
    text = path.read_text(encoding="utf-8").replace("lines.validation.jsonl", "lines.validation.parquet")
    path.write_text(text, encoding="utf-8")
    record = Mixture(tasks=["lines"], paths=[tmp_path / "mine"]).build(tmp_path / "out")
    assert {split: source.ledger.read for split, source in record.tasks["lines"].splits.items()} == {
        "train": 1,
        "test": 0,
        "validation": 0,
    }


def test_a_file_that_a_split_names_twice_is_refused(tmp_path):
    path = task_file(tmp_path / "mine", "lines", train='{"text": "a", "label": 1}\n')
    text = path.read_text(encoding="utf-8").replace("'lines.train.jsonl'", "['lines.train.jsonl', 'lines.train.jsonl']")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(
        TaskError, match=r"^task lines: train names a file twice: lines\.train\.jsonl, lines\.train\.jsonl$"
    ):
        Mixture(tasks=["lines"], paths=[tmp_path / "mine"]).build(tmp_path / "out")
