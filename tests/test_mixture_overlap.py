"""Training rows that share text with held-out rows: found before training, named, and taken out where that is asked."""

from pathlib import Path
from typing import Any

import polars as pl
from small_task import contents, phrasings, recitals, verdicts

from instruction_kit import Frame, Mixture, Task
from instruction_kit.built.verify import verify
from instruction_kit.schema import MultipleChoice, ReadingComprehension

LONG = "Claim number {} has a good many words of its own, numbered {} and {}, so that it can be found again."


def mixture(folder: Path, *, copies: int = 5, **options: Any) -> Mixture:
    said = [LONG.format(n, n * 7, n * 11) for n in range(40)]
    held = pl.DataFrame({"id": [f"h{n}" for n in range(40)], "claim": said})
    own = [f"Quite another thing is said here about the number {n * 13}." for n in range(60)]
    train = pl.DataFrame({"id": [f"t{n}" for n in range(60)], "claim": [*held["claim"][:copies], *own[copies:]]})
    label = (pl.int_range(pl.len()) % 3).alias("label")
    tasks = [
        verdicts(train.with_columns(label), name="trained"),
        verdicts(held.with_columns(label), name="held", cluster="away"),
    ]
    values: dict[str, Any] = {"tasks": tasks, "hold_out": ["away"], "paths": [phrasings(folder)], "num_validation": 0}
    return Mixture(**{**values, **options})


def test_rows_that_share_text_with_held_out_ones_are_named_and_trained_on(tmp_path):
    manifest = mixture(tmp_path).build(tmp_path / "out")
    assert manifest.overlap == {"held": {"trained": {"exact": 5}}}
    assert manifest.tasks["trained"].splits["train"].ledger.used == 60
    found = pl.read_parquet(tmp_path / "out" / "overlap" / "*.parquet")
    assert dict(found.select("row", "held_out_row").iter_rows()) == {f"t{n}": f"h{n}" for n in range(5)}
    assert found["same_answer"].all()
    assert "| held | trained | 5 | exact 5 |" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert verify(tmp_path / "out").problems == ()


def test_such_rows_are_taken_out_and_counted_where_that_is_asked_for(tmp_path):
    manifest = mixture(tmp_path, drop_overlap=True).build(tmp_path / "out")
    ledger = manifest.tasks["trained"].splits["train"].ledger
    assert (ledger.used, ledger.removed) == (55, {"it shares text with a held-out row": 5})
    rows = pl.read_parquet(tmp_path / "out" / "train" / "*.parquet")["row"]
    assert not set(rows) & {f"t{n}" for n in range(5)}
    assert verify(tmp_path / "out").problems == ()


def test_rows_about_one_text_are_told_from_rows_that_begin_alike(tmp_path):
    long, rule = LONG.format(1, 2, 3), "Say in one word whether what stands here follows from all that is known."
    rows = [{"claim": f"Again: {long}", "ask": f"What about {n}?"} for n in range(12)]
    rows += [{"claim": f"Another claim, of which the number is {n * 17}.", "ask": rule} for n in range(300)]
    columns = {"passage": "claim", "question": "ask", "answers": pl.concat_list("ask")}
    tasks = [
        Task(name=name, cluster=name, schema=ReadingComprehension, source=Frame(pl.DataFrame(own)), columns=columns)
        for name, own in (("held", [{"claim": long, "ask": rule}]), ("trained", rows))
    ]
    manifest = Mixture(tasks=tasks, hold_out=["held"], num_validation=0).build(tmp_path / "out")
    assert manifest.overlap == {"held": {"trained": {"13-gram": 12}}}


def test_nobody_looks_where_that_is_asked_for(tmp_path):
    manifest = mixture(tmp_path, find_overlap=False).build(tmp_path / "out")
    assert (manifest.overlap, manifest.splits["overlap"]) == ({}, {"overlap": 0})
    assert not (tmp_path / "out" / "overlap").exists()


def test_a_mixture_without_any_is_the_same_with_and_without_dropping(tmp_path):
    kept, dropped = (mixture(tmp_path, copies=0, drop_overlap=drop) for drop in (False, True))
    kept.build(tmp_path / "kept")
    dropped.build(tmp_path / "dropped")
    parquet = [
        {name: data for name, data in contents(tmp_path / out).items() if name.endswith(".parquet")}
        for out in ("kept", "dropped")
    ]
    assert parquet[0] == parquet[1]


