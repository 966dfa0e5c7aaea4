"""Which pairs of a built folder are measured, and what is said where there are none."""

import hashlib
from pathlib import Path
from typing import Any, get_origin

import polars as pl
import pytest

from instruction_kit.build.manifest import FORMAT_VERSION, Manifest, Shard
from instruction_kit.errors import BuildError, EvaluationError
from instruction_kit.evaluation.folder import read_pairs

COLUMNS = pl.Schema(
    {
        **dict.fromkeys(
            ["prompt", "completion", "task", "cluster", "template", "setting", "split", "row", "group"], pl.String()
        ),
        **dict.fromkeys(["round", "question_start", "answer_start", "answer_end"], pl.Int64()),
        "inverted": pl.Boolean(),
        **dict.fromkeys(["options", "references", "candidates"], pl.List(pl.String())),
        "gold": pl.List(pl.Int64()),
        "exemplars": pl.List(pl.Struct({"row": pl.String(), "prompt": pl.String(), "completion": pl.String()})),
        "turns": pl.List(pl.Struct({"role": pl.String(), "content": pl.String()})),
    }
)
"""The columns of a built mixture."""
NLI = ["yes", "no", "it is not possible to tell"]
Pair = dict[str, Any]


def pair(task: str, row: int, prompt: str, **values: Any) -> Pair:
    candidates = values.get("candidates", [])
    gold = values.get("gold", [])
    completion = values.pop("completion", None) or candidates[gold[0]]
    return {
        "prompt": f"{prompt}\n",
        "completion": completion,
        "task": task,
        "cluster": "natural_language_inference",
        "template": "nli/one",
        "setting": "zero_shot.options",
        "split": "test",
        "row": f"test {row}",
        "group": "",
        "round": 0,
        "question_start": 0,
        "answer_start": 0,
        "answer_end": len(completion),
        "inverted": False,
        "options": candidates,
        "references": [completion],
        "candidates": candidates,
        "gold": gold,
        "exemplars": [],
        "turns": None,
        **values,
    }


def snli(num_rows: int = 6, *, split: str = "test") -> list[Pair]:
    """A task with classes, under two templates."""
    return [
        pair("snli", row, words.format(row), split=split, candidates=NLI, gold=[row % 3], template=template)
        for row in range(num_rows)
        for template, words in (("nli/one", "{} dogs run. Is it so that a dog runs?"), ("nli/two", "True? {} dogs"))
    ]


def copa(num_rows: int = 5) -> list[Pair]:
    """A task whose rows have options of their own, of several numbers and lengths; the last row has two right ones."""
    options = ["the man was tired", "he fell", "it", "a long day of work and then of rest"]
    return [
        pair(
            "copa",
            row,
            f"Why did he {'very ' * row}sleep?",
            candidates=options[: 2 + row % 3],
            gold=[0, 1] if row == num_rows - 1 else [row % 2],
            cluster="commonsense",
            template="choice/why",
        )
        for row in range(num_rows)
    ]


def sums(num_rows: int = 4) -> list[Pair]:
    """A task without options."""
    return [
        pair("sums", row, f"{row} + 1 =", completion=str(row + 1), cluster="math", template="math/plain")
        for row in range(num_rows)
    ]


