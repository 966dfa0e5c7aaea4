"""Where exemplars come from beside train and the file: a split that is for nothing else, and prompts of one's own."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_task import built, claims, contents, pairs, phrasings, verdicts

from instruction_kit import Frame, Mixture, Task
from instruction_kit.built.verify import verify
from instruction_kit.errors import InstructionKitError, MixtureError, TaskError
from instruction_kit.exemplar.solved import Solved, solved
from instruction_kit.schema import Free, LongText, Schema, Text


class Puzzle(Schema):
    """A schema of the tests' own, so that no shipped phrasing joins in."""

    target = Free("solution")
    kind: Text
    riddle: LongText
    solution: Text


TEXTS = {
    "puzzle/think": "{{ kind }}: {{ riddle }}\n|||\n{{ rationale }}\nSo it is {{ answer }}.",
    "puzzle/say": "{{ kind }}: {{ riddle }}\n|||\n{{ answer }}",
}
PROMPTS = {
    "sum": "Not to be published.\n-----\nAdd.\n\n"
    + "\n\n".join(
        f"Q: What is {n} and {n}?\nA: Let's think step by step.\nTwice {n}: {2 * n}. So the answer is {2 * n}."
        for n in range(4)
    ),
    "turn": "Turn it.\n\n" + "\n\n".join(f"Q: ab{n}\nA: Backwards. So the answer is {n}ba." for n in range(3)),
}


def puzzles(**values: Any) -> Task:
    rows = [(kind, f"{kind} {number}", str(number)) for kind in ("sum", "turn") for number in range(10, 14)]
    frame = pl.DataFrame(rows, schema=["group", "riddle", "solution"], orient="row")
    columns = {"kind": "group", "riddle": "riddle", "solution": "solution"}
    given = {"prompts": {"group": "file", "riddle": "question", "solution": "answer"}, "source": Frame({"test": frame})}
    return Task(name="puzzles", cluster="puzzling", schema=Puzzle, columns=columns, **{**given, **values})


