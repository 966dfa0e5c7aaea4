"""`verify`: a folder as it was built is sound; each file that is not as it was is named, and the command tells all."""

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from command import command
from hypothesis import given, settings
from hypothesis import strategies as st
from verified import HELD, REJECTED, SEEN, TRAIN, VALIDATION, copy_of, manifest, problems, sound

from instruction_kit import Mixture
from instruction_kit.build.commit import write_table
from instruction_kit.built.verify import verify
from instruction_kit.render.pair import PAIR_SCHEMA


@pytest.fixture
def folder(tmp_path) -> Path:
    """A copy to tamper with."""
    return copy_of(sound(), tmp_path / "out")


def test_a_folder_as_it_was_built_is_sound():
    verdict = verify(sound())
    assert (verdict.files, verdict.whole, verdict.problems, verdict.num_problems) == (5, True, (), 0)
    assert verdict.pairs == sum(pl.read_parquet(sound() / file).height for file in (TRAIN, VALIDATION, SEEN, HELD))


def test_the_shipped_samples_build_a_sound_folder(tmp_path):
    names = ("options", "no_options", "no_options.inverted", "no_options.cot")
    weights = {f"zero_shot.{name}": 1 for name in names}
    Mixture(data="sample", hold_out=["natural_language_inference"], phrasings=3, settings=weights).build(
        tmp_path / "out"
    )
    assert problems(tmp_path / "out") == []


def test_what_git_and_the_hub_keep_beside_the_data_is_no_extra_file(folder):
    (folder / ".git").mkdir()
    (folder / ".git/HEAD").touch()
    (folder / ".gitattributes").touch()
    assert problems(folder) == []


def test_a_missing_an_extra_and_an_unfinished_file_are_named(folder):
    (folder / HELD).unlink()
    (folder / "README.md").unlink()
    (folder / "train/more.parquet").touch()
    (folder / ".work/abc").mkdir(parents=True)
    (folder / ".work/abc/identity.json").touch()
    assert problems(folder) == [
        ".work/abc/identity.json: a build into this folder has not ended",
        "train/more.parquet: manifest.json does not list this file",
        "README.md: is missing",
        f"{HELD}: is missing",
    ]
    assert not verify(folder).whole


def test_other_bytes_are_named_though_every_row_is_the_same(folder):
    table = pl.read_parquet(folder / TRAIN).to_arrow().cast(PAIR_SCHEMA)
    write_table(folder / TRAIN, table.replace_schema_metadata({"a": "b"}))
    assert problems(folder) == [f"{TRAIN}: its bytes are not those whose hash stands in manifest.json"]


def test_a_file_that_is_cut_off_is_named(folder):
    (folder / TRAIN).write_bytes((folder / TRAIN).read_bytes()[:-9])
    told = problems(folder)
    assert told[0] == f"{TRAIN}: its bytes are not those whose hash stands in manifest.json"
    assert told[1].startswith(f"{TRAIN}: cannot be read as Parquet: ")
    assert len(told) == 2


@given(st.data())
@settings(max_examples=60)
def test_a_byte_that_flips_anywhere_is_named_with_its_file_and_ends_nothing(data):
    with TemporaryDirectory() as name:
        folder = copy_of(sound(), Path(name) / "out")
        file = data.draw(st.sampled_from([TRAIN, VALIDATION, SEEN, HELD, REJECTED]))
        content = bytearray((folder / file).read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= 1 << data.draw(st.integers(0, 7))
        (folder / file).write_bytes(content)
        assert problems(folder)[0] == f"{file}: its bytes are not those whose hash stands in manifest.json"


@pytest.mark.parametrize("file", [TRAIN, REJECTED])
def test_columns_of_another_kind_are_named(file, folder):
    frame = pl.read_parquet(folder / file).with_columns(task=pl.lit(1), more=pl.lit("x")).drop("row")
    frame.write_parquet(folder / file)
    assert problems(folder)[1:] == [
        f"{file}: column task is Int32, not String",
        f"{file}: lacks the column row",
        f"{file}: has a column more, which none of its kind has",
    ]


def test_another_number_of_rows_is_named_where_it_is_missed(folder):
    frame = pl.read_parquet(folder / TRAIN)
    dropped = frame.row(frame.height - 1, named=True)
    write_table(folder / TRAIN, frame.head(-1).to_arrow().cast(PAIR_SCHEMA))
    told = problems(folder)
    assert told[:2] == [
        f"{TRAIN}: its bytes are not those whose hash stands in manifest.json",
        f"{TRAIN}: holds {frame.height - 1} rows, manifest.json says {frame.height}",
    ]
    where, count = f"{dropped['task']} train: pairs train", frame.filter(task=dropped["task"]).height
    assert f"manifest.json: {where}: {count}, its files have {count - 1}" in told


def test_a_card_may_be_edited_and_its_configs_may_not(folder):
    card = folder / "README.md"
    card.write_text(card.read_text() + "\nMade for a talk.\n")
    assert problems(folder) == []
    card.write_text(card.read_text().replace("path: train/train-*", "path: train/*"))
    assert problems(folder) == [
        "README.md: the configs at its top are not those of the manifest, so load_dataset reads other files"
    ]
    card.write_text("No front matter.\n")
    assert len(problems(folder)) == 1


def test_the_command_says_that_a_folder_is_sound():
    code, out, err = command("verify", sound())
    assert (code, out) == (
        0,
        f"5 files, {verify(sound()).pairs} pairs: all as the manifest says, both ledgers add up\n",
    )
    assert [line.split()[0] for line in err.splitlines()] == ["files", "pairs"]


def test_the_command_tells_every_problem_and_ends_with_1(folder):
    (folder / "train/[bold]").touch()
    (folder / HELD).unlink()
    code, out, err = command("verify", folder)
    assert code == 1
    assert out.splitlines() == ["train/[bold]: manifest.json does not list this file", f"{HELD}: is missing"]
    assert err.splitlines()[-2:] == [
        "not every file can be read, so the ledgers were not counted again",
        f"5 files, {verify(folder).pairs} pairs, 2 problems",
    ]


def test_a_folder_that_is_no_built_mixture_is_an_error(tmp_path, folder):
    code, out, err = command("verify", tmp_path)
    assert (code, out) == (1, "")
    assert err.startswith(
        f"error: {tmp_path}: no manifest.json, so this is no built mixture or its build has not ended"
    )
    manifest(folder, lambda content: content.update(format_version=99))
    assert command("verify", folder).err.startswith(
        f"error: {folder / 'manifest.json'}: format_version 99, this version"
    )
