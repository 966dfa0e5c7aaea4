"""How options are listed: any style, any order, by hash; and nothing of it goes with the right answer."""

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from binomial import binomial_bounds
from small_task import CLASSES, claims, phrasings, verdicts

from instruction_kit import Frame, Mixture, Task
from instruction_kit.errors import MixtureError
from instruction_kit.schema import Choice, Schema, Text
from instruction_kit.template.style import STYLES, answers, block, variants

NUM_ROWS = 4_000


class Quiz(Schema):
    """A schema of the tests' own, so that no shipped phrasing joins in."""

    target = Choice(options="options", answer="answer")
    question: Text
    options: list[Text]
    answer: int


ASK = {
    "verdict/ask": "{{ claim }}\n\n{{ options }}\n|||\n{{ answer }}",
    "quiz/ask": "{{ question }}\n\n{{ options }}\n|||\n{{ answer }}",
}


def built(folder: Path, task: Task, **options: Any) -> pl.DataFrame:
    values = {"num_validation": 0, "rates": {"kind": "examples_proportional", "maximum": NUM_ROWS}, **options}
    made = Mixture(tasks=[task], paths=[phrasings(folder, ASK)], **values).dataset()["train"]["train"]
    return pl.DataFrame(made.to_polars())


def quiz(count: int) -> Task:
    """Two to six options, the right one always the first of the source."""
    rows = [
        {"id": str(n), "question": f"Question {n}?", "options": [f"{n}-{i}" for i in range(2 + n % 5)]}
        for n in range(count)
    ]
    columns = {"question": "question", "options": "options", "answer": pl.lit(0)}
    source = Frame(pl.DataFrame(rows))
    return Task(name="quiz", cluster="quizzes", schema=Quiz, source=source, columns=columns, key="id")


def within(count: int, trials: int, chance: float) -> bool:
    low, high = binomial_bounds(trials, chance)
    return low <= count <= high


@pytest.fixture(scope="module")
def listed(tmp_path_factory) -> pl.DataFrame:
    return built(tmp_path_factory.mktemp("all"), verdicts(claims(NUM_ROWS)))


def gold_positions(pairs: pl.DataFrame) -> list[int]:
    """Where the first reference stands among the options, by the words or by the label of some style."""
    found = []
    for options, completion in pairs.select("options", "completion").iter_rows():
        places = [
            answers(options, style, listed=True).index(completion)
            for style in STYLES.values()
            if completion in answers(options, style, listed=True)
        ]
        found.append(places[0])
    return found


def test_the_right_answer_stands_everywhere_as_often(listed):
    texts = listed.filter(pl.col("completion").is_in(CLASSES))
    places = Counter(gold_positions(texts))
    assert all(within(places[place], texts.height, 1 / 3) for place in range(3))


def test_labels_are_answered_as_often_as_each_other(listed):
    letters = Counter(listed.filter(pl.col("completion").is_in(["(A)", "(B)", "(C)"]))["completion"])
    assert all(within(count, letters.total(), 1 / 3) for count in letters.values())
    assert letters.total() > NUM_ROWS / 30


def test_options_of_the_row_s_own_are_permuted_too(tmp_path):
    pairs = built(tmp_path, quiz(NUM_ROWS), option_styles=["dash"])
    for count in range(2, 7):
        rows = pairs.filter(pl.col("options").list.len() == count)
        places = Counter(gold_positions(rows))
        assert all(within(places[place], rows.height, 1 / count) for place in range(count))


def test_each_style_has_its_share_and_each_phrase_above_the_list_too(listed):
    shown: Counter[str] = Counter()
    for prompt, options in listed.select("prompt", "options").iter_rows():
        ends = {name: [f"\n\n{block(options, variant)}\n" for variant in variants(name)] for name in STYLES}
        (style,) = [name for name, blocks in ends.items() if prompt.endswith(tuple(blocks))]
        shown[style] += 1
    assert set(shown) == set(STYLES)
    assert all(within(count, NUM_ROWS, 1 / len(STYLES)) for count in shown.values())
    starts = Counter(line for prompt in listed["prompt"] for line in prompt.split("\n")[2:3] if line.endswith(":"))
    assert len(starts) == 6


def test_every_label_means_the_option_that_it_marks(listed):
    labels = listed.filter(~pl.col("completion").is_in(CLASSES))
    assert labels.height > NUM_ROWS / 2
    for prompt, completion, row in labels.select("prompt", "completion", "row").iter_rows():
        right = CLASSES[int(row.removeprefix("c")) % 3]
        mark = prompt.rpartition(f" {right}")[0].split()[-1]
        assert mark.strip("()[].") == completion.strip("()[]")


