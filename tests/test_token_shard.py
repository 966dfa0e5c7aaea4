"""Token shards: every pair is a row or is counted, whole files or none, the same bytes again."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tiny_model import built, encoder, other_built, pairs_in, tasks

from instruction_kit import Mixture
from instruction_kit.build.manifest import read_manifest
from instruction_kit.errors import BuildError, TokenError
from instruction_kit.token import shard as module
from instruction_kit.token import window
from instruction_kit.token.record import RECORD, differences, read_record
from instruction_kit.token.row import IGNORED
from instruction_kit.token.shard import Wanted, identity_of, tokenise


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def pairs() -> list[dict[str, Any]]:
    return pl.read_parquet(built() / "train" / "train-*.parquet").to_dicts()


def test_each_pair_is_a_row_in_its_order_with_the_loss_on_the_completion(tmp_path):
    made = encoder()
    record = tokenise(built(), tmp_path, Wanted(512), encoder=made)
    rows = pairs_in(tmp_path)
    assert len(rows) == record.rows == record.pairs == len(pairs())
    for position, (row, pair) in enumerate(zip(rows, pairs(), strict=True)):
        [prompt], [completion] = made.prompts([pair["prompt"]]), made.completions([pair["completion"]])
        assert row["input_ids"] == prompt + completion
        assert row["labels"] == [IGNORED] * len(prompt) + completion
        assert (row["m_task"], row["m_row"], row["m_template"]) == (pair["task"], pair["row"], pair["template"])
        assert (row["m_split"], row["m_round"], row["m_position"]) == (pair["split"], pair["round"], position)


def test_the_record_counts_what_the_rows_hold(tmp_path):
    record = tokenise(built(), tmp_path, Wanted(512), encoder=encoder())
    rows = pairs_in(tmp_path)
    for name, task in record.tasks.items():
        mine = [row for row in rows if row["m_task"] == name]
        lengths = [len(row["input_ids"]) for row in mine]
        loss = sum(label != IGNORED for row in mine for label in row["labels"])
        assert (task.pairs, task.longest, task.loss_tokens) == (len(mine), max(lengths), loss)
        assert task.prompt_tokens + task.loss_tokens == sum(lengths)
        assert task.dropped == {}
    assert record.largest_id == max(token for row in rows for token in row["input_ids"])
    assert record.identity.built == read_manifest(built()).fingerprint
    assert record.identity.layout == encoder().layout


def test_the_same_pairs_give_the_same_bytes_and_no_path_or_clock(tmp_path):
    tokenise(built(), tmp_path / "a", Wanted(512), encoder=encoder())
    moved = tmp_path / "moved"
    shutil.copytree(built(), moved)
    tokenise(moved, tmp_path / "b", Wanted(512), encoder=encoder())
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert str(tmp_path) not in (tmp_path / "a" / RECORD).read_text(encoding="utf-8")


def test_shards_that_are_there_are_found_and_broken_ones_are_written_again(tmp_path, monkeypatch):
    first = tokenise(built(), tmp_path, Wanted(512), encoder=encoder())
    whole = hashes(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_Writer", None)
        assert tokenise(built(), tmp_path, Wanted(512), encoder=encoder()) == first
    path = tmp_path / first.shards[0].path
    path.write_bytes(path.read_bytes()[:-9])
    tokenise(built(), tmp_path, Wanted(512), encoder=encoder())
    assert hashes(tmp_path) == whole


def test_a_run_that_dies_in_between_leaves_no_record_and_ends_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(window, "WINDOW", 8)
    tokenise(built(), tmp_path / "whole", Wanted(512), encoder=encoder())

    class Dies(type(encoder())):  # type: ignore[misc]
        calls = 0

        def batch(self, rows):
            Dies.calls += 1
            if Dies.calls == 3:
                raise KeyboardInterrupt
            return super().batch(rows)

    made = encoder()
    with pytest.raises(KeyboardInterrupt):
        tokenise(built(), tmp_path / "died", Wanted(512), encoder=Dies(made.tokenizer, made.layout))
    assert read_record(tmp_path / "died") is None
    tokenise(built(), tmp_path / "died", Wanted(512), encoder=made)
    for name in ("train-00000-of-00001.arrow", RECORD):
        assert (tmp_path / "died" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_nothing_is_cut_and_too_many_long_pairs_are_an_error_that_names_the_budget(tmp_path):
    tokenise(built(), tmp_path, Wanted(512), encoder=encoder())
    lengths = sorted(len(row["input_ids"]) for row in pairs_in(tmp_path))
    limit = lengths[-4]
    with pytest.raises(
        TokenError, match=rf"more than max_length {limit} tokens would be dropped: color \d of 36"
    ) as told:
        tokenise(built(), tmp_path / "short", Wanted(limit), encoder=encoder())
    assert f"`max_length` (the longest pair has {lengths[-1]} tokens)" in str(told.value)
    budget = int(str(told.value).split("{characters: ")[1].split("}")[0])
    assert all(
        len(encoder().prompts([pair["prompt"]])[0] + encoder().completions([pair["completion"]])[0]) <= limit
        for pair in pairs()
        if len(pair["prompt"] + pair["completion"]) <= budget and "Item" in pair["prompt"]
    )
    assert read_record(tmp_path / "short") is None


def test_dropped_pairs_are_counted_when_the_user_accepts_them(tmp_path):
    tokenise(built(), tmp_path, Wanted(512), encoder=encoder())
    whole = pairs_in(tmp_path)
    limit = sorted(len(row["input_ids"]) for row in whole)[-4]
    record = tokenise(built(), tmp_path / "short", Wanted(limit), encoder=encoder(), accept_dropped=True)
    kept = [row for row in whole if len(row["input_ids"]) <= limit]
    assert pairs_in(tmp_path / "short") == kept
    dropped = {name: task.dropped for name, task in record.tasks.items() if task.dropped}
    assert dropped == {"color": {"longer than max_length": len(whole) - len(kept)}}
    assert {name: task.longest for name, task in record.tasks.items()}["color"] > limit


def test_all_too_long_is_an_error_even_when_dropping_is_accepted(tmp_path):
    with pytest.raises(TokenError, match=r"every pair is longer than max_length 2, the longest has \d+ tokens"):
        tokenise(built(), tmp_path, Wanted(2), encoder=encoder(), accept_dropped=True)


def test_a_built_folder_that_is_not_whole_is_refused(tmp_path):
    with pytest.raises(BuildError, match=r"no manifest\.json"):
        tokenise(tmp_path, tmp_path / "tokens", Wanted(512), encoder=encoder())
    copy = tmp_path / "copy"
    shutil.copytree(built(), copy)
    path = next((copy / "train").glob("train-*.parquet"))
    pl.read_parquet(path).head(3).write_parquet(path)
    with pytest.raises(TokenError, match=r"absent or not as the build left it; build the mixture again"):
        tokenise(copy, tmp_path / "tokens", Wanted(512), encoder=encoder())


def test_a_mixture_without_training_rows_is_refused(tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(built(), copy)
    content = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    content["shards"] = [shard for shard in content["shards"] if shard["split"] != "train"]
    (copy / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(TokenError, match="the config `train` has no rows"):
        tokenise(copy, tmp_path / "tokens", Wanted(512), encoder=encoder())


def test_a_completion_without_tokens_is_an_error_that_names_the_row(tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(built(), copy)
    path = next((copy / "train").glob("train-*.parquet"))
    frame = pl.read_parquet(path).with_columns(completion=pl.lit(""))
    frame.write_parquet(path)
    content = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    for shard in content["shards"]:
        if shard["path"].endswith(path.name):
            shard["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (copy / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(TokenError, match=r"row .*, template .*: its completion '' has no tokens"):
        tokenise(copy, tmp_path / "tokens", Wanted(512), encoder=encoder())


def test_several_shards_keep_their_order_and_number_their_pairs_through(tmp_path, monkeypatch):
    from instruction_kit.build import shard as build_shard

    monkeypatch.setattr(build_shard, "SHARD_PAIRS", 20)
    Mixture(tasks=tasks(), num_validation=0).build(tmp_path / "built")
    record = tokenise(tmp_path / "built", tmp_path / "tokens", Wanted(512), encoder=encoder())
    assert len(record.shards) == 3
    rows = pairs_in(tmp_path / "tokens")
    assert [row["m_position"] for row in rows] == list(range(56))


def test_what_two_records_do_not_share_is_told_in_the_users_words():
    first = identity_of(read_manifest(built()), encoder(), Wanted(512))
    other = identity_of(read_manifest(other_built()), encoder(add_bos=False), Wanted(256, packing=True))
    assert [item.name for item in differences(first, other)] == [
        "built mixture",
        "tokenizer",
        "max_length",
        "packing",
        "layout",
    ]
    assert differences(first, first) == []


def test_a_broken_record_is_an_error_that_names_it(tmp_path):
    (tmp_path / RECORD).write_text('{"rows": 1}', encoding="utf-8")
    with pytest.raises(TokenError, match=f"{RECORD}: not a record of token shards"):
        tokenise(built(), tmp_path, Wanted(512), encoder=encoder())
