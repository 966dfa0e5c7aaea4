"""The defects of FLAN 2021 and 2022 that are known, each with a test by its name that it stands nowhere here.

What was found in FLAN's code or by running it is told in each test. Where a defect is one of templates or tasks, the
test goes over the whole shipped library.
"""

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from typing import Any

import polars as pl
import pytest
from binomial import binomial_bounds
from small_task import built, claims, pairs, phrasings, verdicts

from instruction_kit import Mixture
from instruction_kit.build.first import first_examples
from instruction_kit.build.rowid import HASH, ROW
from instruction_kit.library import library_folder
from instruction_kit.render.setting import SETTINGS
from instruction_kit.schema import NaturalLanguageInference, Summarization
from instruction_kit.task.load import load_tasks
from instruction_kit.template.load import templates_of
from instruction_kit.template.style import STYLES, answers, block, variants
from instruction_kit.template.template import Template

LIBRARY = library_folder()
TASKS = {name: task for name, task in load_tasks([LIBRARY]).items() if task.status != "unverified"}
TEMPLATES: dict[str, list[Template]] = {
    name: templates_of([LIBRARY], schema=task.schema, task=name) for name, task in TASKS.items()
}
EVERY = {template.name: template for of in TEMPLATES.values() for template in of}
every_template = pytest.mark.parametrize("template", [pytest.param(t, id=name) for name, t in sorted(EVERY.items())])
INFERENCE = {name: task for name, task in TASKS.items() if task.schema is NaturalLanguageInference}


def sides(template: Template) -> tuple[str, str]:
    """Prompt and output as written, without front matter."""
    text = template.text.split("---\n")[-1] if template.text.startswith("---\n") else template.text
    prompt, _, output = text.partition("\n|||\n")
    return prompt, output


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> pl.DataFrame:
    """Every task of the library in every setting, trained on and measured, from the samples."""
    out = tmp_path_factory.mktemp("library") / "out"
    values: dict[str, Any] = {"data": "sample", "num_validation": 1, "num_examples_per_task": 10, "phrasings": 2}
    measured = ["zero_shot.options", "few_shot.options"]
    weights = {name: 6 if setting.cot else 1 for name, setting in SETTINGS.items()}
    Mixture(settings=weights, held_out_settings=measured, **values).build(out)
    parts = {split: pl.read_parquet(out / "train" / f"{split}-*.parquet") for split in ("train", "validation")}
    return pl.concat([frame.with_columns(home=pl.lit(split)) for split, frame in parts.items()])


# --- the eight of 2021 ------------------------------------------------------------------------------------------------


@every_template
def test_defect_1_no_backslash_of_a_newline_is_missing(template):
    """`{hypothesis}n\\n{options_}` stood in nine templates of rte, anli and cb."""
    assert not re.search(r"\}\}n\s*(\n|\{\{|$)", template.text)
    assert "\\n" not in template.text


@pytest.mark.parametrize("name", INFERENCE)
def test_defect_2_no_inference_phrasing_swaps_premise_and_hypothesis(name):
    """SNLI's phrasings 7 and 8 ask whether the premise can be concluded if the hypothesis holds."""
    for template in (t for t in TEMPLATES[name] if not t.inverted):
        prompt, _ = sides(template)
        if "premise" not in template.reads or "hypothesis" not in template.reads:
            continue
        conclusion = (
            r"\b(conclude|infer|deduce|follows?|entails?|implies|imply)( from this)?( that)?:?\s*[\"“']?\s*\{\{ ?"
        )
        condition = r"\b(if|given|suppose|assum(e|ing)|because|since|from)( that)?:?\s*[\"“']?\s*\{\{ ?"
        assert not re.search(conclusion + "premise", prompt, re.IGNORECASE), template.name
        assert not re.search(condition + "hypothesis", prompt, re.IGNORECASE), template.name


@pytest.mark.parametrize("name", TASKS)
def test_defect_3_no_two_phrasings_of_a_task_are_one(name):
    """CoLA's templates 0 and 3 were identical."""
    texts = Counter(tuple(" ".join(side.split()).lower() for side in sides(t)) for t in TEMPLATES[name])
    assert [text for text, count in texts.items() if count > 1] == []


def test_defect_3_no_question_mark_is_doubled(whole):
    """Natural Questions got one from the preprocessor and another from the template."""
    own = {}
    for (task,), frame in whole.group_by(["task"]):
        marked = frame.filter(pl.col("prompt").str.contains("??", literal=True))
        own[task] = [row for row in marked.iter_rows(named=True) if "??" not in _sample(row["task"])]
    assert {task: rows for task, rows in own.items() if rows} == {}


