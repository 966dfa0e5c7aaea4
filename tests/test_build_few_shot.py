"""Few-shot pairs of a built mixture: nothing measured is shown, no row is shown itself, and choices are of each row."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_task import built, claims, pairs, phrasings, recitals, task_file, verdicts

from instruction_kit import Files, Mixture
from instruction_kit.build.losses import unmeasured
from instruction_kit.built.verify import verify
from instruction_kit.errors import MixtureError, TaskError
from instruction_kit.exemplar.prompt import NONE_LEFT

SHOTS: dict[str, Any] = {"settings": {"few_shot.options": 1, "few_shot.no_options.inverted": 1}, "num_validation": 5}
HELD = {"hold_out": ["judged"], "held_out_settings": ["few_shot.options", "zero_shot.options"]}
INVENT = "Write a claim that is {{ answer }}.\n|||\n{{ claim }}"
LISTED = "---\nstyle: letter\n---\n{{ claim }}\n\n{{ options }}\n|||\nI take {{ answer }}."
TEXTS = {"verdict/ask": "{{ claim }}\n\nTrue?\n\n{{ options }}\n|||\n{{ answer }}", "verdict/letter": LISTED}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Both roles; the held-out task has train alone, so that its exemplars and its measured rows are of one split."""
    made = tmp_path_factory.mktemp("shots")
    tasks = [verdicts(claims(80)), verdicts(claims(30, start=100), name="held", cluster="judged")]
    paths = phrasings(made / "paths", {**TEXTS, "verdict/invent": INVENT})
    built(made / "out", paths, *tasks, **SHOTS, **HELD, num_held_out=10, phrasings=2, exemplars={"num": [1, 4]})
    return Path(made / "out")


def every(folder: Path) -> pl.DataFrame:
    held = pairs(folder, "held__train", "held_out")
    return pl.concat([*(pairs(folder, split) for split in ("train", "validation", "seen")), held])


def shown(frame: pl.DataFrame) -> pl.DataFrame:
    """One line for each exemplar, beside the pair that shows it."""
    return (
        frame.filter(pl.col("exemplars").list.len() > 0)
        .explode("exemplars")
        .with_columns(pl.col("exemplars").struct.rename_fields(["shown", "asked", "said"]))
        .unnest("exemplars")
    )


def test_verify_accepts_it(folder):
    assert verify(folder).problems == ()


def test_no_row_is_shown_itself(folder):
    """In FLAN a query was among its own exemplars with a chance of about k/N: in 8% of CommitmentBank's rows."""
    lines = shown(every(folder))
    assert lines.height > 400
    assert lines.filter(pl.col("row") == pl.col("shown")).height == 0
    plain = lines.filter(~pl.col("inverted")).iter_rows(named=True)
    assert not [row for row in plain if row["asked"] in row["prompt"][row["question_start"] :]]


def test_nothing_that_is_measured_is_shown(folder):
    whole = every(folder)
    measured = pl.concat([pairs(folder, "validation"), pairs(folder, "held__train", "held_out")])
    both = shown(whole).join(measured.select("task", shown="row"), on=["task", "shown"], how="semi")
    assert both.height == 0
    assert measured["row"].n_unique() == 15


def test_an_exemplar_is_phrased_and_listed_as_its_question_is(folder):
    """In FLAN 2021 each exemplar had a template of its own, turned-around ones among them."""
    for row in shown(every(folder)).iter_rows(named=True):
        if row["template"] == "verdict/letter":
            assert row["said"] in {f"I take ({letter})." for letter in "ABC"}
        if row["inverted"]:
            assert row["asked"].startswith("Write a claim that is ")
        elif row["template"] == "verdict/ask":
            own = row["prompt"][row["question_start"] :].split("\n\n")[2]
            theirs = row["asked"].split("\n\n")[2]
            assert marks(own) == marks(theirs)


def marks(options: str) -> str:
    """A list of options without its words."""
    for word in ("true", "false", "open"):
        options = options.replace(word, "_")
    return options


def test_where_exemplars_list_their_options_is_their_own_affair(folder):
    lines = shown(pairs(folder).filter(pl.col("template") == "verdict/letter"))
    assert set(Counter(lines["said"].to_list())) == {f"I take ({letter})." for letter in "ABC"}


