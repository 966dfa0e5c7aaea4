"""How long pairs are about to be: from how much text rows hold, before any is rendered; and tokens divided so."""

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_task import built, claims, counts, pairs, phrasings, recitals, verdicts

from instruction_kit import Frame, Mixture, Task
from instruction_kit.build.manifest import MANIFEST
from instruction_kit.build.quota import quotas
from instruction_kit.build.share import Amount, Place, sums
from instruction_kit.build.size import Sizes, expected_tokens
from instruction_kit.built.verify import verify
from instruction_kit.errors import MixtureError
from instruction_kit.schema import OpenInstruction

texts = st.lists(st.one_of(st.none(), st.text(max_size=9)), max_size=9)


@given(texts, texts)
def test_sizes_are_bytes_and_add_up_whatever_the_batches(one, other):
    frames = [
        pl.DataFrame({"row": part, "text": part}, schema=dict.fromkeys(("row", "text"), pl.String))
        for part in (one, other)
    ]
    apart = Sizes()
    for frame in frames:
        apart.add_all(Sizes.of(frame))
    assert apart == Sizes.of(pl.concat(frames))
    present = [text for text in (*one, *other) if text is not None]
    assert apart.fields == {"text": (len(present), len(present), sum(len(text.encode()) for text in present))}


def test_lists_and_turns_are_counted_by_what_they_hold():
    said = [[{"role": "user", "content": "äb"}, {"role": "assistant", "content": "c"}], None]
    frame = pl.DataFrame({"turns": said, "options": [["a", "bc"], ["d"]], "number": [1, 2]})
    assert Sizes.of(frame).fields == {"turns": (1, 2, 4), "options": (2, 3, 4)}


def test_a_pair_is_expected_as_long_as_its_row_and_the_words_of_its_template(tmp_path):
    paths = phrasings(tmp_path, {"recital/go_on": "Go on: {{ cue }}\n|||\n{{ answer }}"})
    mixture = Mixture(tasks=[recitals(10)], paths=[paths], settings={"zero_shot.no_options": 1})
    sizes = Sizes(10, {"cue": (10, 10, 200), "line": (10, 10, 70)})
    length = len("Go on: ") + 20 + len("\n") + 7
    assert expected_tokens(mixture, "recitals", sizes) == {"zero_shot.no_options": length / 4}
    few = mixture.model_copy(update={"settings": {"few_shot.no_options": 1}, "exemplars": {"num": [2, 4]}})
    assert 4 * length / 4 < expected_tokens(few, "recitals", sizes)["few_shot.no_options"] < 4 * length / 4 + 15
    short = few.model_copy(update={"budget": {"characters": 100}})
    assert expected_tokens(short, "recitals", sizes) == {"few_shot.no_options": 25}
    assert expected_tokens(mixture, "recitals", Sizes(10)) == {}


@pytest.mark.parametrize("settings", [{"zero_shot.options": 1}, {"zero_shot.options": 1, "few_shot.no_options": 2}])
def test_what_was_expected_stands_beside_what_was_written_and_is_near_it(tmp_path, settings):
    paths = phrasings(tmp_path / "paths")
    tasks = [verdicts(claims(400), name="v"), recitals(300)]
    manifest = built(tmp_path / "out", paths, *tasks, settings=settings, num_validation=20)
    for share in manifest.shares:
        assert share.expected_tokens == pytest.approx(share.tokens, rel=0.1)
        assert share.expected_pairs == pytest.approx(share.pairs, rel=0.1)
    written = pairs(tmp_path / "out").select(pl.col("prompt").str.len_bytes() + pl.col("completion").str.len_bytes())
    in_clusters = [share.tokens for share in manifest.shares if share.by == "cluster"]
    assert sum(in_clusters) == written.sum().item() / 4
    plan = Mixture(tasks=tasks, paths=[paths], settings=settings, num_validation=20).plan()
    assert {(s.by, s.name): (s.expected_pairs, s.expected_tokens) for s in manifest.shares} == {
        key: tuple(amount) for key, amount in plan.sums.items()
    } or plan.sums == {}  # frames in memory are planned by their rows, which no scan has read


def test_conversations_and_missing_fields_are_expected_as_most_rows_have_them(tmp_path):
    rows = [
        {
            "instruction": "Say it again.",
            "input": None,
            "output": "It.",
            "turns": [{"role": "user", "content": "Say it."}] * 2,
        }
        for _ in range(9)
    ]
    frame = pl.DataFrame(rows, schema_overrides={"input": pl.String})
    columns = {name: pl.col(name) for name in ("instruction", "output", "turns")}
    task = Task(name="talk", cluster="talking", schema=OpenInstruction, source=Frame(frame), columns=columns)
    manifest = Mixture(tasks=[task], settings={"zero_shot.no_options": 1}, num_validation=0).build(tmp_path / "out")
    share = next(share for share in manifest.shares if share.by == "task")
    assert share.expected_tokens == pytest.approx(share.tokens, rel=0.25)


# --- tokens divided ---------------------------------------------------------------------------------------------------


def long(count: int, times: int) -> pl.DataFrame:
    return claims(count).with_columns((pl.col("claim") + " And so on." * times).alias("claim"))


