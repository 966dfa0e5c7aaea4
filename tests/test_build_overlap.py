"""Text that two sides share: every planted copy is found, and nothing that is only boilerplate."""

from itertools import count

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruction_kit.build.grams import grams, normalised, signs, text_at, without, words_of
from instruction_kit.build.hit import TEXTS
from instruction_kit.build.overlap import MATCHES, overlaps
from instruction_kit.build.spool import spool
from instruction_kit.choice import row_hashes

NUMBER = count()
BOILERPLATE = "read the text below and then answer the question that follows it with one word or none"


def words(number: int) -> str:
    """Some out of 4,000 words, others in each call."""
    drawn = row_hashes([str(next(NUMBER)) for _ in range(number)]) % np.uint64(4_000)
    return " ".join(f"w{word}" for word in drawn)


def about(number: int, fields: dict[str, str]) -> int:
    """The passage, else the row itself."""
    return int(row_hashes([fields.get("passage") or f"row {number}"])[0])


def rows(task: str, inputs: list[dict[str, str]], answers: list[str] | None = None) -> pl.DataFrame:
    """A line for each text, as a scan's examples give them."""
    lines = []
    for number, fields in enumerate(inputs):
        made = [(field, False, text) for field, text in fields.items()]
        made.append(("*", False, " ".join(fields.values())))
        if answers:
            made.append(("answer", True, answers[number]))
        lines += [
            (
                task,
                "train",
                str(number),
                field,
                answer,
                not answer and field != "options",
                text,
                text,
                about(number, fields),
            )
            for field, answer, text in made
            if text
        ]
    return pl.DataFrame(lines, schema=TEXTS, orient="row").with_columns(
        normalised(pl.col("text")), signs(pl.col("signs"))
    )


def passages(number: int, *, ending: str = "") -> list[dict[str, str]]:
    return [{"passage": f"{words(30)} {ending}".strip(), "question": words(5)} for _ in range(number)]