def test_numbers_are_of_the_row_and_not_of_the_template(folder):
    train = pairs(folder).with_columns(num=pl.col("exemplars").list.len())
    for (_,), mine in train.group_by(["template"]):
        assert set(mine["num"]) == {1, 2, 3, 4}


def test_a_measured_row_has_the_same_exemplars_under_all_templates(folder):
    held = pairs(folder, "held__train", "held_out").filter(pl.col("setting") == "few_shot.options")
    rows = held.select("row", "template", names=pl.col("exemplars").list.eval(pl.element().struct.field("row")))
    assert rows.height == 20
    assert rows.group_by("row").agg(pl.col("names").n_unique())["names"].to_list() == [1] * 10
    assert all(head.endswith("\n\n") for head in held["prompt"].str.head(held["question_start"]).to_list())


def test_the_question_is_the_zero_shot_prompt(folder):
    held = pairs(folder, "held__train", "held_out")
    few, zero = (held.filter(pl.col("setting") == f"{s}_shot.options").sort("row", "template") for s in ("few", "zero"))
    assert few["prompt"].str.slice(few["question_start"]).to_list() == zero["prompt"].to_list()
    assert few["candidates"].to_list() == zero["candidates"].to_list()
    assert set(zero["question_start"]) == {0}


def test_the_manifest_counts_pairs_by_their_number_of_exemplars(folder):
    said = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["tasks"]
    whole = every(folder).filter(pl.col("exemplars").list.len() > 0)
    for name in ("verdicts", "held"):
        found = whole.filter(pl.col("task") == name)["exemplars"].list.len().cast(pl.String).to_list()
        assert said[name]["exemplars"] == dict(Counter(found))
    assert (said["verdicts"]["exemplar_pool"], said["held"]["exemplar_pool"]) == (75, 20)


def test_rows_of_one_input_are_never_exemplars_of_each_other(tmp_path):
    rows = claims(6).with_columns(claim=pl.Series(["One.", "one.", " ONE.\n", "Two.", "two. ", "Two."]))
    built(tmp_path / "out", phrasings(tmp_path, TEXTS), verdicts(rows), settings={"few_shot.options": 1})
    lines = shown(pairs(tmp_path / "out"))
    inputs = dict(zip(rows["id"], rows["claim"].str.strip_chars().str.to_lowercase(), strict=True))
    assert lines.height == 6
    assert all(inputs[row] != inputs[exemplar] for row, exemplar in lines.select("row", "shown").iter_rows())


def test_what_a_measured_row_is_shown_is_of_train_and_never_of_the_split_that_is_measured(tmp_path):
    """Nor a row of train that says the same as the question: one in three of these does."""
    train = claims(30).with_columns(id=pl.format("train{}", pl.int_range(pl.len())))
    splits = {"train": train, "validation": claims(20, start=200), "test": claims(40, start=20)}
    tasks = [verdicts(claims(9, start=500)), verdicts(splits, name="held", cluster="judged")]
    built(tmp_path / "out", phrasings(tmp_path, TEXTS), *tasks, **HELD, exemplars={"num": 4})
    asked = pairs(tmp_path / "out", "held__test", "held_out").filter(pl.col("setting") == "few_shot.options")
    lines = shown(asked)
    assert (asked["row"].n_unique(), lines.height) == (40, 40 * 2 * 4)
    assert set(lines["shown"]) <= set(train["id"])
    same = lines.filter(pl.col("shown").str.strip_prefix("train") == pl.col("row").str.strip_prefix("c"))
    assert same.height == 0


def test_a_row_with_nothing_to_be_shown_takes_another_setting_or_is_counted(tmp_path):
    rows = claims(4).with_columns(claim=pl.lit("One and the same."))
    paths = phrasings(tmp_path, {**TEXTS, "recital/go_on": "{{ cue }}\n|||\n{{ answer }}"})
    only = {"settings": {"few_shot.options": 1}}
    manifest = built(tmp_path / "one", paths, verdicts(rows), recitals(9), **only)
    assert manifest.tasks["verdicts"].splits["train"].ledger.rejected == {f"{NONE_LEFT}": 4}
    other = {"settings": {"few_shot.options": 1, "zero_shot.no_options": 1e-9}}
    manifest = built(tmp_path / "two", paths, verdicts(rows), **other)
    assert manifest.tasks["verdicts"].settings == {"zero_shot.no_options": 4}


