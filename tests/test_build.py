"""A built folder: what lies in it, and that the same mixture over the same data gives the same bytes anywhere."""

import getpass
import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from binomial import binomial_bounds
from small_task import built, claims, contents, lines, pairs, phrasings, recitals, task_file, verdicts

from instruction_kit import Mixture
from instruction_kit.build import shard as build_shard
from instruction_kit.build.manifest import Manifest, read_manifest
from instruction_kit.errors import BuildError, MixtureError
from instruction_kit.render.pair import PAIR_SCHEMA
from instruction_kit.source import row as source_row

SAMPLES: dict[str, Any] = {"data": "sample", "num_validation": 4, "num_held_out": 6}


def samples(**options: Any) -> Mixture:
    """Tasks of every schema from the shipped samples."""
    names = ["rte", "cb", "sst2", "piqa", "squad", "samsum", "gsm8k"]
    values = {"tasks": names, "hold_out": ["natural_language_inference"], "budget": {"characters": 2_000}}
    return Mixture(**{**SAMPLES, **values, **options})


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out: Path = tmp_path_factory.mktemp("built") / "out"
    samples().build(out)
    return out


@pytest.fixture(scope="module")
def manifest(folder) -> Manifest:
    return read_manifest(folder)


# --- what lies in it --------------------------------------------------------------------------------------------------


def test_the_folder_holds_the_manifest_the_card_and_the_shards_that_they_name(folder, manifest):
    assert set(contents(folder)) == {"README.md", "manifest.json", *(shard.path for shard in manifest.shards)}
    assert {shard.path.split("/")[0] for shard in manifest.shards} == {"train", "held_out", "rejected"}


def test_load_dataset_reads_every_config_and_every_split(folder, manifest):
    for config, splits in manifest.splits.items():
        if not any(splits.values()):
            continue
        read = datasets.load_dataset(str(folder), config)
        assert {split: rows.num_rows for split, rows in read.items()} == {s: n for s, n in splits.items() if n}
    assert set(datasets.load_dataset(str(folder))) == {"train", "validation", "seen"}  # the default config
    assert {"train", "validation", "seen"} == set(manifest.splits["train"])
    assert {"cb__validation", "rte__validation"} == set(manifest.splits["held_out"])


def test_every_pair_file_has_the_one_schema(folder, manifest):
    shards = [shard for shard in manifest.shards if shard.config != "rejected"]
    assert len(shards) == 5
    for shard in shards:
        file = pq.ParquetFile(folder / shard.path)
        assert file.schema_arrow.remove_metadata() == PAIR_SCHEMA
        assert file.metadata.num_rows == shard.rows


def test_load_dataset_gives_the_rows_of_the_files(folder):
    read = datasets.load_dataset(str(folder), "held_out")["cb__validation"]
    assert read.to_list() == pairs(folder, "cb__validation", "held_out").to_dicts()


def test_a_mixture_in_memory_holds_the_rows_of_the_folder(folder, manifest):
    made = samples().dataset()
    assert {config: set(splits) for config, splits in made.items()} == {
        config: set(manifest.splits[config]) for config in ("train", "held_out")
    }
    for config, splits in made.items():
        for split, rows in splits.items():
            assert rows.data.table.cast(PAIR_SCHEMA).equals(pairs(folder, split, config).to_arrow().cast(PAIR_SCHEMA))


def test_every_pair_says_where_it_is_from(folder, manifest):
    for split in ("train", "validation", "seen"):
        made = pairs(folder, split)
        assert set(made["task"]) <= {name for name, task in manifest.tasks.items() if task.role == "train"}
        assert set(made["setting"]) == {"zero_shot.options"}
        assert made.null_count().drop("turns").sum_horizontal().item() == 0
        assert made["turns"].null_count() == made.height
        assert all(prompt.endswith("\n") for prompt in made["prompt"])
    held = pairs(folder, "rte__validation", "held_out")
    assert (set(held["task"]), set(held["split"]), set(held["cluster"])) == (
        {"rte"},
        {"validation"},
        {"natural_language_inference"},
    )


