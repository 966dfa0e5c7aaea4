"""What may change a mixture, and what may not: a property for each sentence, over real builds."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pyarrow.parquet as pq
import pytest
from binomial import binomial_bounds
from hypothesis import given, settings
from hypothesis import strategies as st
from small_task import PHRASINGS, claims, phrasings, verdicts

from instruction_kit import Files, Mixture, Task
from instruction_kit.build import shard, texts
from instruction_kit.source import raw

TEXTS = {
    **PHRASINGS,
    "verdict/listed": "---\nneeds: options\n---\nOne of these?\n{{ options }}\n{{ claim }}\n|||\n{{ answer }}",
    "verdict/turned": "Write a claim that is {{ answer }}.\n|||\n{{ claim }}",
}
NEW = "verdict/new"
NEW_TEXT = "{{ options }}\n\nWhich of them is this?\n\n{{ claim }}\n|||\n{{ answer }}"
SETTINGS = {"zero_shot.options": 3, "few_shot.options": 1, "zero_shot.no_options.inverted": 1}
HELD = verdicts(claims(12, start=5_000), name="held", cluster="away")
names = st.sampled_from(["a", "held_too", "m", "z"])
sizes = st.lists(st.integers(3, 25), min_size=1, max_size=3)
few = settings(max_examples=6, deadline=None)
"""Each example is two builds."""


def mixture(folder: Path, tasks: list[Task], *, new_phrasing: bool = False, **options: Any) -> Mixture:
    paths = phrasings(folder / f"phrasings {new_phrasing}", {**TEXTS, **({NEW: NEW_TEXT} if new_phrasing else {})})
    held = {"hold_out": ["away"], "num_held_out": 6, "num_validation": 2, "settings": SETTINGS}
    return Mixture(**{"tasks": [*tasks, HELD], "paths": [paths], **held, **options})


def built(folder: Path, tasks: list[Task], **options: Any) -> dict[str, pl.DataFrame]:
    """Split -> its pairs, in order."""
    out = Path(tempfile.mkdtemp(dir=folder))
    record = mixture(folder, tasks, **options).build(out)
    shards = [one for one in record.shards if one.config in ("train", "held_out")]
    splits = {
        one.split: pl.concat([pl.read_parquet(out / s.path) for s in shards if s.split == one.split]) for one in shards
    }
    return {split: splits[split] for split in sorted(splits)}


@contextmanager
def somewhere() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def drawn(sizes: list[int]) -> list[Task]:
    """Tasks of so many rows, over rows of their own."""
    return [verdicts(claims(n, start=100 * at), name=f"task{at}", cluster=f"c{at}") for at, n in enumerate(sizes)]


def others(pairs: dict[str, pl.DataFrame], name: str) -> dict[str, pl.DataFrame]:
    kept = {split: frame.filter(pl.col("task") != name) for split, frame in pairs.items()}
    return {split: frame for split, frame in kept.items() if frame.height}


def rows(pairs: dict[str, pl.DataFrame], split: str) -> set[tuple[str, str]]:
    return set(pairs[split].select("task", "row").iter_rows()) if split in pairs else set()


def same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> bool:
    return list(one) == list(other) and all(frame.equals(other[split]) for split, frame in one.items())


@few
@given(sizes, names, st.integers(3, 25), st.integers(4, 30), st.integers(1, 2))
def test_under_one_pass_a_new_task_changes_no_pair_of_another(sizes, name, size, maximum, phrasings):
    options = {"rates": {"kind": "examples_proportional", "maximum": maximum}, "phrasings": phrasings}
    new = verdicts(claims(size, start=900), name=name, cluster="new")
    with somewhere() as folder:
        before, after = built(folder, drawn(sizes), **options), built(folder, [new, *drawn(sizes)], **options)
    assert rows(after, "train") - rows(before, "train")
    assert same(others(after, name), before)


@few
@given(st.integers(4, 30), st.integers(3, 30), st.integers(0, 5))
def test_under_one_pass_an_appended_row_changes_at_most_one_other_row_s_membership(size, maximum, num_validation):
    """Whether it trains, is held back to measure, or neither; a row that is put out of validation may train instead."""
    options: dict[str, Any] = {"rates": {"kind": "examples_proportional", "maximum": maximum}}
    options |= {"num_validation": num_validation, "settings": {"zero_shot.options": 1}}
    new = pl.concat([claims(size), claims(1, start=700)])
    with somewhere() as folder:
        before, after = (built(folder, [verdicts(frame)], **options) for frame in (claims(size), new))
    moved = [rows(before, split) ^ rows(after, split) for split in ("train", "validation")]
    assert len(set().union(*moved) - {("verdicts", "c700")}) <= 1
    assert len(rows(before, "seen") - rows(after, "seen")) <= 1
    assert before["held__train"].equals(after["held__train"])
    stay = ["task", "row", "template"]
    kept = before["train"].join(after["train"], on=stay, how="semi")
    assert kept.drop("prompt").equals(after["train"].join(before["train"], on=stay, how="semi").drop("prompt"))


@few
@given(sizes, names, st.integers(3, 25), st.integers(6, 40))
def test_under_num_pairs_the_others_used_rows_are_a_subset_after_a_new_task(sizes, name, size, num_pairs):
    new = verdicts(claims(size, start=900), name=name, cluster="new")
    options = {"num_pairs": num_pairs, "max_repeats": 40}
    with somewhere() as folder:
        before, after = built(folder, drawn(sizes), **options), built(folder, [*drawn(sizes), new], **options)
    assert {row for row in rows(after, "train") if row[0] != name} <= rows(before, "train")
    assert after["train"].height == before["train"].height == num_pairs


@few
@given(st.integers(10, 40), st.integers(1, 3))
def test_a_new_template_takes_only_its_own_share(size, phrasings):
    options: dict[str, Any] = {"phrasings": phrasings, "settings": {"zero_shot.options": 1}}
    with somewhere() as folder:
        before, after = (built(folder, [verdicts(claims(size))], new_phrasing=new, **options) for new in (False, True))
    taken = [set(pairs["train"].select("row", "template").iter_rows()) for pairs in (before, after)]
    assert {template for _, template in taken[1] - taken[0]} <= {NEW}
    assert len(taken[0] - taken[1]) == len(taken[1] - taken[0])
    if phrasings == 1:
        untouched = after["train"].filter(pl.col("template") != NEW)
        assert untouched.equals(before["train"].join(untouched, on="row", how="semi"))


def test_the_share_that_a_new_template_takes_is_an_equal_one(tmp_path):
    pairs = built(tmp_path, [verdicts(claims(2_000))], new_phrasing=True, settings={"zero_shot.options": 1})["train"]
    low, high = binomial_bounds(pairs.height, 1 / 4)
    counts = dict(pairs.group_by("template").len().iter_rows())
    assert len(counts) == 4
    assert all(low <= count <= high for count in counts.values())


@few
@given(sizes, st.integers(1, 7), st.sampled_from(["none", "near"]), st.booleans())
def test_batch_size_changes_nothing(sizes, size, copies, drop):
    options = {"drop_duplicates": copies, "drop_overlap": drop}
    with somewhere() as folder:
        before = built(folder, drawn(sizes), **options)
        with patch.object(shard, "BATCH_PAIRS", size), patch.object(texts, "BATCH_ROWS", size):
            assert same(built(folder, drawn(sizes), **options), before)


@few
@given(st.permutations(drawn([9, 17, 4, 12])), st.permutations(list(SETTINGS)), st.permutations(range(9)))
def test_order_of_listing_changes_nothing(tasks, keys, order):
    """Neither that of tasks, nor that of settings, nor that of the rows of a source that names them."""
    reordered = [
        verdicts(claims(9)[list(order)], name="task0", cluster="c0") if t.name == "task0" else t for t in tasks
    ]
    options = {"num_pairs": 60, "rates": {"kind": "equal"}, "max_repeats": 9}
    with somewhere() as folder:
        before = built(folder, drawn([9, 17, 4, 12]), **options)
        after = built(folder, reordered, **options, settings={key: SETTINGS[key] for key in keys})
    assert same(before, after)


def laid_out(folder: Path, counts: tuple[int, ...], **options: Any) -> dict[str, pl.DataFrame]:
    """The pairs of a task whose rows lie in files of so many rows each, beside tasks in memory."""
    start, paths = 0, []
    for number, count in enumerate(counts):
        paths.append(str(folder / f"{number}.parquet"))
        pq.write_table(claims(40)[start : start + count].to_arrow(), paths[-1], **options)
        start += count
    read = verdicts(claims(40), name="read", source=Files({"train": paths}))
    return built(folder, [read, *drawn([12])], drop_duplicates="near", phrasings=2)


@settings(few, max_examples=3)
@given(st.integers(1, 39), st.integers(6, 40), st.integers(1, 50))
def test_neither_files_nor_row_groups_nor_batches_of_a_source_change_anything(first, group, batch):
    """So neither can who reads them: that the number of processes changes no byte stands in test_build_process."""
    with somewhere() as one, somewhere() as other, patch.object(raw, "BATCH_ROWS", batch):
        assert same(laid_out(one, (40,), row_group_size=group), laid_out(other, (first, 40 - first)))


@pytest.fixture(scope="module")
def seeds(tmp_path_factory) -> list[dict[str, pl.DataFrame]]:
    folder = tmp_path_factory.mktemp("seeds")
    options: dict[str, Any] = {"rates": {"kind": "examples_proportional", "maximum": 90}, "num_validation": 20}
    options |= {"num_held_out": 11, "settings": {"zero_shot.options": 1, "few_shot.options": 1}}
    return [built(folder, drawn([120, 120]), seed=seed, **options) for seed in (0, 1)]


@pytest.mark.parametrize("column", ["setting", "template", "options", "exemplars", "prompt"])
def test_the_seed_changes_how_rows_are_prompted(seeds, column):
    one, other = (pairs["train"].with_columns(shown=pl.col("exemplars").list.len() > 0) for pairs in seeds)
    if column == "exemplars":
        one, other = one.filter("shown"), other.filter("shown")
    both = one.join(other, on=["task", "row"])
    assert both.height >= 10
    changed = both.filter(pl.col(column) != pl.col(f"{column}_right")).height
    assert changed > both.height / 5


@pytest.mark.parametrize("split", ["train", "validation", "seen", "held__train"])
def test_the_seed_changes_which_rows_are_drawn_and_their_order(seeds, split):
    one, other = seeds
    assert rows(one, split) != rows(other, split)
    both = rows(one, split) & rows(other, split)
    first, second = (
        [row for row in pairs[split].select("task", "row").unique(maintain_order=True).iter_rows() if row in both]
        for pairs in seeds
    )
    assert len(both) >= 6
    assert first != second
