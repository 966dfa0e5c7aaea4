"""Each shipped task reads its own `Hub` from a repository in the hub's layout, written from its sample."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import datasets
import polars as pl
import pytest

from instruction_kit import Hub, Task, labels, text
from instruction_kit.build.examples import Mapper
from instruction_kit.build.scan import scan, scan_units
from instruction_kit.errors import SourceError, TaskError
from instruction_kit.library import library_folder
from instruction_kit.schema import Classification
from instruction_kit.source import Sample
from instruction_kit.source.raw import Where
from instruction_kit.task import load_tasks

TASKS = load_tasks([library_folder()])
CONVERTED = "refs/convert/parquet"
MEND = "\n  Mend: check config and split; or build with data: sample"


@dataclass(frozen=True)
class Outcome:
    """What became of the rows of one split: everything but their names, which follow from the file."""

    accepted: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    skipped: int


def outcome(source: Any, task: Task, split: str) -> Outcome:
    mapper = Mapper(task, split)
    parts = [
        mapper.examples(batch, file=part.name)
        for part in source.ranges(split, Where())
        for batch in source.read(part, Where(), task.reads)
    ]
    return Outcome(
        [row for part in parts for row in part.accepted.drop("row", "hash").to_dicts()],
        [row for part in parts for row in part.rejected.select("field", "reason", "value").to_dicts()],
        sum(part.counts["skipped"] for part in parts),
    )


def outcomes(source: Any, task: Task) -> dict[str, Outcome]:
    return {split: outcome(source, task, split) for split in source.split_names}


def class_labels(task: Task, frame: pl.DataFrame) -> dict[str, list[str]]:
    """Columns that the source holds as positions in a list of classes."""
    columns = [column for column in task.mapping.values() if column.source and column.source_names]
    return {c.source: list(c.source_names) for c in columns if c.source and frame.schema[c.source].is_integer()}


def write_repository(task: Task, folder: Path, *, names: dict[str, list[str]] | None = None) -> Path:
    """The sample in the layout in which the hub stores this task's dataset; `names` overrides those of its classes."""
    assert isinstance(task.source, Hub)
    frame = Sample(task.sample_path).frame
    converted = task.source.revision == CONVERTED
    card = ["---", "configs:"]
    for config in task.source.configs or [task.source.data_dir or task.source.config or "default"]:
        card += [f"- config_name: {config}", "  data_files:"]
        of_config = frame.filter(pl.col("config") == config).drop("config") if task.source.configs else frame
        for split, name in task.source.splits.items():
            rows = of_config.filter(pl.col("_split") == split).drop("_split", "_fate", "_index", strict=False)
            data = datasets.Dataset(rows.to_arrow())
            for column, classes in (names or class_labels(task, frame)).items():
                data = data.cast_column(column, datasets.ClassLabel(names=classes))
            path = folder / config / (f"{name}/0000.parquet" if converted else f"{name}-00000-of-00001.parquet")
            path.parent.mkdir(parents=True, exist_ok=True)
            data.to_parquet(path)
            card += [f"  - split: {name}", f"    path: {config}/{name}-*"]
    if not converted:  # the branch of that name holds no card
        (folder / "README.md").write_text("\n".join([*card, "---", ""]), encoding="utf-8")
    return folder


def in_folder(task: Task, folder: Path, **changes: Any) -> Hub:
    """The task's own source, with its id replaced by a folder."""
    assert isinstance(task.source, Hub)
    return Hub(str(folder), **{**task.source.model_dump(exclude={"id"}), **changes})


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    return {name: write_repository(task, tmp_path_factory.mktemp(name)) for name, task in TASKS.items()}


@pytest.mark.parametrize("name", TASKS)
def test_a_repository_gives_the_examples_and_the_fates_of_the_sample(name, repositories):
    task = TASKS[name]
    assert outcomes(in_folder(task, repositories[name]), task) == outcomes(Sample(task.sample_path), task)


@pytest.mark.parametrize("name", TASKS)
def test_a_streamed_repository_gives_the_same(name, repositories):
    task = TASKS[name]
    source = in_folder(task, repositories[name], streaming=True)
    assert outcomes(source, task) == outcomes(Sample(task.sample_path), task)


