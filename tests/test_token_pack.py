"""Packing: nothing is lost or split, rows are full and mixed, and the same pairs give the same bytes."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import built, cut, encoder, pairs_in

from instruction_kit.token import window as module
from instruction_kit.token.pack import best_fit, entropy
from instruction_kit.token.record import read_record
from instruction_kit.token.shard import Wanted, tokenise

CAPACITY = 256


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("packed")
    tokenise(built(), folder, Wanted(CAPACITY, packing=True), encoder=encoder())
    return folder


def rows_in(folder: Path) -> list[dict[str, Any]]:
    [path] = folder.glob("*.arrow")
    found: list[dict[str, Any]] = pa.ipc.open_stream(path.read_bytes()).read_all().to_pylist()
    return found


@given(st.lists(st.integers(1, 64), max_size=200), st.integers(64, 100))
def test_every_pair_is_in_one_pack_and_no_pack_is_too_full(lengths, capacity):
    packs = best_fit(np.array(lengths, dtype=np.int64), capacity)
    assert len(packs) == len(lengths)
    assert sorted(set(packs.tolist())) == list(range(len(set(packs.tolist()))))
    assert (np.bincount(packs, weights=lengths) <= capacity).all()


@given(st.lists(st.integers(1, 50), min_size=2, max_size=200))
def test_no_two_packs_could_be_one(lengths):
    sizes = sorted(np.bincount(best_fit(np.array(lengths, dtype=np.int64), 100), weights=lengths))
    assert len(sizes) < 2 or sizes[0] + sizes[1] > 100


@given(st.permutations(list(range(12))))
def test_entropy_is_that_of_the_shares_of_tokens(order):
    packs, tasks = np.repeat([0, 1, 2], 4)[order], np.tile([0, 1, 2, 3], 3)[order]
    tokens = np.array([8, 8, 8, 8, 16, 16, 0, 0, 5, 0, 0, 0])[order] + 1e-12
    assert entropy(packs, tasks, tokens) == pytest.approx([2, 1, 0], abs=1e-8)


def test_mixed_lengths_fill_rows_and_rows_mix_tasks_where_sorting_would_not():
    lengths = np.array([20 + 60 * (n * 7 % 4) + n * 13 % 17 for n in range(16_000)], dtype=np.int64)
    tasks = np.array([n * 7 % 4 for n in range(16_000)])
    packs = best_fit(lengths, 1024)
    assert lengths.sum() / (1024 * (packs.max() + 1)) > 0.99
    descending = np.argsort(-lengths, kind="stable")
    by_length = best_fit(lengths[descending], 1024)
    assert entropy(packs, tasks, lengths).mean() > 1.5
    assert entropy(by_length, tasks[descending], lengths[descending]).mean() < 0.5


def test_a_packed_row_holds_whole_pairs_as_they_are_alone(tmp_path, packed):
    tokenise(built(), tmp_path, Wanted(CAPACITY), encoder=encoder())
    alone = {pair["m_position"]: pair for pair in pairs_in(tmp_path)}
    together = {pair["m_position"]: pair for pair in pairs_in(packed)}
    assert together == alone
    rows = rows_in(packed)
    assert len(rows) < len(alone) / 3
    assert all(len(row["input_ids"]) <= CAPACITY for row in rows)
    assert all(row["m_position"] == sorted(row["m_position"]) for row in rows)
    assert max(len(set(row["task_ids"])) for row in rows) == 2


def test_where_a_pair_comes_from_stands_beside_it(packed):
    pairs = pl.read_parquet(built() / "train" / "train-*.parquet").to_dicts()
    record = read_record(packed)
    assert record is not None
    for pair in pairs_in(packed):
        own = pairs[pair["m_position"]]
        assert [pair[f"m_{name}"] for name in ("task", "template", "split", "row", "round")] == [
            own[name] for name in ("task", "template", "split", "row", "round")
        ]
        assert record.task_names[pair["task_ids"]] == own["task"]


def test_the_record_says_how_full_and_how_mixed_rows_are(packed):
    rows, record = rows_in(packed), read_record(packed)
    assert record is not None
    assert (record.rows, record.pairs, record.identity.packing) == (len(rows), 56, True)
    tokens = sum(len(row["input_ids"]) for row in rows)
    assert record.mixing.fill == pytest.approx(tokens / (CAPACITY * len(rows)), abs=1e-4)
    shares = []
    for row in rows:
        sizes = np.zeros(2)
        for pair in cut(row):
            sizes[pair["task_ids"]] += len(pair["input_ids"])
        shares.append(sizes[sizes > 0] / sizes.sum())
    mean = np.mean([-(share * np.log2(share)).sum() for share in shares])
    assert record.mixing.task_entropy == pytest.approx(mean, abs=1e-4)
    assert 0 < record.mixing.task_entropy <= record.mixing.task_entropy_of_all


def test_how_a_file_is_read_changes_no_byte(tmp_path, packed, monkeypatch):
    monkeypatch.setattr(module, "READ_ROWS", 7)
    tokenise(built(), tmp_path, Wanted(CAPACITY, packing=True), encoder=encoder())
    assert rows_in(tmp_path) == rows_in(packed)
    assert read_record(tmp_path) == read_record(packed)


def test_a_window_of_long_pairs_holds_fewer_of_them(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WINDOW_BYTES", 900)
    found = {}
    for rows in (1, 7, 1024):
        monkeypatch.setattr(module, "READ_ROWS", rows)
        tokenise(built(), tmp_path / str(rows), Wanted(CAPACITY, packing=True), encoder=encoder())
        found[rows] = rows_in(tmp_path / str(rows))
    assert found[1] == found[7] == found[1024]
    assert len(found[1]) > 56 / 8
    [path] = (built() / "train").glob("train-*.parquet")
    sizes = pl.read_parquet(path).select(pl.col("prompt").str.len_bytes() + pl.col("completion").str.len_bytes())
    for row in found[1]:
        assert sizes[sorted(row["m_position"])].sum().item() <= 900


def test_windows_are_packed_apart_so_that_memory_holds_two(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 16)
    monkeypatch.setattr(module, "READ_ROWS", 5)
    tokenise(built(), tmp_path, Wanted(CAPACITY, packing=True), encoder=encoder())
    rows = rows_in(tmp_path)
    assert all(len({position // 16 for position in row["m_position"]}) == 1 for row in rows)
    assert sorted(position for row in rows for position in row["m_position"]) == list(range(56))