def test_a_held_out_setting_in_which_no_row_has_an_exemplar_is_told(tmp_path):
    rows = {"test": claims(4), "train": claims(4).with_columns(claim=pl.lit(None, dtype=pl.String))}
    paths = phrasings(tmp_path, {**TEXTS, "recital/go_on": "{{ cue }}\n|||\n{{ answer }}"})
    held = verdicts(rows, name="held", cluster="judged")
    manifest = built(tmp_path / "out", paths, held, recitals(9), **HELD, num_validation=0)
    assert manifest.tasks["held"].settings == {"zero_shot.options": 8}
    assert list(unmeasured(manifest)) == [
        "held has no pair in the held-out setting few_shot.options",
        f"measured rows lack 8 pairs, most for: {NONE_LEFT} (8)",
    ]


def test_what_does_not_fit_behind_one_exemplar_takes_another_setting(tmp_path):
    rows = claims(30).with_columns(pl.format("{} {}", "claim", pl.lit("word " * 12)).alias("claim"))
    options = {"settings": {"few_shot.options": 1, "zero_shot.options": 1e-9}, "budget": {"characters": 225}}
    manifest = built(tmp_path / "out", phrasings(tmp_path / "p", TEXTS), verdicts(rows), **options)
    found = pairs(tmp_path / "out")
    sizes = found["prompt"].str.len_chars() + found["completion"].str.len_chars()
    assert max(sizes.to_list()) <= 225
    assert set(manifest.tasks["verdicts"].settings) == {"few_shot.options", "zero_shot.options"}
    assert 0 < manifest.tasks["verdicts"].splits["train"].ledger.fewer_exemplars < found.height
    assert found.filter(pl.col("setting") == "few_shot.options")["exemplars"].list.len().unique().to_list() == [1]


def test_a_new_row_of_the_pool_changes_only_the_prompts_that_take_it(tmp_path):
    paths, options = (
        phrasings(tmp_path / "p", TEXTS),
        {**SHOTS, "num_validation": 0, "settings": {"few_shot.options": 1}},
    )
    built(tmp_path / "one", paths, verdicts(claims(40)), **options)
    built(tmp_path / "two", paths, verdicts(pl.concat([claims(40), claims(1, start=900)])), **options)
    before, after = ({r["row"]: r for r in pairs(tmp_path / name).to_dicts()} for name in ("one", "two"))
    changed = [row for row in before if before[row] != after[row]]
    assert changed
    assert all("c900" in [one["row"] for one in after[row]["exemplars"]] for row in changed)


def test_the_order_of_rows_changes_nothing_and_the_seed_all(tmp_path):
    paths, options = phrasings(tmp_path / "p", TEXTS), {**SHOTS, "settings": {"few_shot.options": 1}}
    for name, rows, seed in (("one", claims(40), 0), ("two", claims(40).reverse(), 0), ("three", claims(40), 1)):
        built(tmp_path / name, paths, verdicts(rows), **options, seed=seed)
    one, two, three = (pairs(tmp_path / name) for name in ("one", "two", "three"))
    assert one.equals(two)
    both = one.join(three, on=["row", "template"])
    assert both.filter(pl.col("exemplars") == pl.col("exemplars_right")).height <= 2


def test_in_how_many_files_the_rows_lie_changes_nothing(tmp_path):
    paths, rows = phrasings(tmp_path / "p", TEXTS), claims(40)
    for name, parts in (("one", [rows]), ("two", [rows[:13], rows[13:]])):
        (tmp_path / name).mkdir()
        files = [tmp_path / name / f"{number}.parquet" for number in range(len(parts))]
        for file, part in zip(files, parts, strict=True):
            part.write_parquet(file, row_group_size=5)
        task = verdicts(rows, source=Files({"train": [str(file) for file in files]}))
        built(tmp_path / name / "out", paths, task, **{**SHOTS, "settings": {"few_shot.options": 1}})
    assert pairs(tmp_path / "one" / "out").equals(pairs(tmp_path / "two" / "out"))


# --- reasons ----------------------------------------------------------------------------------------------------------

COT: dict[str, Any] = {"settings": {"few_shot.no_options.cot": 1}, "num_validation": 0}