def test_labels_are_positions_in_classes_that_the_repository_names(repositories):
    labelled: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, task in TASKS.items():
        source = in_folder(task, repositories[name])
        (part, *_) = source.ranges(source.split_names[0], Where())
        (batch, *_) = source.read(part, Where(), None)
        labelled |= {name: dict(batch.class_names)} if batch.class_names else {}
    told = {
        "ag_news": {"label": ("World", "Sports", "Business", "Sci/Tech")},
        "anli_r3": {"label": ("entailment", "neutral", "contradiction")},
        "cb": {"label": ("entailment", "contradiction", "neutral")},
        "cola": {"label": ("unacceptable", "acceptable")},
        "glue_qqp": {"label": ("not_duplicate", "duplicate")},
        "imdb_reviews": {"label": ("neg", "pos")},
        "mnli_matched": {"label": ("entailment", "neutral", "contradiction")},
        "mrpc": {"label": ("not_equivalent", "equivalent")},
        "multirc": {"label": ("False", "True")},
        "paws_wiki": {"label": ("0", "1")},
        "qnli": {"label": ("entailment", "not_entailment")},
        "rte": {"label": ("entailment", "not_entailment")},
        "snli": {"label": ("entailment", "neutral", "contradiction")},
        "sst2": {"label": ("negative", "positive")},
        "wic": {"label": ("False", "True")},
        "wnli": {"label": ("not_entailment", "entailment")},
        "wsc": {"label": ("False", "True")},
        "yelp_polarity_reviews": {"label": ("1", "2")},
    }
    assert told.items() <= labelled.items()


@pytest.mark.parametrize("streaming", [False, True])
def test_classes_in_another_order_are_refused_with_both_orders(streaming, tmp_path):
    order = ["contradiction", "neutral", "entailment"]
    folder = write_repository(TASKS["snli"], tmp_path, names={"label": order})
    with pytest.raises(TaskError) as refused:
        outcomes(in_folder(TASKS["snli"], folder, streaming=streaming), TASKS["snli"])
    assert str(refused.value) == (
        f"{TASKS['snli'].path}: column label of the source has the classes ['contradiction', 'neutral', 'entailment'], "
        "the task says ['entailment', 'neutral', 'contradiction'] for label; "
        "give labels(…, names=['contradiction', 'neutral', 'entailment']) with the classes in that order"
    )


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    "classes",
    [
        {"contradiction": "no", "entailment": "yes"},
        {0: "yes", 2: "no"},
        {"0": "yes", "contradiction": "no"},
    ],
)
def test_a_column_of_classes_can_be_mapped_by_their_names(classes, streaming, tmp_path):
    columns = {"text": "premise", "label": labels("label", classes)}
    task = replace(TASKS["snli"], columns=columns, schema=Classification, answers={}, skip=None)
    found = outcomes(in_folder(TASKS["snli"], write_repository(TASKS["snli"], tmp_path), streaming=streaming), task)
    rows = Sample(TASKS["snli"].sample_path).frame.filter(pl.col("_split") == "train", pl.col("label").is_in([0, 2]))
    expected = {(row["premise"], ["yes", "", "no"][row["label"]]) for row in rows.to_dicts() if row["premise"].strip()}
    assert {(row["text"], row["label"]) for row in found["train"].accepted} == expected
    assert "label: not one of the labels" in {f"{r['field']}: {r['reason']}" for r in found["train"].rejected}


def test_a_class_that_the_column_does_not_have_is_told_with_the_nearest(tmp_path):
    columns = {"text": "premise", "label": labels("label", {"entailmnt": "yes", "contradiction": "no"})}
    task = replace(TASKS["snli"], columns=columns, schema=Classification, answers={})
    with pytest.raises(TaskError) as refused:
        outcomes(in_folder(TASKS["snli"], write_repository(TASKS["snli"], tmp_path)), task)
    assert str(refused.value) == (
        f"{TASKS['snli'].path}: label: labels('label'): the source has no class 'entailmnt'; did you mean entailment?"
    )


def test_a_config_that_is_not_there_is_told_with_those_that_are(repositories):
    source = in_folder(TASKS["snli"], repositories["snli"], config="plain")
    with pytest.raises(SourceError) as refused:
        source.ranges("train", Where())
    assert str(refused.value) == (
        f"Hub({repositories['snli']}, config=plain, revision=main): cannot be read: "
        f"BuilderConfig 'plain' not found. Available: ['plain_text']{MEND}"
    )


@pytest.mark.parametrize(
    ("streaming", "words"),
    [
        (False, "Unknown split \"dev\". Should be one of ['train', 'validation', 'test']."),
        (True, "Bad split: dev. Available splits: ['train', 'validation', 'test']"),
    ],
)
def test_a_split_that_is_not_there_is_told_with_those_that_are(streaming, words, repositories):
    source = in_folder(TASKS["snli"], repositories["snli"], splits={"train": "dev"}, streaming=streaming)
    with pytest.raises(SourceError) as refused:
        source.ranges("train", Where())
    assert str(refused.value) == (
        f"Hub({repositories['snli']}, config=plain_text, revision=main): cannot be read: {words}{MEND}"
    )


