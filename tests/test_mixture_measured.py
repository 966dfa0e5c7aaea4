"""Which rows of a mixture are measured: validation, seen and held-out rows."""

import polars as pl
import pytest
from small_task import built, claims, counts, pairs, phrasings, recitals, used, verdicts

from instruction_kit import ExamplesProportional, Mixture, Task
from instruction_kit.errors import InstructionKitError


def test_validation_is_the_sources_own_or_at_most_a_fifth_of_train(tmp_path):
    paths = phrasings(tmp_path / "paths")
    own = verdicts({"train": claims(20), "validation": claims(9, start=50)}, name="own")
    tasks = [
        own,
        verdicts(claims(40), name="large"),
        verdicts(claims(14), name="small"),
        verdicts(claims(4), name="tiny"),
    ]
    built(tmp_path / "out", paths, *tasks, num_validation=6)
    rows = {
        name: {row for task, _, row in used(tmp_path / "out", "validation") if task == name}
        for name in ("own", "large", "small", "tiny")
    }
    assert {name: len(found) for name, found in rows.items()} == {"own": 6, "large": 6, "small": 2, "tiny": 0}
    assert all(int(row[1:]) >= 50 for row in rows["own"])
    assert counts(tmp_path / "out") == {"large": 34, "own": 20, "small": 12, "tiny": 4}
    assert not used(tmp_path / "out", "validation") & used(tmp_path / "out", "train")


def test_seen_rows_are_trained_rows_under_every_answerable_phrasing(tmp_path):
    paths = phrasings(tmp_path / "paths")
    built(tmp_path / "out", paths, verdicts(claims(40)), num_validation=5, rates=ExamplesProportional(maximum=12))
    seen = pairs(tmp_path / "out", "seen")
    assert seen["row"].n_unique() == 5
    assert used(tmp_path / "out", "seen") <= used(tmp_path / "out", "train")
    assert all(set(row["template"]) == {"verdict/ask", "verdict/claim"} for _, row in seen.group_by("row"))
    assert set(seen["candidates"].list.len()) == {3}
    assert set(pairs(tmp_path / "out")["candidates"].list.len()) == {0}


def test_a_row_that_could_not_be_trained_on_is_not_measured_as_seen(tmp_path):
    texts = {
        "verdict/ask": "{{ claim }}\n\n{{ options }}\n|||\n{{ answer }}",
        "verdict/turned": "Make one up that is {{ answer }}.\n|||\n{{ claim }}",
    }
    paths = phrasings(tmp_path / "paths", texts)
    long = claims(30).with_columns(
        claim=pl.when(pl.col("label") == 0).then(pl.col("claim") + " on and on" * 20).otherwise("claim")
    )
    options = {"settings": {"zero_shot.no_options.inverted": 1}, "budget": {"characters": 120}, "num_validation": 30}
    record = built(tmp_path / "out", paths, verdicts({"train": long, "validation": claims(1, start=99)}), **options)
    assert record.tasks["verdicts"].splits["train"].ledger.removed == {"too long for the budget": 10}
    assert used(tmp_path / "out", "seen") == used(tmp_path / "out", "train")


def test_so_many_rows_of_the_measured_split_stand_under_every_phrasing_in_every_setting(tmp_path):
    paths = phrasings(tmp_path / "paths")
    held = verdicts({"train": claims(5), "validation": claims(9), "test": claims(20, start=100)}, name="held")
    both = ["zero_shot.options", "zero_shot.no_options"]
    record = built(
        tmp_path / "out", paths, held, recitals(9), hold_out=["held"], num_held_out=6, held_out_settings=both
    )
    made = pairs(tmp_path / "out", "held__test", "held_out")
    assert made["row"].n_unique() == 6
    assert all(int(row[1:]) >= 100 for row in made["row"])
    told = {"verdict/ask": 2, "verdict/claim": 2, "verdict/judge": 1}
    assert all(dict(row.group_by("template").len().iter_rows()) == told for _, row in made.group_by("row"))
    assert record.splits["held_out"] == {"held__test": 30}
    for pair in made.iter_rows(named=True):
        assert pair["completion"] == pair["candidates"][pair["gold"][0]]
        assert pair["references"] == [pair["completion"]]


@pytest.mark.parametrize(
    ("splits", "evaluate", "measured"),
    [
        (["train", "validation", "test"], None, "test"),
        (["train", "validation"], None, "validation"),
        (["train"], None, "train"),
        (["train", "validation", "test"], "validation", "validation"),
    ],
)
def test_the_measured_split_is_test_then_validation_then_train_or_what_the_task_says(
    tmp_path, splits, evaluate, measured
):
    frames = {split: claims(9, start=100 * number) for number, split in enumerate(splits)}
    held = verdicts(frames, name="held", evaluate=evaluate)
    record = built(tmp_path / "out", phrasings(tmp_path / "paths"), held, recitals(9), hold_out=["held"])
    assert list(record.splits["held_out"]) == [f"held__{measured}"]


def test_a_task_of_another_schema_needs_templates_and_says_where(tmp_path):
    with pytest.raises(InstructionKitError) as error:
        _ = Mixture(tasks=[recitals(9)]).templates
    assert str(error.value) == (
        "task recitals: no template for it; write one in templates/recital/ or templates/recitals/"
    )


def test_a_mixture_holds_tasks_not_only_names():
    task = verdicts(claims(9))
    assert isinstance(Mixture(tasks=[task]).tasks[0], Task)
    assert Mixture(tasks=[task]).chosen == {"verdicts": task}
