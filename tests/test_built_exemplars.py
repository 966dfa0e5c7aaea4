"""`verify` of few-shot pairs: what stands before a question is its exemplars, and none of them is measured."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_task import built, claims, phrasings, verdicts

from instruction_kit.build.commit import file_hash, write_table
from instruction_kit.built.verify import verify
from instruction_kit.render.pair import PAIR_SCHEMA

TRAIN, VALIDATION = (f"train/{split}-00000-of-00001.parquet" for split in ("train", "validation"))


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("shots")
    options = {"settings": {"few_shot.options": 1, "zero_shot.options": 1}, "exemplars": {"num": [2, 3]}}
    paths = phrasings(made / "paths", {"verdict/ask": "{{ claim }}\n\n{{ options }}\n|||\n{{ answer }}"})
    built(made / "out", paths, verdicts(claims(60)), num_validation=5, **options)
    return Path(made / "out")


def told(sound: Path, folder: Path, shots: str, **values: Any) -> set[str]:
    """What is said of the first row of a setting once it has other values."""
    path = Path(shutil.copytree(sound, folder / "out")) / TRAIN
    frame = pl.read_parquet(path)
    number = frame["setting"].to_list().index(f"{shots}.options")
    rows = frame.to_dicts()
    rows[number] |= {name: change(rows[number][name]) for name, change in values.items()}
    write_table(path, pl.DataFrame(rows, schema=frame.schema).to_arrow().cast(PAIR_SCHEMA))
    manifest = path.parents[1] / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    next(shard for shard in content["shards"] if shard["path"] == TRAIN)["sha256"] = file_hash(path)
    manifest.write_text(json.dumps(content), encoding="utf-8")
    lines = verify(path.parents[1]).problems
    return {line.partition("): ")[2] or line for line in lines}


def test_a_folder_as_it_was_built_is_sound(sound):
    assert verify(sound).problems == ()


def renamed(name: str) -> Any:
    return lambda said: [{**said[0], "row": name}, *said[1:]]


@pytest.mark.parametrize(
    ("shots", "values", "what"),
    [
        ("few_shot", {"exemplars": lambda _: []}, "its setting shows exemplars, and it has none"),
        ("zero_shot", {"setting": lambda _: "few_shot.options"}, "its setting shows exemplars, and it has none"),
        ("few_shot", {"setting": lambda _: "zero_shot.options"}, "it has exemplars, and its setting shows none"),
        ("few_shot", {"exemplars": lambda said: [said[0]] * 2}, "an exemplar stands in it twice"),
        ("few_shot", {"exemplars": lambda said: said[1:]}, "what stands before its question is not its exemplars"),
        ("few_shot", {"exemplars": lambda said: said[::-1]}, "what stands before its question is not its exemplars"),
        ("few_shot", {"question_start": lambda said: said - 1}, "what stands before its question is not its exemplars"),
        ("few_shot", {"question_start": lambda _: 0}, "what stands before its question is not its exemplars"),
        ("few_shot", {"prompt": lambda said: f"!{said}"}, "what stands before its question is not its exemplars"),
        (
            "few_shot",
            {"exemplars": lambda said: [{**one, "prompt": one["prompt"].strip()} for one in said]},
            "an exemplar's prompt does not end with the joiner",
        ),
        ("few_shot", {"exemplars": lambda said: said[:1]}, "manifest.json: verdicts: pairs with exemplars"),
    ],
)  # fmt: skip
def test_each_thing_that_is_wrong_with_exemplars_is_named(shots, values, what, sound, tmp_path):
    assert [line for line in told(sound, tmp_path, shots, **values) if line.startswith(what)]


def test_a_row_that_is_its_own_exemplar_is_named(sound, tmp_path):
    frame = pl.read_parquet(sound / TRAIN)
    row = frame.filter(setting="few_shot.options")["row"][0]
    assert "it is an exemplar of itself" in told(sound, tmp_path, "few_shot", exemplars=renamed(row))


def test_an_exemplar_that_is_measured_is_named(sound, tmp_path):
    row = pl.read_parquet(sound / VALIDATION)["row"][0]
    assert "it shows an exemplar that is measured" in told(sound, tmp_path, "few_shot", exemplars=renamed(row))