def _sample(name: str) -> str:
    """All texts of a sample, one after another."""
    path = TASKS[name].path
    assert path is not None
    lines = path.with_suffix(".sample.jsonl").read_text(encoding="utf-8").splitlines()
    return "\n".join(str(value) for line in lines if line.strip() for value in json.loads(line).values())


@every_template
def test_defect_3_a_phrasing_that_is_answered_shows_what_is_asked(template):
    """SQuAD v2's template 2 asked for a question and took the answer as its output."""
    schema = next(TASKS[name].schema for name, of in TEMPLATES.items() if template in of)
    own = not template.name.startswith(
        f"{schema.folder()}/"
    )  # a task's own wording may be the question of all its rows
    prompt, _ = sides(template)
    if not template.inverted and not own and "question" in schema.model_fields:
        assert re.search(r"\{[{%][^}]*\bquestion\b", prompt), "the question does not stand in the prompt"


@pytest.mark.parametrize("name", INFERENCE)
def test_defect_4_each_class_is_answered_by_words_of_its_own_meaning(name):
    """CommitmentBank's words were true, neither, false against the order entailment, contradiction, neutral."""
    yes, no = (
        r"^(yes|true|correct|right|definitely|always|entail|it follows|it does)",
        r"^(no|false|wrong|incorrect|never|contradict|impossible)\b",
    )
    task = INFERENCE[name]
    told = [dict(zip(task.classes, task.words, strict=True)), *(t.front.answers for t in TEMPLATES[name])]
    for words in ({key: word.lower() for key, word in one.items()} for one in told):
        assert not re.search(no, words.get("entailment", ""))
        assert not re.search(yes, words.get("contradiction", ""))
        assert not re.search(yes, words.get("not_entailment", ""))
        assert not re.search(f"{yes}$|{no}$", words.get("neutral", ""))
        assert len(set(words.values())) == len(words)


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.schema is Summarization])
def test_defect_5_the_body_of_a_document_is_kept(name):
    """CNN/DailyMail's articles were cut to what stands before `) -- `: `LONDON (Reuters) -- Body` lost its body."""
    said = re.sub(r"\W+", " ", _sample(name).lower())
    examples, _ = first_examples(TASKS[name], "train", data="sample", data_dir=None)
    for document in examples["document"].to_list():
        tail = re.sub(r"\W+", " ", document.lower()).split()
        assert len(tail) >= 5
        assert " ".join(tail[-3:]) in said


def test_defect_6_each_row_has_a_name_of_its_own(whole):
    """In MultiRC's rows idx/answer was a copy of idx/question."""
    for name, task in TASKS.items():
        for split in task.reading("sample").split_names:
            examples, _ = first_examples(task, split, data="sample", data_dir=None)
            assert examples[ROW].n_unique() == examples[HASH].n_unique() == examples.height, (name, split)


def test_defect_6_what_is_scored_is_what_is_right(whole):
    """STS-B compared options that are text with an answer that is a number, so no option was ever right."""
    ranked = whole.filter(pl.col("candidates").list.len() > 0)
    assert ranked["task"].n_unique() >= 10
    right = pl.col("candidates").list.gather(pl.col("gold"))
    assert ranked.filter(~right.list.contains(pl.col("completion"))).height == 0


def test_defect_6_with_and_without_options_are_two_prompts(whole):
    """The scoring tasks `no options` and `flan no options` were the same code."""
    trained = whole.filter(pl.col("home") == "train", pl.col("options").list.len() > 0, ~pl.col("inverted"))
    listed = {True: 0, False: 0}
    for row in trained.iter_rows(named=True):
        question = row["prompt"][row["question_start"] :]
        with_list = ".options" in row["setting"]
        listed[with_list] += 1
        if with_list and EVERY[row["template"]].shows_options:
            assert all(option in question for option in row["options"]), row["template"]
        elif not with_list:
            assert not [words for words in lists(row["options"]) if words in question], row["template"]
    assert min(listed.values()) > 50


def lists(options: list[str]) -> set[str]:
    """The options as any style lists them."""
    return {block(options, variant) for name in STYLES for variant in variants(name)}


def test_defect_7_no_inverted_phrasing_is_measured(whole):
    """Rank scoring was registered for turned-around templates too: yes or no after `Generate a context`."""
    assert whole.filter(pl.col("inverted")).height > 100
    assert whole.filter(pl.col("inverted"), pl.col("home") != "train").height == 0
    assert whole.filter(pl.col("inverted"), pl.col("candidates").list.len() > 0).height == 0