def test_of_rows_that_choose_among_options_it_is_told_whether_the_answer_is_the_same(tmp_path):
    def quiz(name: str, answers: list[int], **options: Any) -> Task:
        rows = [
            {
                "id": f"{name}{n}",
                "question": LONG.format(n, n + 7, n + 11),
                "options": ["left", "right"],
                "answer": answer,
            }
            for n, answer in enumerate(answers)
        ]
        columns = {field: field for field in ("question", "options", "answer")}
        source = Frame(pl.DataFrame(rows))
        return Task(name=name, schema=MultipleChoice, source=source, columns=columns, key="id", **options)

    tasks = [quiz("trained", [0, 1, 0], cluster="here"), quiz("held", [0, 0, 0], cluster="away")]
    Mixture(tasks=tasks, hold_out=["away"], num_validation=0).build(tmp_path / "out")
    found = pl.read_parquet(tmp_path / "out" / "overlap" / "*.parquet")
    assert dict(found.select("row", "same_answer").iter_rows()) == {
        "trained0": True,
        "trained1": False,
        "trained2": True,
    }


def test_a_short_question_is_found_under_another_passage_and_taken_out(tmp_path):
    """Sums differ by their signs alone, and their options are the same in every row."""

    def quiz(name: str, asked: list[str], **options: Any) -> Task:
        rows = [
            {
                "id": f"{name}{n}",
                "context": f"What {name} says on page {n}.",
                "question": question,
                "options": ["left", "right"],
                "answer": n % 2,
            }
            for n, question in enumerate(asked)
        ]
        columns = {field: field for field in ("context", "question", "options", "answer")}
        return Task(
            name=name, schema=MultipleChoice, source=Frame(pl.DataFrame(rows)), columns=columns, key="id", **options
        )

    held = [f"Is it {n} + {n * 2}?" for n in range(30)]
    train = [held[0], held[1].replace("+", "-"), held[2].lower(), *(f"Is page {n} here?" for n in range(40))]
    tasks = [quiz("trained", train, cluster="here"), quiz("held", held, cluster="away")]
    manifest = Mixture(tasks=tasks, hold_out=["away"], num_validation=0, drop_overlap=True).build(tmp_path / "out")
    found = pl.read_parquet(tmp_path / "out" / "overlap" / "*.parquet")
    assert found.select("row", "held_out_row", "field", "kind", "text").rows() == [
        ("trained0", "held0", "question", "short", "is it 0 0"),
        ("trained2", "held2", "question", "short", "is it 2 4"),
    ]
    ledger = manifest.tasks["trained"].splits["train"].ledger
    assert (ledger.used, ledger.removed) == (41, {"it shares text with a held-out row": 2})
    assert verify(tmp_path / "out").problems == ()


def test_an_answer_that_stands_in_a_held_out_row_is_found_by_itself(tmp_path):
    """The answers of the first rows are those of held-out rows; a short one, which others have too, is no match."""

    def told(name: str, said: list[str], **options: Any) -> Task:
        cues = [f"{name} {n}" for n in range(len(said))]
        frame = pl.DataFrame({"id": [f"{name}{n}" for n in range(len(said))], "cue": cues, "line": said})
        return recitals(0, name=name, source=Frame(frame), key="id", **options)

    copied = [LONG.format(n, n * 7, n * 11) for n in range(3)]
    held = told("held", [*copied[::-1], "They sleep."], cluster="away")
    tasks = [told("trained", [*copied, "They sleep.", "One of them."]), held]
    values: dict[str, Any] = {"hold_out": ["away"], "settings": {"zero_shot.no_options": 1}, "num_validation": 0}
    paths = phrasings(tmp_path, {"recital/go_on": "Go on: {{ cue }}\n|||\n{{ answer }}"})
    Mixture(tasks=tasks, paths=[paths], **values).build(tmp_path / "out")
    found = pl.read_parquet(tmp_path / "out" / "overlap" / "*.parquet")
    assert dict(found.select("row", "held_out_row").iter_rows()) == {f"trained{n}": f"held{2 - n}" for n in range(3)}
    assert found["field"].unique().to_list() == ["line"]