def write(folder: Path, texts: dict[str, str] | None = None) -> Path:
    for name, text in (PROMPTS if texts is None else texts).items():
        (folder / "prompts").mkdir(parents=True, exist_ok=True)
        (folder / "prompts" / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def asked(out: Path, tmp_path: Path, task: Task | None = None, **values: Any) -> pl.DataFrame:
    keys = {
        "hold_out": ["puzzles"],
        "only": "held_out",
        "held_out_settings": ["few_shot.no_options.cot", "few_shot.no_options"],
        "exemplars": {"num": 3, "source": "prompts", "folder": "prompts", "alike": "kind"},
        "data_dir": tmp_path,
    }
    built(out, phrasings(tmp_path / "paths", TEXTS), task or puzzles(), **{**keys, **values})
    return pairs(out, "puzzles__test", "held_out")


def test_prompts_of_ones_own_stand_before_each_question_with_and_without_their_reasons(tmp_path):
    frame = asked(tmp_path / "out", write(tmp_path))
    assert verify(tmp_path / "out").problems == ()
    assert set(frame["exemplars"].list.len()) == {3}
    for pair in frame.iter_rows(named=True):
        kind = pair["row"] and pair["prompt"].rpartition("\n\n")[2].partition(":")[0]
        assert {one["row"].partition(".txt:")[0] for one in pair["exemplars"]} == {kind}
        assert all(one["prompt"].startswith(f"{kind}: ") for one in pair["exemplars"])
        reasoned = ["Twice" in one["completion"] or "Backwards" in one["completion"] for one in pair["exemplars"]]
        assert set(reasoned) == {pair["setting"].endswith(".cot")}
    said = " ".join(frame["prompt"])
    assert "Not to be published" not in said
    assert "step by step" not in said


def test_where_the_prompts_lie_enters_nothing_that_is_written_and_what_they_say_does(tmp_path):
    rule = {"num": 3, "source": "prompts", "alike": "kind"}
    for name in ("a", "b"):
        write(tmp_path / name)
        asked(tmp_path / name / "out", tmp_path / name, exemplars={**rule, "folder": tmp_path / name / "prompts"})
    assert contents(tmp_path / "a" / "out") == contents(tmp_path / "b" / "out")
    (tmp_path / "b" / "prompts" / "sum.txt").write_text(PROMPTS["sum"].replace("Twice", "Double"), encoding="utf-8")
    with pytest.raises(InstructionKitError, match=r"holds another mixture: prompts puzzles changed"):
        asked(tmp_path / "b" / "out", tmp_path / "b", exemplars={**rule, "folder": tmp_path / "b" / "prompts"})


def test_every_question_that_is_no_example_is_told(tmp_path):
    texts = {"sum": "Q: 1 + 1?\nA: 2\n\nQ: 2 + 2?\n\nQ: \nA: 3", "turn": "nothing here"}
    with pytest.raises(TaskError) as error:
        asked(tmp_path / "out", write(tmp_path, texts))
    folder = tmp_path / "prompts"
    assert str(error.value).split("\n") == [
        f"{folder}/sum.txt: question 2: solution: blank",
        f"{folder}/sum.txt: question 3: riddle: blank",
        f"{folder}/turn.txt: no line begins with `Q:`; write `Q: …` and below it `A: …`",
    ]


@pytest.mark.parametrize(
    ("exemplars", "told"),
    [
        ({"source": "prompts"}, "exemplars.folder: source: prompts needs the folder in which they lie"),
        ({"folder": "prompts"}, "exemplars.folder: is for `source: prompts` alone"),
        (
            {"source": "prompts", "folder": "nowhere"},
            "exemplars.folder: {}/nowhere: no such folder; name the folder of your prompts, relative to data_dir",
        ),
        (
            {"source": "prompts", "folder": "prompts", "alike": "kinds"},
            "exemplars: task puzzles has no field kinds to be alike in; did you mean kind?",
        ),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, exemplars, told):
    with pytest.raises(MixtureError) as error:
        asked(tmp_path / "out", write(tmp_path), exemplars=exemplars)
    assert str(error.value) == told.format(tmp_path)


def test_a_task_that_says_nothing_of_prompts_is_not_shown_any(tmp_path):
    with pytest.raises(MixtureError, match=r"say in its file which columns prompts fill: prompts="):
        asked(tmp_path / "out", write(tmp_path), puzzles(prompts={}))


def test_a_split_for_exemplars_is_shown_and_neither_trained_on_nor_measured(tmp_path):
    shown = claims(6, start=500)
    task = verdicts({"train": claims(20), "test": claims(8, start=100), "exemplars": shown})
    options = {"settings": {"few_shot.options": 1}, "held_out_settings": ["few_shot.options"], "num_validation": 4}
    built(tmp_path / "train", phrasings(tmp_path / "paths"), task, **options, exemplars={"num": 2})
    held = {"hold_out": ["verdicts"], "only": "held_out"}
    record = built(tmp_path / "held", phrasings(tmp_path / "paths"), task, **options, **held, exemplars={"num": 2})
    ledger = record.tasks["verdicts"].splits["exemplars"].ledger
    assert (ledger.read, ledger.used, ledger.not_drawn) == (6, 0, 6)
    for frame in (pairs(tmp_path / "train"), pairs(tmp_path / "held", "verdicts__test", "held_out")):
        rows = {one["row"] for said in frame["exemplars"] for one in said}
        assert rows
        assert rows <= set(shown["id"])
        assert not set(frame["row"]) & set(shown["id"])
    assert verify(tmp_path / "train").problems == verify(tmp_path / "held").problems == ()


def test_a_source_of_exemplars_alone_is_none():
    with pytest.raises(TaskError, match=r"its source has exemplars alone; name the split that is trained on"):
        verdicts({"exemplars": claims(3)})
    with pytest.raises(TaskError, match=r"evaluate='exemplars' is none of its splits"):
        verdicts({"exemplars": claims(3), "test": claims(3)}, evaluate="exemplars")


def test_five_solved_questions_of_its_subject_stand_before_a_question_of_mmlu(tmp_path):
    Mixture.from_recipe("mmlu", data="sample").build(tmp_path / "out")
    frame = pairs(tmp_path / "out", "mmlu__test", "held_out")
    for pair in frame.iter_rows(named=True):
        subjects = ["astronomy" in text for text in (pair["prompt"], *(one["prompt"] for one in pair["exemplars"]))]
        assert len(set(subjects)) == 1
    assert set(frame["exemplars"].list.len()) == {2, 3}  # the sample has no more


QUESTIONS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(str.strip).filter(bool)


@given(st.lists(st.tuples(QUESTIONS, QUESTIONS.filter(lambda text: "answer is" not in text.lower()))))
def test_solved_questions_are_read_as_they_were_written(said):
    text = "A title\n\n" + "\n\n".join(
        f"Q: {question}\nA: {reasons} So the answer is 42." for question, reasons in said
    )
    assert list(solved(text)) == [Solved(question, reasons, "42") for question, reasons in said]