def test_defect_8_tasks_per_cluster_are_as_many_as_are_asked_for():
    """The ablation over them read a variable that the loop before it had left behind."""
    sizes = Counter(TASKS[name].cluster for name in Mixture().held_out.training)
    for number in (3, 1, 2):
        taken = Mixture(num_tasks_per_cluster=number).held_out.training
        assert Counter(TASKS[name].cluster for name in taken) == {c: min(number, size) for c, size in sizes.items()}


# --- what running FLAN's and seqio's own code showed ------------------------------------------------------------------


def test_no_row_is_among_its_own_exemplars(whole):
    """In FLAN 2021 7.8 % of rows were at 200 rows and 16 shots, in FLAN 2022 1.0 %."""
    shown = whole.filter(pl.col("exemplars").list.len() > 0)
    assert shown["task"].n_unique() >= whole["task"].n_unique() * 0.9
    for row in shown.iter_rows(named=True):
        names = [one["row"] for one in row["exemplars"]]
        assert row["row"] not in names
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("count", [2, 3, 26, 27, 52, 100])
def test_more_than_26_options_are_no_error_and_each_label_is_its_own(count):
    """More than 26 options ended in a ValueError; 24 of 87 styles were copies of others."""
    words = [f"option {n}" for n in range(count)]
    for style in STYLES.values():
        assert len(set(answers(words, style, listed=True))) == count
    assert len({(style.item, style.labels, style.between, style.end) for style in STYLES.values()}) == len(STYLES)


def test_labels_are_answered_as_often_as_styles_have_labels(tmp_path):
    """In FLAN 2022 73.6 % of answers were labels, 63.5 % of its distinct styles have some."""
    paths = phrasings(tmp_path / "p", {"verdict/ask": "{{ claim }}\n\n{{ options }}\n|||\n{{ answer }}"})
    built(tmp_path / "out", paths, verdicts(claims(2_000)))
    labelled = sum(style.labels != "none" for style in STYLES.values()) / len(STYLES)
    low, high = binomial_bounds(2_000, labelled)
    found = pairs(tmp_path / "out")
    assert low <= found.filter(~pl.col("completion").is_in(["true", "false", "open"])).height <= high


def test_two_passes_over_one_mixture_give_the_same_text():
    """FLAN 2022's options and separators differ between two iterations of one dataset, and between two processes: those
    are compared in test_mixture_property.py."""
    settings = dict.fromkeys(["zero_shot.options", "few_shot.options"], 1)
    mixture = Mixture(tasks=["copa", "cb"], data="sample", settings=settings)
    first, second = ({split: rows.to_list() for split, rows in mixture.dataset()["train"].items()} for _ in range(2))
    assert first == second


def test_the_number_of_exemplars_is_none_of_the_template(tmp_path):
    """In FLAN 2022 templates 0, 2, 4, 5, 7, 9 always had 3 shots and the others 2."""
    options: dict[str, Any] = {"settings": {"few_shot.no_options": 1}, "exemplars": {"num": [2, 3]}}
    built(tmp_path / "out", phrasings(tmp_path / "p"), verdicts(claims(900)), **options)
    for _, mine in pairs(tmp_path / "out").group_by("template"):
        low, high = binomial_bounds(mine.height, 1 / 2)
        assert low <= mine.filter(pl.col("exemplars").list.len() == 2).height <= high


REASONING = [t for t in EVERY.values() if t.cot and not t.inverted]


@pytest.mark.parametrize("template", [pytest.param(t, id=t.name) for t in REASONING])
def test_an_empty_output_is_read_as_no_answer(template):
    """`take_cot_answer` raised an IndexError."""
    assert template.extract("") is template.extract("\n") is None


def test_every_answer_of_a_reasoned_output_is_read_back(whole):
    """`take_cot_answer` failed on 29 of 90 few-shot forms; 18 printed two points; one had no answer at all."""
    reasoned = whole.filter(pl.col("setting").str.contains(".cot"), ~pl.col("inverted"))
    assert reasoned.height >= 3  # every sample row under every phrasing: test_library_rationale.py
    for row in reasoned.iter_rows(named=True):
        said = row["completion"][row["answer_start"] : row["answer_end"]]
        assert EVERY[row["template"]].extract(row["completion"]) == said != ""
        assert not re.search(r"(?<!\.)\.\.(?!\.)", row["completion"])


