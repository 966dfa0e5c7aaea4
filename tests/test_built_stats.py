"""`stats`: counts and lengths equal those of a plain count over the files; the records keep their names."""

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from command import command, on_a_terminal, refused
from hypothesis import given
from hypothesis import strategies as st
from small_task import built, claims, lines, pairs, phrasings, recitals, task_file, verdicts
from test_mixture_overlap import mixture

from instruction_kit import Mixture
from instruction_kit.build.manifest import read_manifest
from instruction_kit.built.lengths import lengths
from instruction_kit.built.pairs import ROWS_AT_ONCE
from instruction_kit.built.stats import Overlap, Part, Stats, stats

HOMES = {"train": "train", "validation": "train", "seen": "train", "held__test": "held_out"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Several clusters, settings and templates; rows lost in each way; a measured task."""
    root = tmp_path_factory.mktemp("stats")
    odd = {"id": ["c3", "bad", None, "skip"], "claim": ["Again.", "It is.", "Nameless.", "No."], "label": [0, 7, 1, -1]}
    long = claims(50).with_columns(claim=pl.when(pl.col("id") == "c9").then(pl.lit("é🙂 " * 90)).otherwise("claim"))
    tasks = [
        verdicts(pl.concat([long, pl.DataFrame(odd, schema=claims(1).schema)]), skip=pl.col("label") == -1),
        recitals(30),
        verdicts({"test": claims(12, start=100)}, name="held", cluster="held"),
    ]
    settings = {"zero_shot.options": 2, "zero_shot.no_options": 1}
    options = {"hold_out": ["held"], "num_validation": 4, "phrasings": 2, "budget": {"characters": 200}}
    built(root / "out", phrasings(root / "paths"), *tasks, settings=settings, **options)
    return Path(root / "out")


@pytest.fixture(scope="module")
def found(folder) -> Stats:
    return stats(folder)


def test_the_composition_is_that_of_the_pairs(folder, found):
    for home, config in HOMES.items():
        frame = pairs(folder, home, config)
        for by in ("cluster", "task", "template", "setting"):
            told = {p.name: (p.pairs, p.rows, p.share) for p in found.composition if (p.split, p.by) == (home, by)}
            assert told == {
                name: (part.height, part.select("task", "split", "row").unique().height, part.height / frame.height)
                for (name,), part in frame.group_by(by)
            }
        (whole,) = [part for part in found.composition if (part.split, part.by) == (home, "split")]
        rows = frame.select("task", "split", "row").unique().height
        assert whole == Part(config, home, "split", home, frame.height, rows, 1.0)


def test_splits_stand_in_the_order_of_the_manifest_and_parts_by_size(found):
    splits = list(dict.fromkeys(part.split for part in found.composition))
    assert splits == list(HOMES)
    tasks = [part.pairs for part in found.composition if (part.split, part.by) == ("train", "task")]
    assert tasks == sorted(tasks, reverse=True)


@pytest.mark.parametrize("side", ["prompt", "completion", "pair"])
def test_lengths_are_those_of_the_texts_in_code_points(side, folder, found):
    for home, config in HOMES.items():
        frame = pairs(folder, home, config)
        for task in [None, *frame["task"].unique()]:
            mine = frame if task is None else frame.filter(task=task)
            parts = ("prompt", "completion") if side == "pair" else (side,)
            texts = sorted(sum(map(len, row)) for row in mine.select(parts).iter_rows())
            (told,) = [one for one in found.lengths if (one.split, one.task, one.side) == (home, task, side)]
            assert (told.pairs, told.min, told.max) == (len(texts), texts[0], texts[-1])
            assert told.mean == pytest.approx(sum(texts) / len(texts))
            assert told.median == texts[(len(texts) + 1) // 2 - 1]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=80))
def test_a_quantile_is_the_shortest_length_that_so_large_a_share_does_not_exceed(texts):
    keys = {"config": "train", "split": "train", "task": "a", "side": "prompt"}
    frame = pl.DataFrame({"length": texts}, schema={"length": pl.Int64}).group_by("length").len("pairs")
    counts = frame.select(
        *(pl.lit(value).alias(key) for key, value in keys.items()), "length", pl.col("pairs").cast(pl.Int64)
    )
    whole, one = lengths(counts, "tokens", order=[("train", "train")])
    assert {**asdict(whole), "task": "a"} == asdict(one)
    for share, said in (
        (0.05, one.p5),
        (0.25, one.p25),
        (0.5, one.median),
        (0.75, one.p75),
        (0.95, one.p95),
        (0.99, one.p99),
    ):
        enough = [length for length in sorted(texts) if sum(other <= length for other in texts) >= share * len(texts)]
        assert said == enough[0]


def test_ledgers_and_losses_are_those_of_the_manifest(folder, found):
    manifest = read_manifest(folder)
    for ledger in found.ledgers:
        said = manifest.tasks[ledger.task].splits[ledger.split].ledger
        assert ledger.read == ledger.used + ledger.not_drawn + ledger.skipped + ledger.rejected + ledger.removed
        assert (ledger.read, ledger.pairs, ledger.shortened) == (said.read, sum(said.pairs.values()), said.shortened)
    assert {(loss.what, loss.reason): loss.count for loss in found.losses if loss.task == "verdicts"} == {
        ("rejected", "key: missing"): 1,
        ("rejected", "label: not one of the labels"): 1,
        ("removed", "another row before it has the same key"): 1,
    }
    (shortened,) = [ledger.shortened for ledger in found.ledgers if ledger.task == "verdicts"]
    assert shortened > 0
    assert [share.task for share in found.shares] == ["recitals", "verdicts"]
    assert sum(share.expected for share in found.shares) == pytest.approx(1)


def test_training_rows_that_share_text_with_held_out_rows_are_told(tmp_path):
    mixture(tmp_path).build(tmp_path / "out")
    assert stats(tmp_path / "out").overlaps == [Overlap("held", "trained", "exact", 5)]
    shown = [line.split() for line in command("stats", tmp_path / "out").out.splitlines()]
    assert ["held", "trained", "exact", "5"] in shown


def test_rows_are_the_same_however_many_are_told_apart_at_once(folder, found, monkeypatch):
    assert ROWS_AT_ONCE > 7
    monkeypatch.setattr("instruction_kit.built.pairs.ROWS_AT_ONCE", 7)
    assert stats(folder) == found


# --- tokens -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory, folder) -> Path:
    """Of a toy model, trained on the pairs themselves."""
    from instruction_kit.training.toy import make_toy

    where = tmp_path_factory.mktemp("toy")
    make_toy(where, texts=pairs(folder)["prompt"].to_list())
    return Path(where)


def test_lengths_in_tokens_are_those_of_the_texts_apart_without_special_tokens(folder, tokenizer):
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(tokenizer)
    told = [one for one in stats(folder, tokenizer=str(tokenizer)).lengths if one.unit == "tokens"]
    assert len(told) == len(stats(folder).lengths)
    frame = pairs(folder)
    for side in ("prompt", "completion"):
        (one,) = [one for one in told if (one.split, one.task, one.side) == ("train", None, side)]
        texts = [len(loaded(text, add_special_tokens=False)["input_ids"]) for text in frame[side]]
        assert (one.min, one.max) == (min(texts), max(texts))
        assert one.mean == pytest.approx(sum(texts) / len(texts))


def test_a_tokenizer_that_is_none_is_refused(folder, tmp_path):
    mend = "name a repository or a folder of one"
    told = f"tokenizer {tmp_path / 'no'}: cannot be loaded: no such folder; {mend}"
    assert refused("stats", folder, "--tokenizer", tmp_path / "no") == told
    assert refused("stats", folder, "--tokenizer", tmp_path).startswith(f"tokenizer {tmp_path}: cannot be loaded: ")


# --- the command ------------------------------------------------------------------------------------------------------


def test_json_holds_every_record(folder, found):
    code, out, err = command("stats", folder, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads(json.dumps(asdict(found)))


def test_the_tables_fit_80_columns(folder):
    told = on_a_terminal("stats", folder)
    assert max(len(line.rstrip()) for line in told) <= 80
    titles = ["Splits", "Training pairs by task", "Training pairs by cluster", "Training pairs by setting"]
    titles += [
        "Training pairs by template",
        "Lengths",
        "Where the rows of the sources went",
        "What is not there, and why",
    ]
    assert [line.rstrip() for line in told if line.rstrip() in titles] == titles


def test_a_program_reads_whole_names_and_numbers(folder, found):
    told = [line.split() for line in command("stats", folder).out.splitlines()]
    for part in found.composition:
        if part.by == "split":
            assert [part.config, part.split, f"{part.pairs:,}", f"{part.rows:,}"] in told
        elif part.split == "train" and part.by == "template":
            assert [part.name, f"{part.pairs:,}", f"{part.rows:,}", f"{part.share:.1%}"] in told


def test_many_reasons_are_cut_short_and_said_to_be(folder, monkeypatch):
    monkeypatch.setattr("instruction_kit.cli.stats.MAX_REASONS", 1)
    assert command("stats", folder).out.splitlines()[-1].split() == ["2", "more", "see", "--json", "2"]


def test_what_left_is_told(tmp_path):
    for name in ("apples", "berries", "cherries"):
        path = task_file(tmp_path, name, train=lines(9))
        if name != "cherries":
            path.write_text(path.read_text().replace('license="mit"', 'license="mit", families=["orchard"]'))
    Mixture(tasks=["sorting"], paths=[tmp_path], hold_out=["apples"]).build(tmp_path / "out")
    told = "left out: berries (berries -> apples (family orchard))"
    assert command("stats", tmp_path / "out").out.splitlines()[-1].rstrip() == told


def test_a_file_that_is_missing_points_to_verify(folder, tmp_path):
    copy = Path(shutil.copytree(folder, tmp_path / "out"))
    (copy / "train/train-00000-of-00001.parquet").unlink()
    assert refused("stats", copy) == (
        f"{copy}/train/train-00000-of-00001.parquet: is missing; instruction-kit verify {copy} tells what is wrong"
    )
    (copy / "train/train-00000-of-00001.parquet").write_bytes(b"no Parquet at all")
    assert refused("stats", copy).startswith(f"{copy}: its pairs cannot be read (")


# --- the picture ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_a_picture_is_drawn_and_the_same_each_time(suffix, begins, folder, tmp_path):
    for name in ("one", "two"):
        assert command("stats", folder, "--picture", tmp_path / f"{name}{suffix}").code == 0
    first = (tmp_path / f"one{suffix}").read_bytes()
    assert first.startswith(begins)
    assert first == (tmp_path / f"two{suffix}").read_bytes()


def test_a_picture_names_every_task_and_split(folder, tmp_path):
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none"}):
        command("stats", folder, "--picture", tmp_path / "picture.svg")
    text = (tmp_path / "picture.svg").read_text(encoding="utf-8")
    for words in ("recitals", "verdicts", "judging", "held · test", "train · prompt", "What the mixture holds"):
        assert f"<!-- {words} -->" in text or words in text


def test_a_picture_that_cannot_be_is_refused_before_anything_is_counted(folder, tmp_path):
    assert (
        refused("stats", folder, "--picture", tmp_path / "a.jpg")
        == f"{tmp_path / 'a.jpg'}: a picture is a .png or an .svg file"
    )
    assert refused("stats", folder, "--picture", tmp_path / "no/a.png") == (
        f"{tmp_path / 'no/a.png'}: the folder {tmp_path / 'no'} does not exist; make it, or name another file"
    )


@pytest.mark.parametrize(
    ("package", "arguments", "feature"),
    [
        ("matplotlib", ["--picture", "picture.png"], "a picture (matplotlib)"),
        ("transformers", ["--tokenizer", "some/model"], "lengths in tokens (transformers)"),
    ],
)
def test_a_missing_extra_names_its_install_line(package, arguments, feature, folder):
    code = f"import sys; sys.modules[{package!r}] = None\nfrom instruction_kit.cli import main\nmain()"
    line: list[Any] = [sys.executable, "-c", code, "stats", folder, *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {feature} needs the extra `tune`: pip install 'instruction-kit[tune]'\n"
