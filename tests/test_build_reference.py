"""Which of several right texts a row is trained on: drawn for each round, and nothing else changes."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import pytest
from annotated_types import Len
from binomial import binomial_bounds
from small_task import built, contents, pairs, phrasings

from instruction_kit import Frame, Task
from instruction_kit.schema import Free, Schema, Text

TEXTS = {
    "query/ask": "{{ question }}\n|||\n{{ answer }}",
    "query/reply": "Q: {{ question }}\n|||\nA: {{ answer }}!",
    "query/turned": "What is asked, if one answers {{ answer }}?\n|||\n{{ question }}",
}


class Query(Schema):
    """A question with several right answers."""

    target = Free("answers")
    question: Text
    answers: Annotated[list[Text], Len(1)]


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> Path:
    return phrasings(tmp_path_factory.mktemp("phrasings"), TEXTS)


def queries(count: int, *, answers: int = 3, **options: Any) -> Task:
    texts = [[f"{letter}{number}" for letter in "abcdef"[:answers]] for number in range(count)]
    frame = pl.DataFrame({"question": [f"Which is {number}?" for number in range(count)], "answers": texts})
    values = {"name": "queries", "cluster": "asking", "key": "question", "source": Frame(frame), **options}
    return Task(schema=Query, columns={"question": "question", "answers": "answers"}, **values)


def letters(made: pl.DataFrame) -> pl.DataFrame:
    """Which of its answers each pair is trained on."""
    return made.select("row", "round", "template", letter=pl.col("completion").str.extract("([a-f])[0-9]"))


def test_each_right_text_is_trained_on_by_its_share_of_the_rows(tmp_path, paths):
    built(tmp_path / "out", paths, queries(900))
    drawn = letters(pairs(tmp_path / "out")).group_by("letter").len()
    low, high = binomial_bounds(900, 1 / 3)
    assert sorted(drawn["letter"]) == ["a", "b", "c"]
    assert all(low <= count <= high for count in drawn["len"])


def test_all_right_texts_are_references_in_the_order_of_the_source(tmp_path, paths):
    built(tmp_path / "out", paths, queries(40), phrasings=2)
    for pair in pairs(tmp_path / "out").iter_rows(named=True):
        number = pair["row"].removeprefix("Which is ").removesuffix("?")
        wrap = "{}" if pair["template"] == "query/ask" else "A: {}!"
        assert pair["references"] == [wrap.format(letter + number) for letter in "abc"]
        assert pair["completion"] in pair["references"]
        drawn = pair["completion"][pair["answer_start"] : pair["answer_end"]]
        assert pair["completion"] == wrap.format(drawn)


def test_the_phrasings_of_one_round_have_one_answer_and_each_round_draws_anew(tmp_path, paths):
    built(tmp_path / "out", paths, queries(300), num_pairs=1200, phrasings=2)
    drawn = letters(pairs(tmp_path / "out"))
    assert set(drawn.group_by("row", "round").agg(pl.col("letter").n_unique())["letter"]) == {1}
    first, second = (drawn.filter(pl.col("round") == turn).unique("row").sort("row") for turn in (0, 1))
    same = int((first["letter"] == second["letter"]).sum())
    low, high = binomial_bounds(300, 1 / 3)
    assert low <= same <= high


def test_a_further_right_text_takes_only_its_own_share(tmp_path, paths):
    built(tmp_path / "before", paths, queries(900))
    built(tmp_path / "after", paths, queries(900, answers=4))
    before, after = (letters(pairs(tmp_path / name)) for name in ("before", "after"))
    moved = before.join(after, on=["row", "round", "template"], how="inner")
    assert moved.height == 900  # the same rows in the same phrasings
    changed = moved.filter(pl.col("letter") != pl.col("letter_right"))
    assert set(changed["letter_right"]) == {"d"}
    low, high = binomial_bounds(900, 1 / 4)
    assert low <= changed.height <= high


def test_a_row_draws_the_same_whatever_rows_are_beside_it_and_whatever_task(tmp_path, paths):
    built(tmp_path / "many", paths, queries(60))
    built(tmp_path / "few", paths, queries(20), queries(30, name="others", cluster="more"))
    many = {pair["row"]: pair for pair in pairs(tmp_path / "many").to_dicts()}
    few = pairs(tmp_path / "few").filter(pl.col("task") == "queries").to_dicts()
    assert len(few) == 20
    assert all(many[pair["row"]] == pair for pair in few)
    built(tmp_path / "again", paths, queries(60))
    assert contents(tmp_path / "again") == contents(tmp_path / "many")
    built(tmp_path / "seed", paths, queries(60), seed=1)
    seeded = letters(pairs(tmp_path / "seed")).sort("row")["letter"]
    assert not np.array_equal(seeded, letters(pairs(tmp_path / "many")).sort("row")["letter"])


def test_measured_rows_keep_their_first_text(tmp_path, paths):
    held = queries(30, name="held", cluster="held")
    built(tmp_path / "out", paths, queries(60), held, num_validation=8, hold_out=["held"])
    for config, split in (("train", "validation"), ("train", "seen"), ("held_out", "held__train")):
        made = pairs(tmp_path / "out", split, config)
        assert set(letters(made)["letter"]) == {"a"}
        assert all(len(references) == 3 for references in made["references"])


def test_a_prompt_that_tells_the_answer_tells_the_drawn_one(tmp_path, paths):
    built(tmp_path / "out", paths, queries(90), settings={"zero_shot.no_options.inverted": 1})
    told = pairs(tmp_path / "out")["prompt"].str.extract("answers ([a-c])")
    assert set(told) == {"a", "b", "c"}