def test_tokens_are_divided_by_the_rates(tmp_path):
    paths = phrasings(tmp_path / "paths")
    tasks = [verdicts(long(300, 0), name="short"), verdicts(long(300, 60), name="long")]
    manifest = built(tmp_path / "out", paths, *tasks, num_tokens=10_000, rates={"kind": "equal"})
    tokens = {share.name: share.tokens for share in manifest.shares if share.by == "task"}
    assert tokens == {"long": pytest.approx(5_000, rel=0.1), "short": pytest.approx(5_000, rel=0.1)}
    made = counts(tmp_path / "out")
    assert made["short"] > 5 * made["long"]
    assert verify(tmp_path / "out").problems == ()


@given(st.lists(st.tuples(st.integers(1, 10**4), st.floats(1, 999)), min_size=1, max_size=5), st.integers(2_500, 10**6))
def test_under_tokens_too_a_new_task_gives_none_a_pair_more(tasks, total):
    def divide(count: int) -> dict[str, int]:
        chosen = [verdicts(claims(1), name=f"t{n}") for n in range(count)]
        mixture = Mixture(tasks=chosen, num_tokens=total, max_repeats=10**9, wording="fields")
        named = {f"t{n}": task for n, task in enumerate(tasks[:count])}
        made = quotas(mixture, {n: rows for n, (rows, _) in named.items()}, {n: size for n, (_, size) in named.items()})
        return {name: quota.pairs for name, quota in made.items()}

    after = divide(len(tasks))
    before = divide(len(tasks) - 1) if len(tasks) > 1 else {}
    assert all(after[name] <= pairs for name, pairs in before.items())


def test_tokens_of_which_nobody_can_tell_are_refused():
    mixture = Mixture(tasks=[verdicts(claims(9))], num_tokens=100, wording="fields")
    with pytest.raises(MixtureError) as error:
        quotas(mixture, {"verdicts": 9}, {})
    told = "how long the pairs of verdicts are cannot be told before they are written; give num_pairs"
    assert str(error.value) == f"num_tokens: {told}"


def test_fewer_tokens_than_any_pair_has_are_refused():
    mixture = Mixture(tasks=[verdicts(claims(9), name=name) for name in "ab"], num_tokens=15, wording="fields")
    assert quotas(mixture, {"a": 9, "b": 9}, {"a": 14.0, "b": 20.0})["a"].pairs == 1
    with pytest.raises(MixtureError) as error:
        quotas(mixture, {"a": 9, "b": 9}, {"a": 30.0, "b": 20.0})
    told = "15 give no task a pair; the shortest, of b, are of about 20 tokens; raise num_tokens, or take tasks out"
    assert str(error.value) == f"num_tokens: {told}"


def test_more_tokens_than_the_rows_have_say_which_key_to_lower():
    mixture = Mixture(tasks=[verdicts(claims(9))], num_tokens=10_000, wording="fields")
    with pytest.raises(MixtureError, match=r"^num_tokens 10000 would use .* verdicts 112 times; lower num_tokens, "):
        quotas(mixture, {"verdicts": 9}, {"verdicts": 10.0})


def test_rows_are_bounded_by_the_number_of_phrasings(tmp_path):
    paths = phrasings(tmp_path / "paths")
    options: dict[str, Any] = {"num_examples_per_phrasing": 20, "settings": {"zero_shot.no_options": 1}}
    built(tmp_path / "out", paths, verdicts(claims(300), name="v"), recitals(300), **options)
    assert counts(tmp_path / "out") == {"recitals": 2 * 20, "v": 3 * 20}
    per_template = counts(tmp_path / "out", "template")
    assert all(5 < count < 36 for count in per_template.values())  # 20 each within sampling error
    built(tmp_path / "two", paths, verdicts(claims(300), name="v"), phrasings=2, **options)
    assert counts(tmp_path / "two") == {"v": 3 * 20}
    built(tmp_path / "few", paths, verdicts(claims(30), name="v"), **options)
    assert counts(tmp_path / "few") == {"v": 30}


# --- sums -------------------------------------------------------------------------------------------------------------


def test_amounts_are_summed_over_parts_clusters_tasks_and_settings():
    amounts = {"a": {"s": Amount(1, 2.0), "t": Amount(3, 4.0)}, "b": {"s": Amount(5, None)}}
    found = sums(amounts, {"a": Place("x", "p"), "b": Place("x", "")})
    assert found == {
        ("part", "p"): Amount(4, 6.0),
        ("cluster", "x"): Amount(9, None),
        ("task", "a"): Amount(4, 6.0),
        ("task", "b"): Amount(5, None),
        ("setting", "s"): Amount(6, None),
        ("setting", "t"): Amount(3, 4.0),
    }


def test_shares_that_the_files_do_not_have_are_found(tmp_path):
    built(tmp_path / "out", phrasings(tmp_path / "paths"), verdicts(claims(9)))
    file = tmp_path / "out" / MANIFEST
    said = json.loads(file.read_text(encoding="utf-8"))
    said["shares"][0]["pairs"] += 1
    said["shares"][1]["tokens"] *= 2
    file.write_text(json.dumps(said), encoding="utf-8")
    tokens = said["shares"][0]["tokens"]
    assert [str(problem) for problem in verify(tmp_path / "out").problems] == [
        f"manifest.json: cluster judging: 10 pairs and {tokens:,.0f} tokens, its files have 9 and {tokens:,.0f}",
        f"manifest.json: task verdicts: 9 pairs and {2 * tokens:,.0f} tokens, its files have 9 and {tokens:,.0f}",
    ]