def test_a_split_without_rows_is_0_in_the_manifest_and_not_in_the_card(tmp_path):
    made = built(tmp_path / "out", phrasings(tmp_path / "paths"), recitals(5))
    assert made.splits == {
        "train": {"train": 5, "validation": 0, "seen": 0},
        "held_out": {},
        "rejected": {"recitals": 0},
        "overlap": {"overlap": 0},
        "duplicates": {"duplicates": 0},
    }
    assert set(contents(tmp_path / "out")) == {"README.md", "manifest.json", "train/train-00000-of-00001.parquet"}
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "split: validation" not in card
    assert "config_name: held_out" not in card
    assert set(datasets.load_dataset(str(tmp_path / "out"), "train")) == {"train"}


def test_the_manifest_holds_the_text_of_every_template_that_was_used_and_of_no_other(folder, manifest):
    shards = [shard.path for shard in manifest.shards if shard.config != "rejected"]
    assert set(manifest.templates) == {name for path in shards for name in pl.read_parquet(folder / path)["template"]}
    assert manifest.templates["math_word_problem/result_only"].text.startswith("{{ question }}")


def test_expected_shares_are_what_the_pairs_are_made_by_and_realised_ones_are_counted(folder, manifest):
    train = pairs(folder)
    shares = {name: task.realised_share for name, task in manifest.tasks.items() if task.role == "train"}
    assert shares == pytest.approx(
        {name: count / train.height for name, count in train.group_by("task").len().iter_rows()}
    )
    assert sum(task.expected_share for task in manifest.tasks.values()) == pytest.approx(1)


# --- the same bytes ---------------------------------------------------------------------------------------------------


def test_the_same_mixture_gives_the_same_bytes_in_another_folder(folder, tmp_path):
    samples().build(tmp_path / "somewhere else" / "deeper")
    assert contents(tmp_path / "somewhere else" / "deeper") == contents(folder)


