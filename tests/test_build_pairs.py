"""The pairs of one task without a mixture: those that a mixture would hold."""

import logging
from pathlib import Path
from typing import Any

import datasets
import polars as pl
import pytest
from small_task import CLASSES, Verdict, claims, lines, phrasings, task_file, verdicts

from instruction_kit import Files, Frame, Mixture, Task, labels
from instruction_kit.errors import InstructionKitError, SourceError, TaskError, TemplateError
from instruction_kit.library import library_folder
from instruction_kit.render.pair import PAIR_SCHEMA
from instruction_kit.schema import ReadingComprehension
from instruction_kit.task.load import load_task, load_tasks


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> Path:
    return phrasings(tmp_path_factory.mktemp("phrasings"))


def message(task: Task, kind: type[InstructionKitError], *template: str, **options: Any) -> str:
    with pytest.raises(kind) as error:
        task.pairs(*template, **options)
    return str(error.value)


def test_every_row_stands_under_every_template(paths):
    made = verdicts(claims(4)).pairs(paths=[paths])
    assert isinstance(made, datasets.Dataset)
    assert made.features.arrow_schema.names == PAIR_SCHEMA.names
    names = ["verdict/ask", "verdict/claim", "verdict/judge"]
    assert sorted(zip(made["row"], made["template"], strict=True)) == [
        (f"c{number}", name) for number in range(4) for name in names
    ]
    assert set(made["task"]) == {"verdicts"}
    assert set(made["split"]) == {"train"}
    assert dict(zip(made["template"], made["setting"], strict=True)) == {
        "verdict/ask": "zero_shot.options",
        "verdict/claim": "zero_shot.options",
        "verdict/judge": "zero_shot.no_options",
    }


def test_one_template_is_named_with_or_without_its_folder(paths):
    task = verdicts(claims(4))
    short, long = task.pairs("judge", paths=[paths]), task.pairs("verdict/judge", paths=[paths])
    assert short["completion"][0] == "I find it true."
    assert short.to_list() == long.to_list()
    assert len(short) == 4


@pytest.mark.parametrize("name", ["squad", "sst2", "gsm8k", "copa"])
def test_the_pairs_are_those_of_a_mixture(name):
    """Labels, options of each row, several references, rationales: as trained on, and as measured."""
    task = load_tasks([library_folder()], names=[name])[name]
    keys = {"num_validation": 0, "num_held_out": 99, "settings": {"zero_shot.options": 1}}
    mixture = Mixture(tasks=[name], data="sample", **keys).dataset()["train"]["train"]
    alone = {(pair["row"], pair["template"]): pair for pair in task.pairs(data="sample").to_list()}
    assert mixture.num_rows
    assert all(alone[pair["row"], pair["template"]] == pair for pair in mixture.to_list())
    held = Mixture(tasks=[name, "trec"], hold_out=[name], data="sample", **keys).dataset()["held_out"]
    ((home, measured),) = held.items()
    split = home.partition("__")[2]
    alone = {(pair["row"], pair["template"]): pair for pair in task.pairs(split=split, data="sample").to_list()}
    assert all(alone[pair["row"], pair["template"]] == pair for pair in measured.to_list())


def test_train_is_rendered_to_train_on_and_other_splits_to_measure(paths):
    task = verdicts({"train": claims(3), "test": claims(3, start=9)})
    assert task.pairs(paths=[paths])["candidates"] == [[]] * 9
    measured = task.pairs("judge", split="test", paths=[paths])
    assert all(sorted(told) == [f"I find it {c}." for c in sorted(CLASSES)] for told in measured["candidates"])
    assert [pair["candidates"][pair["gold"][0]] for pair in measured] == list(measured["completion"])


def test_the_seed_draws_which_of_several_texts_is_trained_on():
    frame = pl.DataFrame({"passage": ["p"] * 9, "question": ["q"] * 9, "answers": [["one", "two"]] * 9})
    columns = {name: name for name in frame.columns}
    task = Task(schema=ReadingComprehension, source=Frame(frame), columns=columns)
    made = [task.pairs(seed=seed)["completion"] for seed in range(4)]
    assert list(made[0]) == list(task.pairs()["completion"])
    assert len({tuple(completions) for completions in made}) > 1


# --- what is read -----------------------------------------------------------------------------------------------------