@pytest.mark.parametrize("num", [1, 2, 5])
def test_every_number_of_exemplars_goes_with_every_template(num, tmp_path):
    """`template_{0,1,2}_{five,two,one}_shot` raised a KeyError."""
    options: dict[str, Any] = {"settings": {"few_shot.no_options": 1}, "exemplars": {"num": num}, "phrasings": 3}
    built(tmp_path / "out", phrasings(tmp_path / "p"), verdicts(claims(12)), **options)
    found = pairs(tmp_path / "out")
    assert set(found["exemplars"].list.len()) == {num}
    assert found.group_by("template").len()["len"].to_list() == [12, 12, 12]


def test_no_row_is_lost_at_the_tail(tmp_path):
    """23 rows through a formatter of 10 templates gave 20."""
    texts = {f"verdict/t{n}": f"Number {n}: {{{{ claim }}}}\n|||\n{{{{ answer }}}}" for n in range(10)}
    options: dict[str, Any] = {"settings": {"zero_shot.no_options": 1}}
    built(tmp_path / "out", phrasings(tmp_path / "p", texts), verdicts(claims(23)), **options)
    assert pairs(tmp_path / "out")["row"].n_unique() == pairs(tmp_path / "out").height == 23


def test_a_prompt_over_the_limit_never_loses_its_question(tmp_path):
    """Its tail was cut, and with it the query, with no warning."""
    long = claims(60).with_columns(pl.format("{} {}", "claim", pl.lit("And so on. " * 8)).alias("claim"))
    options: dict[str, Any] = {"settings": {"few_shot.no_options": 1}, "budget": {"characters": 230}}
    record = built(tmp_path / "out", phrasings(tmp_path / "p"), verdicts(long), **options)
    found = pairs(tmp_path / "out")
    assert found.height == 60
    ends = ("Is that so?\n", "Verdict:\n")
    for row in found.iter_rows(named=True):
        question = row["prompt"][row["question_start"] :]
        assert question.startswith(("Number ", "Claim: Number ", "Judge this.\n\nNumber "))
        assert question.endswith(ends) or row["template"] == "verdict/judge"
        assert len(row["prompt"] + row["completion"]) <= 230
    assert (
        record.tasks["verdicts"].splits["train"].ledger.shortened
        == found.filter(pl.col("prompt").str.count_matches("And so on") < pl.col("exemplars").list.len() * 8 + 8).height
        > 0
    )


def test_one_epoch_is_every_row_once(tmp_path):
    """30,000 rows mixed with 200 stopped at 27,245 and 200, or at 30,000 and 195: when the first of them ended."""
    options: dict[str, Any] = {"rates": {"kind": "examples_proportional", "maximum": 10_000}}
    tasks = [verdicts(claims(1_500), name="many"), verdicts(claims(10), name="few")]
    built(tmp_path / "out", phrasings(tmp_path / "p"), *tasks, **options)
    found = pairs(tmp_path / "out")
    assert dict(found.group_by("task").agg(pl.col("row").n_unique()).iter_rows()) == {"many": 1_500, "few": 10}
    assert found.height == 1_510


def test_importing_the_library_loads_nothing_heavy():
    """`import seqio` took 8.2 seconds."""
    heavy = ("torch", "tensorflow", "transformers", "datasets", "datasketch")
    code = f"import sys, instruction_kit; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


# --- what reading them showed -----------------------------------------------------------------------------------------


def test_a_prompt_without_options_speaks_of_none(whole):
    """Options were deleted from the text of templates, and 21 prompts went on to ask for a choice with none shown."""
    without = whole.filter(~pl.col("setting").str.contains(".options", literal=True), ~pl.col("inverted"))
    assert without.height > 100
    for template in (EVERY[name] for name in without["template"].unique()):
        assert not template.needs_options
    own = pl.col("prompt").str.slice(pl.col("question_start"))
    asked = without.filter(pl.col("options").list.len() > 0).group_by("task", question=own)
    # rows of one question have one answer, so none asks for `one of these` whose these are not there
    assert asked.agg(pl.col("completion").unique()).filter(pl.col("completion").list.len() > 1).height == 0


def test_exemplars_are_of_the_task_of_the_question(whole):
    """In FLAN 2022 exemplars of Natural Instructions came from other tasks (its issue 25)."""
    rows: dict[str, set[str]] = defaultdict(set)
    for name, task in ((name, TASKS[name]) for name in whole["task"].unique()):
        examples, _ = first_examples(task, "train", data="sample", data_dir=None)
        rows[name] |= set(examples[ROW])
    for row in whole.filter(pl.col("exemplars").list.len() > 0).iter_rows(named=True):
        own = rows[row["task"]]
        assert all(one["row"] in own or ".exemplars.jsonl" in one["row"] for one in row["exemplars"])