def of_many(options: list[str]) -> Task:
    """Each of the options is once the right one."""
    rows = [{"id": str(n), "question": f"Question {n}?", "options": options, "answer": n} for n in range(len(options))]
    columns = {name: name for name in ("question", "options", "answer")}
    source = Frame(pl.DataFrame(rows))
    return Task(name="quiz", cluster="quizzes", schema=Quiz, source=source, columns=columns, key="id")


@pytest.mark.parametrize("count", [2, 27, 100])
def test_from_2_to_100_options_every_answer_leads_back_to_the_option_that_is_right(tmp_path, count):
    """In whatever style, from what the prompt lists: each style is that of some rows."""
    options, styles = [f"this is choice number {n}" for n in range(count)], Counter[str]()
    for pair in built(tmp_path, of_many(options), num_pairs=300, max_repeats=300).iter_rows(named=True):
        lists = {name: [f"\n{block(pair['options'], variant)}\n" for variant in variants(name)] for name in STYLES}
        (style,) = [name for name, blocks in lists.items() if pair["prompt"].endswith(tuple(blocks))]
        said = answers(pair["options"], STYLES[style], listed=True)
        places = [at for at, answer in enumerate(said) if answer == pair["completion"]]
        assert [pair["options"][at] for at in places] == [options[int(pair["row"])]]
        styles[style] += 1
    assert set(styles) == set(STYLES)


@pytest.mark.parametrize("style", ["dash", "letter"])
def test_equal_options_are_right_together_and_each_keeps_its_label(tmp_path, style):
    options = ["yes", "no", "yes"]
    for pair in built(tmp_path / "one", of_many(options), option_styles=[style]).iter_rows(named=True):
        said = answers(pair["options"], STYLES[style], listed=True)
        places = [place for place, answer in enumerate(said) if answer == pair["completion"]]
        assert {pair["options"][place] for place in places} == {options[int(pair["row"])]}
    held = Mixture(
        tasks=[of_many(options), verdicts(claims(9))],
        hold_out=["quizzes"],
        option_styles=[style],
        num_validation=0,
        paths=[phrasings(tmp_path / "held", ASK)],
    )
    for pair in held.dataset()["held_out"]["quiz__train"].to_list():
        right = [place for place, word in enumerate(pair["options"]) if word == options[int(pair["row"])]]
        assert sorted(pair["gold"]) == right


def test_the_source_s_order_and_one_style_can_be_asked_for(tmp_path):
    pairs = built(tmp_path, verdicts(claims(60)), option_styles=["number"], option_order="source")
    assert pairs["options"].to_list() == [CLASSES] * 60
    right = {f"c{n}": str(n % 3 + 1) for n in range(60)}
    assert dict(pairs.select("row", "completion").iter_rows()) == right
    assert all("1) true\n2) false\n3) open" in prompt for prompt in pairs["prompt"])


def test_a_new_row_changes_no_other_s_listing(tmp_path):
    few = built(tmp_path / "few", verdicts(claims(50)))
    more = built(tmp_path / "more", verdicts(claims(80)))
    both = few.join(more, on="row", suffix="_more")
    assert both.height == 50
    assert both["prompt"].to_list() == both["prompt_more"].to_list()


def test_a_measured_row_has_one_order_in_all_its_phrasings(tmp_path):
    texts = {**ASK, "verdict/again": "Claim: {{ claim }}\n{{ options }}\n|||\n{{ answer }}"}
    mixture = Mixture(
        tasks=[verdicts(claims(30)), verdicts(claims(90), name="held", cluster="away")],
        hold_out=["away"],
        paths=[phrasings(tmp_path, texts)],
        num_validation=0,
    )
    held = mixture.dataset()["held_out"]["held__train"].to_polars()
    orders = held.group_by("row").agg(pl.col("options").unique(), pl.len())
    assert set(orders["len"]) == {2}
    assert set(orders["options"].list.len()) == {1}
    assert held["options"].n_unique() == 6
    assert all(held["candidates"].to_list()[i] == options for i, options in enumerate(held["options"].to_list()))


def test_a_style_that_does_not_exist_is_told_with_the_nearest():
    with pytest.raises(MixtureError) as error:
        Mixture(option_styles=["leter"])
    assert str(error.value).startswith("option_styles: there is no style leter; did you mean letter")