def test_no_more_rows_are_read_than_are_asked_for(tmp_path, paths):
    """Usable ones: two blank lines before the third do not count."""
    path = task_file(tmp_path, "noted", train='{"text": null, "label": 0}\n' * 2 + lines(3) + "no JSON at all\n" * 3)
    made = load_task(path).pairs(num_rows=2)
    assert set(made["row"]) == {"noted.train.jsonl:2", "noted.train.jsonl:3"}
    large = verdicts(pl.concat([claims(60_000), claims(60_000, start=60_000)]))
    assert len(large.pairs("judge", num_rows=5, paths=[paths])) == 5


def test_files_lie_in_data_dir_and_a_sample_beside_the_task_file(tmp_path):
    path = task_file(tmp_path / "mine", "noted", train=lines(2))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "noted.train.jsonl").write_text('{"text": "elsewhere", "label": 1}\n', encoding="utf-8")
    path.with_name("noted.sample.jsonl").write_text(
        '{"text": "sample", "label": 0, "_split": "train"}\n', encoding="utf-8"
    )
    task = load_task(path)
    assert "line 0" in task.pairs()["prompt"][0]
    assert "elsewhere" in task.pairs(data_dir=elsewhere)["prompt"][0]
    assert "sample" in task.pairs(data="sample")["prompt"][0]


def test_a_task_that_needs_the_whole_split_sees_it(paths):
    def largest(frame: pl.LazyFrame) -> pl.LazyFrame:
        return frame.filter(pl.col("id") == pl.col("id").max())

    made = verdicts(claims(9), rows=largest, scope="split").pairs("judge", paths=[paths])
    assert made["row"] == ["c8"]


def test_of_rows_with_one_key_the_first_counts(paths):
    twice = pl.concat([claims(3), claims(3).with_columns(claim=pl.lit("again"))])
    made = verdicts(twice).pairs("judge", paths=[paths])
    assert made["row"] == ["c0", "c1", "c2"]
    assert not any("again" in prompt for prompt in made["prompt"])


def test_a_task_needs_no_name(paths):
    made = Task(
        schema=Verdict,
        source=Frame(claims(2)),
        columns={"claim": "claim", "label": labels("label", CLASSES)},
    ).pairs("ask", paths=[paths])
    assert (set(made["task"]), list(made["row"])) == ({""}, ["Frame[train]:0", "Frame[train]:1"])


# --- what is lost and what cannot be ----------------------------------------------------------------------------------


def test_what_cannot_be_used_or_rendered_is_logged_with_its_reasons(tmp_path, caplog):
    paths = phrasings(
        tmp_path,
        {"verdict/marked": "{{ claim }}\n|||\nSo: {{ answer }}", "verdict/bare": "{{ claim }}\n|||\n{{ answer }}"},
    )
    rows = pl.concat([claims(3), claims(1, start=9).with_columns(label=pl.lit(7, dtype=pl.Int64))])
    with caplog.at_level(logging.WARNING):
        made = verdicts(rows, answers={"open": "So: open"}).pairs(paths=[paths])
    assert made.num_rows == 5
    assert caplog.messages == [
        "task verdicts train: 1 rows cannot be used: label: not one of the labels (1)",
        (
            "task verdicts train: 1 pairs cannot be rendered: "
            "its answer or rationale holds the words by which the answer is found again (1)"
        ),
    ]


def test_names_that_are_nothing_come_with_the_nearest(paths):
    task = verdicts(claims(2))
    assert (
        message(task, TemplateError, "jugde", paths=[paths]) == "no template jugde for this task; did you mean judge?"
    )
    assert (
        message(task, SourceError, split="test", paths=[paths]) == "task verdicts has no split test; there are: train"
    )
    assert message(task, TemplateError) == (
        "task verdicts: no template for it; write one in templates/verdict/ or templates/verdicts/"
    )


def test_a_template_that_the_task_cannot_use_is_refused(tmp_path):
    reasoned = phrasings(tmp_path, {"verdict/why": "{{ claim }}\n|||\n{{ rationale }}\nSo {{ answer }}."})
    assert message(verdicts(claims(2)), TemplateError, "why", paths=[reasoned]).startswith(
        "task verdicts: none of these templates serves zero_shot.options, "
    )


def test_a_task_of_which_no_row_can_be_used_says_why(paths):
    blank = claims(2).with_columns(claim=pl.lit(" "))
    assert message(verdicts(blank), TaskError, paths=[paths]) == (
        "task verdicts: no row of train can be used: claim: blank"
    )


def test_a_task_object_over_files_has_no_sample(paths):
    task = verdicts(claims(1), source=Files({"train": "a.csv"}))
    assert message(task, TaskError, data="sample", paths=[paths]) == (
        "task verdicts: a Task object has no sample; build with data: source"
    )