def test_in_a_setting_with_reasons_every_exemplar_has_some(tmp_path):
    manifest = Mixture(tasks=["gsm8k"], data="sample", **COT).build(tmp_path / "out")
    lines = shown(pairs(tmp_path / "out"))
    assert set(manifest.tasks["gsm8k"].settings) == {"few_shot.no_options.cot"}
    assert lines.height > 20
    assert all(len(said.split()) > 3 for said in lines["said"])
    assert not lines["shown"].str.contains("exemplars.jsonl").any()
    assert verify(tmp_path / "out").problems == ()


def test_where_no_row_that_may_be_shown_has_reasons_those_written_by_hand_are_shown(tmp_path):
    row = '{"question": "1 + 1?", "rationale": "One more than one is two.", "answer": "2"}\n'
    path = tmp_path / "tasks" / "adding" / "sums.py"
    path.parent.mkdir(parents=True)
    path.with_name("sums.exemplars.jsonl").write_text(row, encoding="utf-8")
    lines = [{"q": f"{n} + 1?", "why": "Count." if n == 5 else None, "a": str(n + 1)} for n in range(5, 9)]
    path.with_name("sums.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    path.write_text(
        "from instruction_kit import Files, Task\n"
        "from instruction_kit.schema import MathWordProblem\n"
        "task = Task(schema=MathWordProblem, source=Files({'train': 'sums.jsonl'}),\n"
        "            columns={'question': 'q', 'rationale': 'why', 'answer': 'a'})\n",
        encoding="utf-8",
    )
    settings = {"few_shot.no_options.cot": 1, "zero_shot.options": 1e-9}
    Mixture(tasks=["sums"], paths=[tmp_path], settings=settings, num_validation=0).build(tmp_path / "out")
    (found,) = shown(pairs(tmp_path / "out")).to_dicts()
    assert (found["row"], found["shown"]) == ("sums.jsonl:0", "sums.exemplars.jsonl:1")


# --- hand-written ones ------------------------------------------------------------------------------------------------

ROWS = "".join(f'{{"text": "line {number}", "label": {number % 2}}}\n' for number in range(12))
WRITTEN = '{"text": "Sunny.", "label": "yes"}\n{"text": "Rainy.", "label": "no", "rationale": "It is wet."}\n'


def written(folder: Path, text: str) -> Path:
    path = task_file(folder, "lines", train=ROWS)
    path.with_name("lines.exemplars.jsonl").write_text(text, encoding="utf-8")
    return folder


def from_file(folder: Path) -> Mixture:
    shots = {"settings": {"few_shot.options": 1}, "exemplars": {"num": 2, "source": "file"}}
    return Mixture(tasks=["lines"], paths=[folder], num_validation=0, **shots)


def test_hand_written_exemplars_are_shown_where_they_are_asked_for(tmp_path):
    from_file(written(tmp_path, WRITTEN)).build(tmp_path / "out")
    lines = shown(pairs(tmp_path / "out"))
    assert set(lines["shown"]) == {"lines.exemplars.jsonl:1", "lines.exemplars.jsonl:2"}
    assert verify(tmp_path / "out").problems == ()


def test_another_text_of_hand_written_exemplars_is_another_mixture(tmp_path):
    first = from_file(written(tmp_path, WRITTEN)).build(tmp_path / "one")
    second = from_file(written(tmp_path, WRITTEN.replace("Sunny", "Bright"))).build(tmp_path / "two")
    assert first.inputs["exemplars lines"] != second.inputs["exemplars lines"]


def test_every_problem_of_an_exemplar_file_is_told_with_its_line(tmp_path):
    text = 'nothing\n{"text": "A.", "label": "maybe"}\n{"texts": "A.", "label": "yes"}\n{"text": " ", "label": "no"}\n'
    path = tmp_path / "tasks" / "sorting" / "lines.exemplars.jsonl"
    with pytest.raises(TaskError) as error:
        from_file(written(tmp_path, text)).build(tmp_path / "out")
    assert str(error.value).split("\n") == [
        f"{path}:1: no JSON object; write the fields of one example in a line",
        f"{path}:2: maybe is none of the task's classes; there are: no, yes",
        f"{path}:3: Classification has no field texts; did you mean text?",
        f"{path}:3: text: missing",
        f"{path}:4: text: blank",
    ]


def test_a_task_without_a_file_serves_no_few_shot_setting_that_asks_for_one(tmp_path):
    task_file(tmp_path, "lines", train=ROWS)
    with pytest.raises(
        MixtureError, match=r"settings: no task .* to show exemplars from for few_shot\.options; write "
    ):
        from_file(tmp_path).check()