def test_with_another_cache_and_its_tasks_in_another_order(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTION_KIT_CACHE", str(tmp_path / "cache"))
    samples(tasks=["samsum", "gsm8k", "squad", "rte", "piqa", "cb", "sst2"]).build(tmp_path / "out")
    assert contents(tmp_path / "out") == contents(folder)
    assert any((tmp_path / "cache" / "scans").iterdir())


def test_in_another_process_at_another_time_and_place(folder, tmp_path, monkeypatch):
    code = (
        "from instruction_kit import Mixture\n"
        "Mixture(tasks=['rte', 'cb', 'sst2', 'piqa', 'squad', 'samsum', 'gsm8k'], data='sample', num_validation=4, "
        "num_held_out=6, hold_out=['natural_language_inference'], budget={'characters': 2000}).build('out')"
    )
    for name, value in {"PYTHONHASHSEED": "12", "TZ": "Asia/Tokyo", "POLARS_MAX_THREADS": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("INSTRUCTION_KIT_CACHE", str(tmp_path / "cache"))
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert contents(tmp_path / "out") == contents(folder)


def test_a_task_object_too_gives_the_same_bytes_in_another_process(tmp_path, monkeypatch):
    """Its mapping holds functions and expressions, which have addresses."""
    code = (
        "import sys, pathlib\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from small_task import built, claims, verdicts\n"
        "built(pathlib.Path(sys.argv[1]), pathlib.Path('paths'), verdicts(claims(20), skip=None), num_validation=3)\n"
    )
    paths = phrasings(tmp_path / "paths")
    subprocess.run([sys.executable, "-c", code, "there"], cwd=tmp_path, check=True)
    built(tmp_path / "here", paths, verdicts(claims(20)), num_validation=3)
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_another_seed_gives_other_pairs_of_the_same_shares(folder, tmp_path):
    made = samples(seed=1).build(tmp_path / "out")
    assert pairs(tmp_path / "out")["prompt"].to_list() != pairs(folder)["prompt"].to_list()
    assert {n: t.expected_share for n, t in made.tasks.items()} == {
        n: t.expected_share for n, t in read_manifest(folder).tasks.items()
    }


def test_no_file_holds_a_path_a_host_or_a_user(tmp_path):
    task_file(tmp_path / "mine", "lines", train=lines(30), test=lines(8))
    mixture = Mixture(tasks=["lines", "sst2"], paths=[tmp_path / "mine"], hold_out=["sst2"])
    mixture = mixture.model_copy(update={"tasks": ("lines", verdicts(claims(9), name="held")), "hold_out": ("held",)})
    paths = phrasings(tmp_path / "phrasings")
    mixture.model_copy(update={"paths": (*mixture.paths, paths)}).build(tmp_path / "out")
    unwanted = {str(tmp_path), str(Path.home()), socket.gethostname(), str(Path(__file__).parents[1])}
    unwanted |= {name for name in (getpass.getuser(),) if name != "root"}  # a word of templates and rows
    said = contents(tmp_path / "out")
    for name, data in said.items():
        text = "" if name.endswith(".parquet") else data.decode("utf-8")
        if not text:  # in packed bytes a short name would stand by chance
            text = json.dumps(pl.read_parquet(tmp_path / "out" / name).to_dicts(), ensure_ascii=False)
            text += str(pq.read_metadata(tmp_path / "out" / name).to_dict())
        assert [word for word in unwanted if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)] == [], name
    assert len(said) == 7


# --- shards and batches -----------------------------------------------------------------------------------------------


def test_several_shards_one_after_another_are_the_mixture_in_its_order(tmp_path, monkeypatch):
    paths = phrasings(tmp_path / "paths")
    tasks = [verdicts(claims(n), name=f"v{n}", cluster=f"c{n}") for n in (300, 900)]
    tasks.append(verdicts({"test": claims(50)}, name="held", cluster="held"))
    options: dict[str, Any] = {"num_validation": 20, "hold_out": ["held"]}
    built(tmp_path / "one", paths, *tasks, **options)
    monkeypatch.setattr(build_shard, "SHARD_PAIRS", 100)
    made = built(tmp_path / "many", paths, *tasks, **options)
    for config, splits in {"train": ["train", "validation", "seen"], "held_out": ["held__test"]}.items():
        for split in splits:
            assert pairs(tmp_path / "many", split, config).equals(pairs(tmp_path / "one", split, config)), split
    train = [shard for shard in made.shards if shard.split == "train"]
    assert len(train) == 12  # 1,160 pairs
    assert [shard.path for shard in train] == [f"train/train-{number:05d}-of-00012.parquet" for number in range(12)]
    for shard in train:
        found = pl.read_parquet(tmp_path / "many" / shard.path)
        low, high = binomial_bounds(found.height, 280 / 1160)
        assert low <= found.filter(pl.col("task") == "v300").height <= high


def test_the_size_of_batches_changes_nothing(tmp_path, monkeypatch):
    """Rows that cannot be read, or whose values are of another type than most, are found wherever a batch ends."""
    rows = lines(60).split("\n")
    rows[3], rows[17], rows[31], rows[44] = (
        "not JSON",
        '{"text": 5, "label": 1}',
        '{"label": 1}',
        '{"text": "x", "label": 7}',
    )
    task_file(tmp_path / "mine", "lines", train="\n".join(rows), test=lines(9))
    mixture = Mixture(tasks=["lines"], paths=[tmp_path / "mine"], num_validation=5)
    mixture.build(tmp_path / "one")
    ledger = read_manifest(tmp_path / "one").tasks["lines"].splits["train"].ledger
    assert (ledger.read, sum(ledger.rejected.values())) == (60, 4 + 8)
    for number, size in enumerate((1, 2, 7, 59)):
        monkeypatch.setattr(source_row, "BATCH_ROWS", size)
        monkeypatch.setattr(build_shard, "BATCH_PAIRS", size)
        monkeypatch.setenv("INSTRUCTION_KIT_CACHE", str(tmp_path / f"cache {number}"))
        mixture.build(tmp_path / f"batches of {size}")
        assert contents(tmp_path / f"batches of {size}") == contents(tmp_path / "one")


def test_row_groups_change_the_work_and_not_the_rows(tmp_path):
    """Rows are named by their place in the file, so they are the same rows however the file is cut."""
    made = []
    for name, size in (("whole", 100), ("cut", 11)):
        path = task_file(tmp_path / name, "lines", train="")
        path.write_text(
            path.read_text(encoding="utf-8").replace("lines.train.jsonl", "lines.parquet"), encoding="utf-8"
        )
        frame = pl.DataFrame({"text": [f"line {n}" for n in range(100)], "label": [n % 2 for n in range(100)]})
        pq.write_table(frame.to_arrow(), path.with_name("lines.parquet"), row_group_size=size)
        Mixture(tasks=["lines"], paths=[tmp_path / name], num_validation=10).build(tmp_path / f"out {name}")
        made.append([pairs(tmp_path / f"out {name}", split) for split in ("train", "validation", "seen")])
    assert all(one.equals(other) for one, other in zip(*made, strict=True))


# --- what is refused --------------------------------------------------------------------------------------------------


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("three years", encoding="utf-8")
    with pytest.raises(BuildError, match=r": holds other files; name an empty folder or a new one$"):
        samples().build(tmp_path)
    assert set(contents(tmp_path)) == {"thesis.txt"}
    with pytest.raises(BuildError, match=r"thesis\.txt: is a file; name a folder$"):
        samples().build(tmp_path / "thesis.txt")
    with pytest.raises(BuildError, match=r"cannot be written"):
        samples().build(tmp_path / "thesis.txt" / "out")


def test_a_task_cannot_be_called_as_load_dataset_calls_all_splits(tmp_path):
    with pytest.raises(MixtureError, match=r"^tasks: one is called all, which `load_dataset` takes for every split"):
        built(tmp_path / "out", phrasings(tmp_path / "paths"), recitals(4, name="all"))


def test_progress_is_shown_on_standard_error_and_only_where_it_is_asked_for(tmp_path, capsys):
    mixture = Mixture(tasks=[recitals(4)], paths=[phrasings(tmp_path / "paths")])
    mixture.build(tmp_path / "silent")
    assert capsys.readouterr() == ("", "")
    mixture.build(tmp_path / "shown", progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [word for word in ("scan", "render", "shard") if word in shown.err] == ["scan", "render", "shard"]


def test_an_empty_folder_is_taken(tmp_path):
    built(tmp_path / "out", phrasings(tmp_path / "paths"), recitals(4))
    (tmp_path / "empty").mkdir()
    built(tmp_path / "empty", tmp_path / "paths", recitals(4))
    assert contents(tmp_path / "empty") == contents(tmp_path / "out")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format_version": 99}', '{"format_version": 1}'])
def test_a_manifest_that_is_none_is_an_error_and_not_a_crash(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(BuildError, match=r"manifest\.json: (not a manifest|format_version)"):
        read_manifest(tmp_path)
    with pytest.raises(BuildError, match=r"manifest\.json: (not a manifest|format_version)"):
        samples().build(tmp_path)
    assert set(contents(tmp_path)) == {"manifest.json"}


def test_a_folder_without_a_manifest_says_how_to_build_it(tmp_path):
    with pytest.raises(
        BuildError, match=r"no manifest\.json, so this is no built mixture or its build has not ended; build"
    ):
        read_manifest(tmp_path)


def test_tables_of_the_folder_have_no_pandas_or_writer_notes(folder, manifest):
    """Metadata beyond the schema would tell which programs wrote it."""
    for shard in manifest.shards:
        keys = set(pq.ParquetFile(folder / shard.path).schema_arrow.metadata or {})
        assert keys <= {b"ARROW:schema"}, shard.path
    assert isinstance(PAIR_SCHEMA, pa.Schema)
