"""A schema of one's own is one class: it reads frames, takes phrasings from its folder, and stands in a mixture."""

from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
import pytest
from annotated_types import Len
from pydantic import field_validator, model_validator

from instruction_kit import Frame, Mixture, Task, labels
from instruction_kit.errors import TemplateError
from instruction_kit.schema import Choice, Free, Label, LongText, Schema, Text, Turn
from instruction_kit.schema.columns import is_columnar

OPTIONS_ONLY = {"zero_shot.options": 1.0}


class Stance(Schema):
    """What does the writer think of the topic?"""

    target = Label("stance")
    topic: Text
    post: LongText
    stance: Literal["for", "against"]


class GapText(Schema):
    """Which word fits the gap; the gap is checked by validators of the class's own."""

    target = Choice(options="words", answer="right")
    text: LongText
    words: Annotated[list[Text], Len(2, 4)]
    right: int

    @field_validator("text")
    @classmethod
    def _has_one_gap(cls, text: str) -> str:
        if text.count("___") != 1:
            raise ValueError("not exactly one gap")
        return text

    @model_validator(mode="after")
    def _words_differ(self) -> "GapText":
        if len(set(self.words)) < len(self.words):
            raise ValueError("a word is offered twice")
        return self


class Support(Schema):
    """What does the help desk reply?"""

    target = Free("replies")
    history: list[Turn] | None = None
    message: LongText
    replies: Annotated[list[Text], Len(1)]


DASHES = "---\nstyle: dash\n---\n"
PHRASINGS = {
    Stance: DASHES + "{{ post }}\n\nIs that for or against {{ topic }}?\n\n{{ options }}\n|||\n{{ answer }}",
    GapText: DASHES + "Fill the gap.\n\n{{ text }}\n\n{{ options }}\n|||\n{{ answer }}",
    Support: "{{ message }}\n|||\n{{ answer }}",
}


def task_of(schema: type[Schema], rows: list[dict[str, Any]], **columns: Any) -> Task:
    fields = {name: name for name in rows[0]}
    return Task(
        name="mine", cluster="mine", schema=schema, source=Frame(pl.DataFrame(rows)), columns={**fields, **columns}
    )


def written(folder: Path, schema: type[Schema]) -> str:
    """A folder with one phrasing of the schema."""
    path = folder / "templates" / schema.folder() / "only.jinja"
    path.parent.mkdir(parents=True)
    path.write_text(PHRASINGS[schema], encoding="utf-8")
    return str(folder)


def mixed(folder: Path, task: Task) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The training pairs in the order of their rows, and why each other row was rejected."""
    mixture = Mixture(tasks=[task], paths=[written(folder, task.schema)], num_validation=0, settings=OPTIONS_ONLY)
    mixture.build(folder / "out")
    pairs = mixture.dataset()["train"]["train"].to_list()
    lost = [row for path in (folder / "out" / "rejected").glob("*.parquet") for row in pl.read_parquet(path).to_dicts()]
    reasons = {row["row"].rpartition(":")[2]: f"{row['field']}: {row['reason']}" for row in lost}
    return sorted(pairs, key=lambda pair: pair["row"]), reasons


def test_a_class_with_labels(tmp_path):
    rows = [
        {"topic": "buses", "post": "More of them!", "stance": 1},
        {"topic": "cars", "post": "There are enough.", "stance": 0},
        {"topic": "cars", "post": " ", "stance": 0},
    ]
    task = task_of(Stance, rows, stance=labels("stance", ["against", "for"]))
    pairs, lost = mixed(tmp_path, task)
    assert pairs[0]["prompt"] == "More of them!\n\nIs that for or against buses?\n\nOptions:\n- against\n- for\n"
    assert [pair["completion"] for pair in pairs] == ["for", "against"]
    assert lost == {"2": "post: blank"}
    assert is_columnar(Stance)


def test_a_class_with_validators_of_its_own_is_checked_row_by_row(tmp_path):
    rows = [
        {"text": "The ___ barks.", "words": ["dog", "spoon"], "right": 0},
        {"text": "No gap at all.", "words": ["dog", "spoon"], "right": 0},
        {"text": "The ___ barks.", "words": ["dog", "dog"], "right": 0},
        {"text": "The ___ barks.", "words": ["dog", "spoon"], "right": 2},
        {"text": "The ___ barks.", "words": ["dog"], "right": 0},
    ]
    pairs, lost = mixed(tmp_path, task_of(GapText, rows))
    assert [(pair["completion"], pair["options"]) for pair in pairs] == [("dog", ["dog", "spoon"])]
    assert lost == {
        "1": "text: not exactly one gap",
        "2": "row: a word is offered twice",
        "3": "right: not an index into the options",
        "4": "words: fewer than 2 items",
    }
    assert not is_columnar(GapText)


def test_a_class_with_turns_and_several_right_texts(tmp_path):
    said = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Good morning."}]
    rows: list[dict[str, Any]] = [
        {"history": said, "message": "My tap drips.", "replies": ["We come today.", "Someone is on the way."]},
        {"history": None, "message": "Thanks!", "replies": ["You are welcome."]},
    ]
    pairs, lost = mixed(tmp_path, task_of(Support, rows))
    assert pairs[0]["prompt"] == "Hello.\nGood morning.\n\nMy tap drips.\n"
    assert pairs[0]["turns"] == said
    assert pairs[0]["references"] == ["We come today.", "Someone is on the way."]
    assert (pairs[1]["prompt"], pairs[1]["turns"]) == ("Thanks!\n", None)
    assert lost == {}


def test_without_a_phrasing_the_error_names_the_folder_to_write_one_in():
    task = task_of(Support, [{"message": "My tap drips.", "replies": ["We come today."]}])
    with pytest.raises(TemplateError) as refused:
        Mixture(tasks=[task]).dataset()
    assert str(refused.value) == ("task mine: no template for it; write one in templates/support/ or templates/mine/")
