"""Weights in the loss: an answer against what stands around it, a pair against others, in both layouts."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from chat_model import encoder as chat_encoder
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import built, encoder, pairs_in

from instruction_kit.errors import TokenError
from instruction_kit.token.encoder import Encoder
from instruction_kit.token.row import IGNORED
from instruction_kit.token.shard import Wanted, tokenise
from instruction_kit.token.weigh import Weighing, weights

REASON = "It is red. The answer is "
ROWS = [
    ("a\n", f"{REASON}blue.", len(REASON), len(REASON) + 4, "color"),
    ("b\n", "blue", 0, 4, "color"),
    ("c\n", "no answer here", None, None, "add"),
    ("d\n", "🙂 cafe\u0301 12 so: 7", 13, 14, "add"),
]


def table(rows: list[Any]) -> pa.RecordBatch:
    names = ("prompt", "completion", "answer_start", "answer_end", "task")
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    empty: list[Any] = [[] for _ in rows]
    return pa.record_batch({**columns, "question_start": [0] * len(rows), "exemplars": empty, "turns": empty})


def weighed(made: Encoder, weighing: Weighing, rows: list[Any]) -> list[tuple[list[int], list[float]]]:
    """The ids and weights of each completion; outside it every weight is 0."""
    of = table(rows)
    batch = made.batch(of)
    found, told = [], weights(weighing, batch, of, made).tolist()
    for place, (before, inside, after) in enumerate(batch.sizes.tolist()):
        ids = batch.ids(np.array([place])).to_pylist()
        own, told = told[: len(ids)], told[len(ids) :]
        assert own[:before] == [0] * before
        assert own[before + inside :] == [0] * after
        found.append((ids[before : before + inside], own[before : before + inside]))
    assert told == []
    return found


@pytest.mark.parametrize("made", [encoder(), chat_encoder("headers"), chat_encoder("chatml")])
def test_tokens_of_the_answer_weigh_more_than_the_reasons_before_it_and_so_does_the_stop_token(made):
    found = weighed(made, Weighing(answer=2.0, rationale=0.5), ROWS)
    for (ids, own), (_, completion, start, end, _) in zip(found, ROWS, strict=True):
        assert own[-1] == 2.0
        assert ids[-1] == made.stop_id
        heavy = made.tokenizer.decode(
            [token for token, weight in zip(ids[:-1], own[:-1], strict=True) if weight == 2.0]
        )
        light = [weight for weight in own if weight != 2.0]
        assert set(light) <= {0.5}
        if start is None or (start, end) == (0, len(completion)):
            assert light == []
        else:
            assert light
            assert heavy.strip() == completion[start:end]


def test_every_pair_weighs_the_same_where_that_is_asked_for_and_tasks_as_they_are_told():
    for weighing, wanted in (
        (Weighing(per="pair"), [1, 1, 1, 1]),
        (Weighing(per="pair", answer=3.0, rationale=1.0), [1, 1, 1, 1]),
        (Weighing(per="pair", tasks={"add": 0.25}), [1, 1, 0.25, 0.25]),
    ):
        sums = [sum(own) for _, own in weighed(encoder(), weighing, ROWS)]
        assert sums == pytest.approx(wanted, rel=1e-5)
    by_task = weighed(encoder(), Weighing(tasks={"add": 4.0}), ROWS)
    assert [set(own) for _, own in by_task] == [{1.0}, {1.0}, {4.0}, {4.0}]


@given(st.text(max_size=20), st.text("abé🙂 \n", min_size=1, max_size=8), st.text(max_size=20))
def test_the_answer_is_inside_the_heavy_tokens_whatever_stands_around_it(before, answer, after):
    row = ("p\n", before + answer + after, len(before), len(before) + len(answer), "color")
    made = encoder()
    [(ids, own)] = weighed(made, Weighing(rationale=0.0), [row])
    heavy = [token for token, weight in zip(ids[:-1], own[:-1], strict=True) if weight]
    assert answer in made.tokenizer.decode(heavy)
    neighbours = len(made.tokenizer.decode(heavy)) - len(answer)
    assert neighbours <= 2 * max(map(len, made.tokenizer.get_vocab()))


def test_shards_hold_a_weight_for_each_token_and_null_where_all_are_even(tmp_path):
    even = Weighing(answer=2.0, rationale=2.0)
    assert even.is_even
    tokenise(built(), tmp_path / "even", Wanted(256, packing=True, weighing=even), encoder=encoder())
    assert {pair["loss_weights"] for pair in pairs_in(tmp_path / "even")} == {None}
    weighing = Weighing(per="pair", tasks={"add": 2.0})
    record = tokenise(built(), tmp_path / "pair", Wanted(256, packing=True, weighing=weighing), encoder=encoder())
    assert record.identity.weighing == weighing
    for pair in pairs_in(tmp_path / "pair"):
        own = np.array(pair["loss_weights"])
        assert (own > 0).tolist() == [label != IGNORED for label in pair["labels"]]
        assert own.sum() == pytest.approx(2 if pair["m_task"] == "add" else 1, rel=1e-5)


def test_a_weight_of_a_task_that_does_not_train_is_an_error_with_the_nearest(tmp_path):
    wanted = Wanted(256, weighing=Weighing(tasks={"colour": 2.0}))
    with pytest.raises(TokenError, match=r"weights of tasks that .* does not train on: colour: did you mean color\?"):
        tokenise(built(), tmp_path, wanted, encoder=encoder())


@pytest.mark.parametrize("values", [{"answer": 0}, {"rationale": -1}, {"tasks": {"x": 0}}, {"answer": float("inf")}])
def test_a_weight_that_is_no_weight_is_refused(values):
    with pytest.raises(ValueError, match="Input should be"):
        Weighing(**values)