@pytest.mark.parametrize("streaming", [False, True])
def test_a_damaged_file_is_an_error_that_names_the_source(streaming, tmp_path):
    folder = write_repository(TASKS["samsum"], tmp_path)
    path = folder / "default" / "train-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SourceError, match=r"cannot be read: .*(?i:parquet)") as refused:
        outcomes(in_folder(TASKS["samsum"], folder, streaming=streaming), TASKS["samsum"])
    assert str(refused.value).startswith(f"Hub({folder}, revision=main): cannot be read: ")


def test_the_content_of_a_folder_is_that_of_its_files_wherever_it_lies(tmp_path):
    sources = [in_folder(TASKS["rte"], write_repository(TASKS["rte"], tmp_path / name)) for name in ("here", "there")]
    here, there = ([part.content for part in source.ranges("train", Where())] for source in sources)
    assert here == there
    assert here != [part.content for part in sources[0].ranges("validation", Where())]


def test_a_long_split_is_read_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("instruction_kit.source.hub.RANGE_ROWS", 10)
    source = in_folder(TASKS["snli"], write_repository(TASKS["snli"], tmp_path))
    parts = source.ranges("train", Where())
    frames = [batch.frame for part in parts for batch in source.read(part, Where(), frozenset({"label"}))]
    assert [part.number for part in parts] == [0, 1, 2]
    assert [frame.columns for frame in frames] == [["label", "_index"]] * 3
    assert pl.concat(frames)["_index"].to_list() == list(range(sum(frame.height for frame in frames)))


def test_an_id_has_a_namespace():
    with pytest.raises(SourceError) as refused:
        Hub("snli", splits={"train": "train"})
    assert str(refused.value) == (
        "Hub(snli): an id is `namespace/name`; a folder is written with its `/`, `./` or `../`"
    )


def test_everything_wrong_with_a_hub_is_told_at_once():
    with pytest.raises(SourceError) as refused:
        Hub("stanfordnlp/snli", splits={"dev": "dev"}, confg="plain_text")
    assert str(refused.value) == (
        "Hub(stanfordnlp/snli): splits.dev: Input should be 'train', 'validation', 'test' or 'exemplars'; "
        "no key confg; did you mean config or configs?"
    )


# --- streams ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def three_files(tmp_path):
    """A split in three files of ten rows, the last of which cannot be read."""
    card = [
        "---",
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        "    path: train-*",
        "---",
    ]
    (tmp_path / "README.md").write_text("\n".join([*card, ""]), encoding="utf-8")
    for number in range(3):
        rows = pl.DataFrame({"text": [f"row {10 * number + place}" for place in range(10)], "stars": [number] * 10})
        rows.write_parquet(tmp_path / f"train-{number}.parquet", row_group_size=5)
    path = tmp_path / "train-2.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    return tmp_path


def streamed(folder, **options):
    return Hub(str(folder), splits={"train": "train"}, streaming=True, **options)


def test_a_stream_is_read_batch_by_batch_and_no_further_than_asked(three_files, monkeypatch):
    monkeypatch.setattr("instruction_kit.source.hub.STREAM_ROWS", 4)
    source = streamed(three_files)
    (part,) = source.ranges("train", Where())
    batches = source.read(part, Where(), frozenset({"text"}))
    first, second = next(batches), next(batches)
    assert first.frame.to_dicts() == [{"_index": n, "text": f"row {n}"} for n in range(4)]
    assert second.frame["_index"].to_list() == [4, 5, 6, 7]
    with pytest.raises(SourceError, match="cannot be read"):
        list(batches)


@pytest.mark.parametrize(("first", "rows"), [(1, 1), (4, 4), (15, 15), (20, 20)])
def test_of_a_stream_the_first_rows_alone_are_ever_asked_for(first, rows, three_files, monkeypatch):
    monkeypatch.setattr("instruction_kit.source.hub.STREAM_ROWS", 4)
    source = streamed(three_files, first=first)
    (part,) = source.ranges("train", Where())
    frame = pl.concat([batch.frame for batch in source.read(part, Where(), None)])
    assert frame["text"].to_list() == [f"row {number}" for number in range(rows)]
    assert frame["_index"].to_list() == list(range(rows))


