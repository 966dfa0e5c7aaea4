"""Chains of thought that are measured: asked of rows that carry reasons and of rows that carry none."""

from pathlib import Path

import polars as pl
import pytest
from small_task import built, pairs, phrasings

from instruction_kit import Frame, Mixture, Task, labels
from instruction_kit.build.manifest import Manifest, read_manifest
from instruction_kit.built.verify import verify
from instruction_kit.errors import MixtureError
from instruction_kit.evaluation.folder import answer_places
from instruction_kit.schema import Label, LongText, Schema, Text

ZERO, FEW = "zero_shot.options.cot", "few_shot.options.cot"


class Finding(Schema):
    """A schema of the tests' own, so that no shipped phrasing joins in."""

    target = Label("label")
    claim: LongText
    label: Text


PHRASINGS = {
    "finding/think": "{{ claim }}\n\nThink, then choose.\n\n{{ options }}\n|||\n{{ rationale }}\nSo: {{ answer }}",
    "finding/plain": "{{ claim }}\n\n{{ options }}\n|||\n{{ answer }}",
    "finding/ends": "Argue: {{ claim }}\n\n{{ options }}\n|||\nThoughts: {{ rationale }} Hence {{ answer }}.",
    "finding/why": "{{ claim }}\n\nIt is {{ answer }}. Why?\n|||\n{{ rationale }}",
}


def findings(name: str, count: int, *, reasons: bool, start: int = 0, test: int = 6) -> Task:
    def frame(begin: int, rows: int) -> pl.DataFrame:
        numbers = range(begin, begin + rows)
        return pl.DataFrame(
            {
                "claim": [f"{name} {number} is odd." for number in numbers],
                "label": [number % 2 for number in numbers],
                "why": [f"Half of {number} says it." if number % 3 else None for number in numbers],
            }
        )

    columns = {"claim": "claim", "label": labels("label", ["no", "yes"])} | ({"rationale": "why"} if reasons else {})
    source = Frame({"train": frame(start, count), "test": frame(start + 100, test)})
    return Task(name=name, cluster=name, schema=Finding, source=source, columns=columns)


def made(out: Path, tmp_path: Path, **values: object) -> Manifest:
    asked = {"hold_out": ["bare", "told"], "held_out_settings": [ZERO, FEW, "zero_shot.options"], **values}
    tasks = [findings("bare", 9, reasons=False), findings("told", 9, reasons=True), findings("base", 9, reasons=False)]
    return built(out, phrasings(tmp_path / "paths", PHRASINGS), *tasks, **asked)


def test_every_row_of_a_measured_task_is_asked_for_reasons_whether_it_carries_some_or_not(tmp_path):
    made(tmp_path / "out", tmp_path)
    assert verify(tmp_path / "out").problems == ()
    told = {name: pairs(tmp_path / "out", f"{name}__test", "held_out") for name in ("bare", "told")}
    asked = told["bare"].filter(setting=ZERO)
    assert asked["row"].n_unique() == 6
    assert set(asked["template"]) == {"finding/think", "finding/ends"}
    assert set(told["bare"].filter(template="finding/think")["completion"].str.split("\n").list.len()) == {1}
    reasons = told["told"].filter(setting=ZERO, template="finding/think")["completion"]
    assert sorted(set(reasons.str.starts_with("Half of "))) == [False, True]  # its own reasons, where it carries some
    for frame in told.values():
        assert set(frame.filter(pl.col("setting") != "zero_shot.options")["candidates"].list.len()) == {0}
        assert set(frame.filter(setting="zero_shot.options")["candidates"].list.len()) == {2}


def test_the_answer_of_a_reference_without_reasons_is_read_back_through_its_template(tmp_path):
    made(tmp_path / "out", tmp_path)
    places = answer_places(tmp_path / "out")
    frame = pairs(tmp_path / "out", "bare__test", "held_out")
    for pair in frame.iter_rows(named=True):
        read = [places[pair["template"]].read(text) for text in pair["references"]]
        assert read == [pair["completion"][pair["answer_start"] : pair["answer_end"]]]


def test_exemplars_of_a_chain_of_thought_are_rows_that_carry_reasons(tmp_path):
    made(tmp_path / "out", tmp_path, exemplars={"num": 2})
    few = pairs(tmp_path / "out", "told__test", "held_out").filter(setting=FEW)
    assert set(few["exemplars"].list.len()) == {2}
    shown = [one["completion"] for said in few["exemplars"] for one in said]
    assert all("Half of " in text for text in shown)
    # no row of this task carries reasons, and no file does
    assert FEW not in set(pairs(tmp_path / "out", "bare__test", "held_out")["setting"])


def test_hand_written_reasons_stand_before_a_task_whose_rows_carry_none(tmp_path):
    mixture = Mixture(
        tasks=["boolq", "sst2"],
        hold_out=["boolq"],
        held_out_settings=[ZERO, FEW],
        exemplars={"num": 3},
        data="sample",
        num_validation=2,
    )
    mixture.build(tmp_path / "out")
    assert verify(tmp_path / "out").problems == ()
    assert read_manifest(tmp_path / "out").tasks["boolq"].settings.keys() == {ZERO, FEW}
    few = pl.concat(map(pl.read_parquet, sorted((tmp_path / "out/held_out").glob("boolq__*")))).filter(setting=FEW)
    rows = {one["row"].partition(":")[0] for said in few["exemplars"] for one in said}
    assert rows == {"boolq.exemplars.jsonl"}
    seen = pairs(tmp_path / "out", "seen")  # of what trains, too
    assert set(seen["setting"]) == {ZERO, FEW}
    assert set(seen["candidates"].list.len()) == {0}


@pytest.mark.parametrize(
    ("task", "key", "told"),
    [
        (
            "bare",
            FEW,
            (
                "held_out_settings: no task of this mixture has anything to show exemplars from for "
                "few_shot.options.cot; write <task>.exemplars.jsonl beside its file or take the setting out"
            ),
        ),
        (
            "bare",
            "zero_shot.options.cot.inverted",
            (
                "held_out_settings.0: zero_shot.options.cot.inverted cannot be measured: "
                "an inverted template's output is not the answer"
            ),
        ),
    ],
)
def test_what_cannot_be_measured_is_refused(tmp_path, task, key, told):
    with pytest.raises(MixtureError) as error:
        made(tmp_path / "out", tmp_path, hold_out=[task], held_out_settings=[key])
    assert str(error.value) == told


def test_that_rows_lack_reasons_is_told_as_that(tmp_path):
    paths = [phrasings(tmp_path, PHRASINGS)]
    bare, told = (findings(name, 9, reasons=name == "told") for name in ("bare", "told"))
    with pytest.raises(MixtureError) as refused:
        Mixture(tasks=[bare], paths=paths, settings={ZERO: 1}).check()
    assert str(refused.value) == (
        f"settings: no task of this mixture has rows with reasons for {ZERO}; say in a task file which column holds "
        "them (rationale=…), or take the setting out"
    )
    with pytest.raises(MixtureError) as refused:
        Mixture(tasks=[bare, told], paths=paths, settings={ZERO: 1}).check()
    assert str(refused.value) == (
        f"settings: task bare has no rows with reasons for {ZERO}; say in a task file which column holds them "
        "(rationale=…), or take the task out"
    )