def found(train: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    made = overlaps([train], held)
    assert made.schema == MATCHES
    return made


def kinds(matches: pl.DataFrame) -> dict[str, str]:
    return dict(matches.select("row", "kind").iter_rows())


@pytest.mark.parametrize("ending", ["", BOILERPLATE])
def test_every_planted_copy_is_found_and_no_boilerplate(ending):
    held, train = passages(300, ending=ending), passages(3_000, ending=ending)
    planted = {}
    for place in range(100):
        other = held[place]["passage"].split()
        if place % 4 == 0:
            train[place] = {**train[place], "passage": held[place]["passage"].upper() + "!"}
            planted[str(place)] = "exact"
        elif place % 4 == 1:
            train[place] = {**train[place], "passage": f"{words(9)}, {' '.join(other[4:17])} {words(3)}"}
            planted[str(place)] = "13-gram"
        elif place % 4 == 2:
            train[place] = {**train[place], "question": " ".join(other[2:10])}
            planted[str(place)] = "8-gram"
        else:
            held[place] = {"question": " ".join(held[place]["question"].split()[: 1 + place // 4 % 5])}
            train[place] = held[place]
            planted[str(place)] = "short"
    matches = found(rows("trained", train), rows("held", held))
    assert kinds(matches) == planted
    assert matches["held_out_row"].to_list() == matches["row"].to_list()


def test_a_passage_with_words_around_it_is_found_under_however_many_questions():
    passage = words(30)
    train = [{"passage": f"{words(2)} {passage}", "question": words(5)}, *passages(600)]
    train += [{"passage": train[0]["passage"], "question": words(5)} for _ in range(24)]
    matches = found(rows("t", train), rows("h", [{"passage": passage, "question": words(5)}, *passages(20)]))
    assert kinds(matches) == {str(number): "13-gram" for number in (0, *range(601, 625))}


def test_an_instruction_of_every_training_row_is_boilerplate_even_where_one_held_out_row_has_it():
    held = [{"instruction": BOILERPLATE, "passage": words(20)}, *passages(30)]
    train = [{"instruction": BOILERPLATE, "passage": words(20)} for _ in range(40)]
    assert found(rows("t", train), rows("h", held)).height == 0
    one_text = [{"passage": BOILERPLATE, "question": words(5)} for _ in range(40)]
    assert set(kinds(found(rows("t", one_text[:12] + passages(400)), rows("h", held))).values()) == {"exact"}
    assert set(kinds(found(rows("t", train[:10] + passages(400)), rows("h", held))).values()) == {"exact"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "\u0e40\u0e14\u0e34\u0e19\u0e17\u0e32\u0e07\u0e44\u0e1b",
            ["\u0e40\u0e14\u0e34", "\u0e19", "\u0e17\u0e32", "\u0e07", "\u0e44\u0e1b"],
        ),
        ("\u1780\u17b6\u1798", ["\u1780\u17b6", "\u1798"]),
        ("\u65e5\u672c go", ["\u65e5", "\u672c", "go"]),
    ],
)
def test_a_vowel_or_a_mark_is_no_word_by_itself_where_no_blanks_part_words(text, words):
    assert pl.DataFrame({"t": [text]}).select(normalised(pl.col("t"))).item().split(" ") == words


def test_a_match_names_both_rows_and_the_words_that_they_share():
    text = words(20)
    train, held = rows("t", [{"document": f"before {text} after"}]), rows("h", [{"passage": text, "question": "why"}])
    (match,) = found(train, held).to_dicts()
    assert match == {
        "task": "t",
        "split": "train",
        "row": "0",
        "field": "document",
        "kind": "13-gram",
        "held_out_task": "h",
        "held_out_split": "train",
        "held_out_row": "0",
        "held_out_field": "passage",
        "same_answer": False,
        "text": " ".join(text.split()[:13]),
    }


def test_an_answer_counts_where_it_is_long_and_never_by_itself_where_it_is_short():
    long = words(12)
    train = rows("t", [{"question": words(9)}, {"question": words(9)}], ["paris", long])
    held = rows("h", [{"question": words(9)}, {"question": words(9)}], ["paris", long])
    assert kinds(found(train, held)) == {"1": "exact"}


def test_the_same_question_tells_whether_the_answer_is_the_same_too():
    question, other = words(9), words(9)
    train = rows("t", [{"question": question}, {"question": other}], ["yes", "no"])
    held = rows("h", [{"question": question}, {"question": other}], ["yes", "yes"])
    assert dict(found(train, held).select("row", "same_answer").iter_rows()) == {"0": True, "1": False}


def test_a_short_question_is_found_under_another_passage():
    held = passages(200)
    train = [{**passage, "question": other["question"]} for passage, other in zip(passages(200), held, strict=True)]
    matches = found(rows("t", [*train, *passages(1_000)]), rows("h", held))
    assert kinds(matches) == {str(number): "short" for number in range(200)}
    assert set(matches["field"]) == set(matches["held_out_field"]) == {"question"}
    assert matches["held_out_row"].to_list() == matches["row"].to_list()


@pytest.mark.parametrize("number", [1, 2, 7])
def test_a_short_text_of_any_number_of_words_is_found_whatever_field_it_stands_in(number):
    text = words(number)
    held = rows("h", [{"premise": words(9), "hypothesis": text}, *passages(30)])
    train = [{"claim": f"{text.upper()}!", "evidence": words(20)}, {"sentence": text}, {"sentence": f"{text} {text}"}]
    assert kinds(found(rows("t", [*train, *passages(50)]), held)) == {"0": "short", "1": "short"}


def test_a_short_text_in_many_rows_is_boilerplate_however_few_the_rows_of_a_task_are():
    def asked(question: str, number: int) -> list[dict[str, str]]:
        return [{"passage": words(30), "question": question} for _ in range(number)]

    for trained, held in ((12, 1), (2, 1), (1, 2)):
        question, other = words(4), passages(20)
        told = found(rows("t", asked(question, trained) + passages(20)), rows("h", asked(question, held) + other))
        assert told.height == 0, (trained, held)
    question = words(4)
    many, few = asked(question, 10) + passages(400), asked(question, 1) + passages(20)
    assert kinds(found(rows("t", many), rows("h", few))) == {str(number): "short" for number in range(10)}


def test_short_instructions_that_are_taken_by_turns_are_boilerplate():
    turns = [words(4) for _ in range(40)]

    def told(number: int) -> list[dict[str, str]]:
        return [{"passage": words(30), "question": turns[row % 40]} for row in range(number)]

    assert found(rows("t", told(200)), rows("h", told(80))).height == 0
    assert found(rows("t", told(80)), rows("h", told(40))).height == 80  # one held-out row each: its own


def test_a_whole_input_that_is_short_is_found_in_however_many_rows():
    text = words(4)
    train, held = [{"question": text}] * 30, [{"question": text}, *passages(20)]
    assert found(rows("t", train), rows("h", held)).height == 30


def test_short_options_never_count_by_themselves():
    held = [{"question": words(9), "options": "left right"}]
    assert found(rows("t", [{"question": words(9), "options": "left right"}]), rows("h", held)).height == 0


def test_signs_tell_short_texts_apart():
    held = rows("h", [{"sum": "2 + 3 ="}, {"sum": "9 - 4"}])
    train = [{"sum": "2 - 3 ="}, {"sum": "2 + 3 = "}, {"sum": "9 \N{EN DASH} 4?"}, {"sum": "9 / 4"}]
    assert kinds(found(rows("t", train), held)) == {"1": "short", "2": "short"}


def test_one_passage_under_many_questions_is_no_boilerplate():
    passage = words(30)
    held = rows("h", [{"passage": passage, "question": words(4)} for _ in range(15)] + passages(300))
    train = rows("t", [{"passage": passage, "question": words(4)} for _ in range(40)] + passages(300))
    assert set(kinds(found(train, held))) == {str(number) for number in range(40)}


def test_batches_change_nothing():
    held, train = passages(50), passages(200)
    for place in range(20):
        train[place] = {**train[place], "passage": f"{words(3)} {held[place]['passage']}"}
    whole, side = rows("t", train), rows("h", held)
    parts = whole.partition_by("row", maintain_order=True)
    assert overlaps(parts, side).equals(found(whole, side))


def test_nothing_is_found_in_nothing():
    empty = pl.DataFrame(schema=TEXTS)
    assert found(empty, rows("h", passages(3))).height == 0
    assert found(rows("t", passages(3)), empty).height == 0
    assert overlaps([], rows("h", passages(3))).height == 0


TEXT = st.lists(st.sampled_from("abc"), max_size=12).map(" ".join)


@given(texts=st.lists(TEXT, max_size=6), size=st.integers(1, 4))
def test_runs_of_words_are_those_of_each_text(texts, size):
    held = words_of(pl.Series(texts, dtype=pl.String))
    hashes, places = grams(held, size)
    runs = [text.split()[i : i + size] for text in texts for i in range(len(text.split()) - size + 1)]
    assert [text_at(texts, held, place, size).split() for place in places.tolist()] == runs
    same = {(tuple(a), tuple(b)): a == b for a in runs for b in runs}
    numbers = hashes.tolist()
    for (i, a), (j, b) in ((x, y) for x in enumerate(runs) for y in enumerate(runs)):
        assert (numbers[i] == numbers[j]) == same[tuple(a), tuple(b)]


@given(texts=st.lists(TEXT, max_size=4), data=st.data())
def test_no_run_goes_over_a_covered_word(texts, data):
    held = words_of(pl.Series(texts, dtype=pl.String))
    size = len(held.hashes)
    covered = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=bool)
    _, places = grams(without(held, covered), 3)
    _, every = grams(held, 3)
    assert places.tolist() == [place for place in every.tolist() if not covered[place : place + 3].any()]


def test_frames_that_wait_on_disk_come_back_as_often_as_they_are_asked_for():
    frames = [rows("t", passages(number)) for number in (3, 0, 2)]
    with spool() as waiting:
        assert list(waiting.frames()) == []
        for frame in frames:
            waiting.write(frame)
        for _ in range(2):
            assert all(map(pl.DataFrame.equals, waiting.frames(), frames))
        assert [frame.schema for frame in waiting.frames()] == [TEXTS] * 3