def test_the_first_rows_of_a_stream_are_another_content_than_all(three_files):
    contents = [
        streamed(three_files, **o).ranges("train", Where())[0].content for o in ({}, {"first": 1}, {"first": 2})
    ]
    assert len(set(contents)) == 3


def test_the_ledger_of_a_stream_counts_the_rows_that_were_read(three_files, tmp_path_factory):
    columns = {"text": text("text"), "label": labels("stars", {0: "bad", 9: "good"})}
    source = streamed(three_files, first=15)
    task = Task(name="stream", cluster="sentiment", schema=Classification, source=source, columns=columns)
    (unit,) = scan_units(task, data="source", data_dir=None)
    done = scan(unit, task=task, root=tmp_path_factory.mktemp("cache"))
    assert (done.source_rows, done.read, done.accepted) == (15, 15, 10)
    assert done.rejected == {"label: not one of the labels": 5}


def test_first_without_a_stream_is_refused():
    with pytest.raises(SourceError) as refused:
        Hub("nyu-mll/glue", splits={"train": "train"}, first=10)
    assert str(refused.value) == (
        "Hub(nyu-mll/glue): first= stops a stream; add streaming=True, or limit the mixture: num_examples_per_task"
    )


def test_a_part_of_a_split_is_given_in_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("instruction_kit.source.hub.RANGE_ROWS", 10)
    monkeypatch.setattr("instruction_kit.source.raw.BATCH_ROWS", 4)
    source = in_folder(TASKS["snli"], write_repository(TASKS["snli"], tmp_path))
    parts = source.ranges("train", Where())
    indices = [batch.frame["_index"].to_list() for batch in source.read(parts[0], Where(), None)]
    assert indices == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


# --- several configs --------------------------------------------------------------------------------------------------


def two_configs(folder: Path, **columns: list[str]) -> Path:
    card = ["---", "configs:"]
    for config, words in {"sorting": ["b a", "d c"], "counting": ["one two"]}.items():
        rows = datasets.Dataset.from_dict(
            {"input": words} | {name: values[: len(words)] for name, values in columns.items()}
        )
        (folder / config).mkdir(parents=True)
        rows.to_parquet(folder / config / "test-00000-of-00001.parquet")
        card += [f"- config_name: {config}", "  data_files:", "  - split: test", f"    path: {config}/test-*"]
    (folder / "README.md").write_text("\n".join([*card, "---", ""]), encoding="utf-8")
    return folder


@pytest.mark.parametrize("streaming", [False, True])
def test_several_configs_are_one_dataset_whose_rows_name_their_config(streaming, tmp_path):
    source = Hub(
        str(two_configs(tmp_path)), configs=["sorting", "counting"], splits={"test": "test"}, streaming=streaming
    )
    parts = source.ranges("test", Where())
    assert [part.name for part in parts] == ["sorting/test", "counting/test"]
    assert len({part.content for part in parts}) == 2
    frames = [batch.frame for part in parts for batch in source.read(part, Where(), frozenset({"input", "config"}))]
    assert pl.concat(frames).select("input", "config", "_index").rows() == [
        ("b a", "sorting", 0),
        ("d c", "sorting", 1),
        ("one two", "counting", 0),
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"config": "x", "configs": ["x", "y"]}, "config= names one, configs= several; give one of them"),
        ({"configs": ["x", "y", "x"]}, "configs= names x twice; name each once"),
    ],
)
def test_configs_that_cannot_be_meant_are_refused(changes, told):
    with pytest.raises(SourceError) as refused:
        Hub("a/b", splits={"test": "test"}, **changes)
    assert str(refused.value) == f"Hub(a/b): {told}"


def test_one_of_several_configs_that_is_not_there_is_told(tmp_path):
    source = Hub(str(two_configs(tmp_path)), configs=["sorting", "spelling"], splits={"test": "test"})
    with pytest.raises(SourceError) as refused:
        source.ranges("test", Where())
    assert f"Hub({tmp_path}, config=spelling): cannot be read: BuilderConfig 'spelling' not found" in str(refused.value)


def test_a_column_config_of_the_repository_itself_is_not_overwritten(tmp_path):
    source = Hub(str(two_configs(tmp_path, config=["x", "y"])), configs=["sorting"], splits={"test": "test"})
    (part,) = source.ranges("test", Where())
    with pytest.raises(SourceError) as refused:
        list(source.read(part, Where(), frozenset({"input", "config"})))
    assert str(refused.value) == f"Hub({tmp_path}): the repository has a column config itself; name one config a task"
