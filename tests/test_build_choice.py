"""What adding may change, and what it must leave alone: the promises of choice without state, in built folders."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from binomial import binomial_bounds
from small_task import PHRASINGS, built, claims, contents, pairs, phrasings, recitals, used, verdicts

from instruction_kit import Equal, Task

NO_OPTIONS: dict[str, Any] = {"settings": {"zero_shot.no_options": 1}}
MIXED: dict[str, Any] = {"settings": {"zero_shot.options": 2, "zero_shot.no_options": 1}, "num_validation": 10}


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> Path:
    return phrasings(tmp_path_factory.mktemp("phrasings"))


def tasks(*sizes: int) -> list[Task]:
    return [verdicts(claims(size), name=f"v{size}", cluster=f"c{size}") for size in sizes]


def of_task(folder: Path, name: str, split: str = "train") -> pl.DataFrame:
    return pairs(folder, split).filter(pl.col("task") == name)


# --- a new task -------------------------------------------------------------------------------------------------------


def test_holding_a_task_out_changes_no_pair_of_another(tmp_path, paths):
    built(tmp_path / "before", paths, *tasks(90, 40, 60), **MIXED)
    built(tmp_path / "after", paths, *tasks(90, 40, 60), hold_out=["v60"], **MIXED)
    assert of_task(tmp_path / "before", "v90").equals(of_task(tmp_path / "after", "v90"))
    assert set(pairs(tmp_path / "after")["task"]) == {"v90", "v40"}


@pytest.mark.parametrize("phrasing", [1, 2])
@pytest.mark.parametrize("number", [70, 150, 333])
def test_of_a_number_of_pairs_a_new_task_takes_and_the_others_use_fewer_of_the_same_rows(
    tmp_path, paths, number, phrasing
):
    built(tmp_path / "before", paths, *tasks(90, 140), num_pairs=number, phrasings=phrasing, **MIXED)
    built(tmp_path / "after", paths, *tasks(90, 140, 60), num_pairs=number, phrasings=phrasing, **MIXED)
    assert used(tmp_path / "after") - {row for row in used(tmp_path / "after") if row[0] == "v60"} <= used(
        tmp_path / "before"
    )
    keys = ["task", "row", "template", "setting", "round"]
    before = set(pairs(tmp_path / "before").select(keys).iter_rows())
    after = set(pairs(tmp_path / "after").filter(pl.col("task") != "v60").select(keys).iter_rows())
    assert after < before


# --- a new row --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [0, 100, 200])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_examples_per_task": 20},
        {"num_examples_per_task": 20, "num_validation": 5},
        {"num_pairs": 55, "num_validation": 5},
    ],
    ids=str,
)
def test_one_more_row_displaces_at_most_one_in_every_split(tmp_path, paths, start, options):
    rows = claims(40, start=start)
    more = pl.concat([rows, claims(1, start=start + 70)])
    built(tmp_path / "before", paths, verdicts(rows), **options)
    built(tmp_path / "after", paths, verdicts(more), **options)
    for split in ("train", "validation", "seen") if options.get("num_validation") else ("train",):
        before, after = used(tmp_path / "before", split), used(tmp_path / "after", split)
        assert len(before - after) <= 1, split
        assert len(after - before) <= 1 + ("num_validation" in options), split  # the new one, and one from validation


def test_a_row_keeps_its_pair_when_others_come_and_go(tmp_path, paths):
    rows = claims(60)
    built(tmp_path / "all", paths, verdicts(rows), **NO_OPTIONS)
    built(tmp_path / "some", paths, verdicts(rows.filter(pl.col("label") != 1).reverse()), **NO_OPTIONS)
    every = {pair["row"]: pair for pair in pairs(tmp_path / "all").to_dicts()}
    some = pairs(tmp_path / "some").to_dicts()
    assert len(some) == 40
    assert all(every[pair["row"]] == pair for pair in some)


def test_the_measured_rows_are_the_smallest_keys_too(tmp_path, paths):
    rows = claims(50)
    held = {"hold_out": ["held"], "num_held_out": 12}
    for name, test in {"before": rows, "after": pl.concat([claims(1, start=80), rows])}.items():
        built(tmp_path / name, paths, verdicts({"test": test}, name="held"), recitals(3), **held)
    before, after = (used(tmp_path / name, "held__test", "held_out") for name in ("before", "after"))
    assert len(before) == len(after) == 12
    assert len(before - after) <= 1


# --- a new template ---------------------------------------------------------------------------------------------------


def test_a_new_template_takes_only_its_own_share(tmp_path, paths):
    built(tmp_path / "before", paths, verdicts(claims(900)), **NO_OPTIONS)
    new = {"verdict/doubt": "I doubt it: {{ claim }}\n|||\n{{ answer }}"}
    more = phrasings(tmp_path / "more", PHRASINGS | new)
    built(tmp_path / "after", more, verdicts(claims(900)), **NO_OPTIONS)
    columns = ["row", "template"]
    moved = pairs(tmp_path / "before").select(columns).join(pairs(tmp_path / "after").select(columns), on="row")
    changed = moved.filter(pl.col("template") != pl.col("template_right"))
    assert set(changed["template_right"]) == {"verdict/doubt"}
    low, high = binomial_bounds(900, 1 / 4)
    assert low <= changed.height <= high
    assert pairs(tmp_path / "before")["row"].to_list() == pairs(tmp_path / "after")["row"].to_list()


def test_each_phrasing_gets_its_share_of_the_rows(tmp_path, paths):
    record = built(tmp_path / "out", paths, verdicts(claims(900)), **NO_OPTIONS)
    low, high = binomial_bounds(900, 1 / 3)
    assert all(low <= count <= high for count in record.tasks["verdicts"].templates.values())


def test_settings_get_the_shares_of_their_weights(tmp_path, paths):
    settings = {"zero_shot.options": 3, "zero_shot.no_options": 1}
    record = built(tmp_path / "out", paths, verdicts(claims(900)), settings=settings)
    low, high = binomial_bounds(900, 3 / 4)
    assert low <= record.tasks["verdicts"].settings["zero_shot.options"] <= high


# --- order ------------------------------------------------------------------------------------------------------------


def test_the_order_of_tasks_and_of_rows_and_of_weights_changes_nothing(tmp_path, paths):
    options = {"num_pairs": 100, "rates": Equal(), "num_validation": 5, "hold_out": ["v30", "v20"]}
    weights = {"zero_shot.options": 1, "zero_shot.no_options": 2}
    built(tmp_path / "one", paths, *tasks(60, 30, 90, 20), **options, settings=weights)
    swapped = {**options, "hold_out": ["v20", "v30"], "settings": dict(reversed(weights.items()))}
    built(tmp_path / "other", paths, *tasks(20, 90, 30, 60), **swapped)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    reversed_rows = [verdicts(claims(n).reverse(), name=f"v{n}", cluster=f"c{n}") for n in (60, 30, 90, 20)]
    built(tmp_path / "rows", paths, *reversed_rows, **options, settings=weights)
    for config, splits in {"train": ["train", "validation", "seen"], "held_out": ["v20__train", "v30__train"]}.items():
        for split in splits:
            assert pairs(tmp_path / "rows", split, config).equals(pairs(tmp_path / "one", split, config)), split