def write_folder(folder: Path, splits: dict[tuple[str, str], list[Pair]]) -> Path:
    """Write a built mixture: (config, split) -> pairs."""
    shards = []
    for (config, split), pairs in splits.items():
        path = folder / config / f"{split}-00000-of-00001.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(pairs, schema=COLUMNS).write_parquet(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        name = path.relative_to(folder).as_posix()
        shards.append(
            Shard.model_validate({"path": name, "config": config, "split": split, "rows": len(pairs), "sha256": digest})
        )
    sizes: dict[str, dict[str, int]] = {"train": {}, "held_out": {}}
    for (config, split), pairs in splits.items():
        sizes[config][split] = len(pairs)
    needed = {
        "format_version": FORMAT_VERSION,
        "fingerprint": "f" * 64,
        "mixture": {"joiner": "\n"},
        "splits": sizes,
        "shards": shards,
    }
    unread = {name: of.annotation for name, of in Manifest.model_fields.items() if name not in needed}
    empty = {name: (get_origin(kind) or kind)() for name, kind in unread.items() if kind is not None}
    manifest = Manifest.model_validate({**empty, **needed})
    (folder / "manifest.json").write_text(manifest.model_dump_json(), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_folder(
        tmp_path_factory.mktemp("built"),
        {
            ("held_out", "snli__test"): snli(),
            ("held_out", "snli__validation"): snli(3, split="validation"),
            ("held_out", "sums__train"): [{**of, "split": "train"} for of in sums()],
            ("train", "train"): copa(5),
            ("train", "seen"): copa(4),
        },
    )


def test_held_out_is_the_test_split_of_each_task_and_another_where_there_is_none(folder):
    pairs = read_pairs(folder, split="held_out")
    assert set(pairs.select("task", "split").iter_rows()) == {("snli", "test"), ("sums", "train")}
    assert pairs.height == 2 * 6 + 4
    assert pairs["measured_split"].unique().to_list() == ["held_out"]


def test_seen_is_the_split_of_that_name_in_the_order_of_the_file(folder):
    pairs = read_pairs(folder, split="seen")
    assert pairs["row"].to_list() == ["test 0", "test 1", "test 2", "test 3"]


def test_a_number_of_rows_holds_for_each_task_under_all_its_templates_and_grows_by_adding(folder):
    chosen = {}
    for number in (2, 3):
        pairs = read_pairs(folder, split="held_out", rows_per_task=number)
        rows = pairs.filter(task="snli").group_by("row").len()
        assert rows["len"].to_list() == [2] * number
        assert pairs.filter(task="sums").height == number
        chosen[number] = set(rows["row"])
    assert chosen[2] < chosen[3]
    assert read_pairs(folder, split="held_out", rows_per_task=99).equals(read_pairs(folder, split="held_out"))


def test_a_split_without_rows_says_why_and_names_the_others(folder):
    with pytest.raises(EvaluationError) as caught:
        read_pairs(folder, split="validation")
    assert str(caught.value) == (
        f"{folder}: split validation has no rows; it was built without them: build it with `num_validation` above 0; "
        "there is --split held_out and --split seen"
    )


def test_a_mixture_that_holds_nothing_out_says_so(tmp_path):
    write_folder(tmp_path, {("train", "seen"): copa()})
    with pytest.raises(EvaluationError, match=r"name clusters or tasks in its `hold_out`; there is --split seen"):
        read_pairs(tmp_path, split="held_out")


def test_a_folder_that_is_not_built_says_how_to_build_it(tmp_path):
    with pytest.raises(BuildError, match=r"no manifest.json.* build it with: instruction-kit build MIXTURE.yaml"):
        read_pairs(tmp_path, split="held_out")


def test_a_file_that_is_gone_changed_or_of_another_shape_is_named(tmp_path):
    write_folder(tmp_path, {("held_out", "snli__test"): snli()})
    path = tmp_path / "held_out" / "snli__test-00000-of-00001.parquet"
    whole = pl.read_parquet(path)
    whole.head(3).write_parquet(path)
    with pytest.raises(EvaluationError, match=r"snli__test-.*: 3 rows, manifest.json says 12; it was changed"):
        read_pairs(tmp_path, split="held_out")
    whole.drop("gold").with_columns(pl.col("round").cast(pl.String)).write_parquet(path)
    with pytest.raises(
        EvaluationError, match="columns that are missing or of another type: round, gold; the folder is"
    ):
        read_pairs(tmp_path, split="held_out")
    path.unlink()
    with pytest.raises(EvaluationError, match=r"manifest\.json lists this file and it is not there"):
        read_pairs(tmp_path, split="held_out")
