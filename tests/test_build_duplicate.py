"""Copies among rows: every planted one is found, nothing else is, and one row of each kind stays."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruction_kit.build.duplicate import COPIES, KEY, KIND, NUM_LONG, NUMBER, SIMILAR, copies
from instruction_kit.choice import keys, row_hashes

FIELDS = ("passage", "question", "answer")
SENTENCE = st.lists(st.sampled_from("abcdefgh"), min_size=0, max_size=14).map(" ".join)
ROWS = st.lists(st.tuples(SENTENCE, SENTENCE, st.sampled_from(["yes", "no"])), max_size=14)


def table(rows, *, kind: str = "reading", turns: list[int] | None = None) -> pl.DataFrame:
    """Rows as text, each with its turn: by default in the order in which they stand."""
    frame = pl.DataFrame(rows, schema=dict.fromkeys(FIELDS, pl.String()), orient="row").with_row_index(NUMBER)
    turn = pl.Series(KEY, range(len(rows)) if turns is None else turns, dtype=pl.UInt64)
    return frame.with_columns(pl.col(NUMBER).cast(pl.Int64), turn, pl.lit(kind).alias(KIND))


def found(*frames: pl.DataFrame, near: bool = True) -> dict[int, int]:
    made = copies(lambda: frames, near=near)
    assert made.schema == COPIES
    return dict(made.select("copy", "of").iter_rows())


def words(number: int, count: int) -> list[str]:
    drawn = keys(row_hashes([f"{number}-{place}" for place in range(count)]), 0, "words") % 5_000
    return [f"w{word}" for word in drawn.tolist()]


def passages(count: int) -> list[tuple[str, str, str]]:
    """Five questions to each passage, as in SQuAD."""
    return [
        (" ".join(words(n // 5, 60)), " ".join(words(1_000_000 + n, 9)), ("yes", "no")[n % 2]) for n in range(count)
    ]


def test_every_planted_copy_is_found_and_no_row_that_only_shares_its_passage():
    rows = passages(1_500)
    exact = [rows[n] for n in range(0, 300, 3)]
    near = []
    for n in range(300, 600, 3):
        passage = rows[n][0].split()
        passage[n % 60] = "altered"
        near.append((" ".join(passage), *rows[n][1:]))
    made = copies(lambda: [table(rows + exact + near)], near=True)
    assert dict(made.select("copy", "of").iter_rows()) == {
        **{1_500 + place: 3 * place for place in range(100)},
        **{1_600 + place: 300 + 3 * place for place in range(100)},
    }
    assert made.group_by("kind").len().sort("kind").rows() == [("exact", 100), ("near", 100)]
    alike = made.filter(pl.col("kind") == "near")["similarity"].to_list()
    assert 1 > max(alike) >= min(alike) >= SIMILAR
    assert found(table(rows + exact + near), near=False) == {1_500 + place: 3 * place for place in range(100)}


def test_a_short_field_must_be_the_same():
    long = " ".join(words(1, 40))
    other = " ".join(["new", *words(1, 40)[1:]])
    rows = [(long, "who won", "yes"), (other, "who won", "no"), (other, "who lost", "yes"), (other, "who won", "yes")]
    assert found(table(rows)) == {3: 0}


def test_each_long_field_must_be_alike():
    long, others = " ".join(words(1, 400)), [" ".join(words(n, NUM_LONG)) for n in range(2, 5)]
    assert found(table([(long, other, "yes") for other in others])) == {}


def test_rows_of_two_schemas_are_no_copies():
    row = (" ".join(words(1, 30)), "why", "yes")
    other = table([row], kind="listening").with_columns(pl.col(NUMBER) + 1)
    assert found(table([row]), other) == {}


def test_the_row_whose_turn_is_first_stays_whatever_the_order():
    row = (" ".join(words(1, 30)), "why", "yes")
    assert found(table([row] * 3, turns=[5, 2, 9]), near=False) == {0: 1, 2: 1}


def test_what_is_a_copy_of_a_near_copy_is_told_beside_the_row_that_stays():
    first = words(1, 40)
    near = ["altered", *first[1:]]
    rows = [(" ".join(one), "why", "yes") for one in (first, near, near)]
    made = copies(lambda: [table(rows)], near=True)
    assert sorted(made.select("copy", "of", "kind").rows()) == [(1, 0, "near"), (2, 0, "near")]


def test_of_nothing_nothing_is_a_copy():
    assert found() == found(table([])) == found(table([("", "", "yes")])) == {}


def test_rows_of_an_answer_alone_are_copies_where_that_is_the_same():
    rows = pl.DataFrame({NUMBER: [0, 1, 2], KEY: [0, 1, 2], KIND: ["a", "b", "a"]}, schema_overrides={KEY: pl.UInt64})
    assert found(rows) == {2: 0}


def brute(rows, *, near: bool) -> dict[int, int]:
    """The rule itself, every row against every row that stayed."""

    def runs(text: str) -> set[tuple[str, ...]]:
        own = text.split()
        return {tuple(own[n : n + 3]) for n in range(len(own) - 2)}

    def alike(one, other) -> bool:
        both = zip(one, other, strict=True)
        return all(
            a == b or (len(a.split()) >= NUM_LONG <= len(b.split()) and jaccard(a, b) >= SIMILAR) for a, b in both
        )

    def jaccard(a: str, b: str) -> float:
        return len(runs(a) & runs(b)) / len(runs(a) | runs(b))

    firsts = {row: rows.index(row) for row in rows}
    stay: list[int] = []
    gone: dict[int, int] = {}
    for number in sorted(firsts.values()):
        like = [other for other in stay if near and alike(rows[number], rows[other])]
        if like:
            gone[number] = like[0]
        else:
            stay.append(number)
    return gone | {n: gone.get(firsts[row], firsts[row]) for n, row in enumerate(rows) if firsts[row] != n}


@given(ROWS, st.data())
@settings(deadline=None)
def test_what_is_found_is_what_comparing_every_two_rows_finds(rows, data):
    for row in data.draw(st.lists(st.sampled_from(rows), max_size=4)) if rows else ():
        at = data.draw(st.integers(0, len(row[0])))
        rows.append((f"{row[0][:at]}{data.draw(st.sampled_from(['', ' a b']))}{row[0][at:]}", *row[1:]))
    rows = [(" ".join(passage.split()), *rest) for passage, *rest in rows]
    for near in (False, True):
        assert found(table(rows), near=near) == brute(rows, near=near)


@given(ROWS, st.integers(1, 5), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_neither_batches_nor_the_order_of_rows_change_anything(rows, size, order):
    whole = table(rows)
    parts = [whole[at : at + size] for at in range(0, len(rows), size)]
    order.shuffle(parts)
    assert found(*parts) == found(whole)


def test_a_library_that_is_not_there_is_named_with_the_line_that_installs_it(monkeypatch):
    from instruction_kit.errors import MissingExtraError

    monkeypatch.setitem(__import__("sys").modules, "datasketch", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'instruction-kit\[near\]'"):
        found(table(passages(2)))
    assert found(table(passages(2)), near=False) == {}
