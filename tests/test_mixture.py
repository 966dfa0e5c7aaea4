"""A mixture: the same from YAML as from Python, every key with an effect, and plain words for what cannot be."""

from pathlib import Path
from typing import Any

import datasets
import polars as pl
import pytest
import yaml
from small_task import built, claims, contents, pairs, phrasings, recitals, used, verdicts

from instruction_kit import Equal, ExamplesProportional, Mixture, Task
from instruction_kit.build.plan import largest_remainder
from instruction_kit.errors import InstructionKitError, MixtureError, TaskError
from instruction_kit.mixture import Budget

SETTINGS = {"zero_shot.options": 2.0, "zero_shot.no_options": 1.0}
EVERY_KEY: dict[str, Any] = {
    "tasks": ["rte", "sentiment", "gsm8k"],
    "hold_out": ["natural_language_inference"],
    "paths": ["mine"],
    "data_dir": "data",
    "data": "sample",
    "rates": {"kind": "examples_proportional", "maximum": 500},
    "num_examples_per_task": 700,
    "num_pairs": 80,
    "max_repeats": 9,
    "settings": SETTINGS,
    "phrasings": 2,
    "joiner": "\n\n",
    "budget": {"characters": 4_000},
    "num_validation": 5,
    "num_held_out": 6,
    "held_out_settings": ["zero_shot.no_options"],
    "seed": 7,
}


def message(**values: Any) -> str:
    with pytest.raises(MixtureError) as error:
        Mixture(**values)
    return str(error.value)


def yaml_file(folder: Path, text: str) -> Path:
    path = folder / "mixture.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def yaml_message(folder: Path, text: str) -> str:
    """The error without the folder, whose name differs from run to run."""
    path = yaml_file(folder, text)
    with pytest.raises(MixtureError) as error:
        Mixture.from_yaml(path)
    return str(error.value).replace(str(path), "mixture.yaml")


# --- YAML -------------------------------------------------------------------------------------------------------------


def test_yaml_gives_the_same_object_as_python(tmp_path):
    phrasings(tmp_path / "mine")
    assert set(EVERY_KEY) == set(Mixture.model_fields)
    text = yaml.safe_dump(EVERY_KEY, sort_keys=False)
    read = Mixture.from_yaml(yaml_file(tmp_path, text))
    written = Mixture(
        tasks=["rte", "sentiment", "gsm8k"],
        hold_out=["natural_language_inference"],
        paths=[tmp_path / "mine"],
        data_dir=tmp_path / "data",
        data="sample",
        rates=ExamplesProportional(maximum=500),
        num_examples_per_task=700,
        num_pairs=80,
        max_repeats=9,
        settings=SETTINGS,
        phrasings=2,
        joiner="\n\n",
        budget=Budget(characters=4_000),
        num_validation=5,
        num_held_out=6,
        held_out_settings=["zero_shot.no_options"],
        seed=7,
    )
    assert read == written
    assert read.portable() == written.portable()
    assert Mixture(**read.model_dump()) == written


def test_an_empty_file_is_the_default_mixture(tmp_path):
    assert Mixture.from_yaml(yaml_file(tmp_path, "")) == Mixture()
    assert Mixture.from_yaml(yaml_file(tmp_path, "# nothing to say\n")) == Mixture()


def test_what_a_built_folder_says_of_its_mixture_builds_it_again(tmp_path):
    mixture = Mixture(tasks=["rte", "sst2"], hold_out=["rte"], data="sample", num_validation=3, num_held_out=4)
    mixture.build(tmp_path / "one")
    card = (tmp_path / "one" / "README.md").read_text(encoding="utf-8")
    path = yaml_file(tmp_path, card.partition("```yaml\n")[2].partition("```")[0])
    Mixture.from_yaml(path).build(tmp_path / "two")
    assert (tmp_path / "one" / "manifest.json").read_bytes() == (tmp_path / "two" / "manifest.json").read_bytes()


def test_paths_in_a_file_are_relative_to_the_file(tmp_path, monkeypatch):
    phrasings(tmp_path / "there" / "mine")
    path = yaml_file(tmp_path / "there", "paths: [mine]\ndata_dir: ../raw\ndata: sample\n")
    monkeypatch.chdir(tmp_path)
    mixture = Mixture.from_yaml(path.relative_to(tmp_path))
    assert mixture.folders[-1] == tmp_path / "there" / "mine"
    assert mixture.data_dir is not None
    assert mixture.data_dir.resolve() == tmp_path / "raw"
    absolute = yaml_file(tmp_path, f"paths: {tmp_path}/there/mine\n")
    assert "paths: give a list" in yaml_message(tmp_path, absolute.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("seed: 1\nphrasing: 2\n", "mixture.yaml:2: phrasing: unknown key; did you mean phrasings?"),
        (
            "# a comment\nrates:\n  kind: examples_proportional\n  maximun: 3\n",
            "mixture.yaml:4: rates.examples_proportional.maximun: unknown key; did you mean maximum?",
        ),
        ("rates: {kind: eqal}\n", "mixture.yaml:1: rates: there is no kind eqal; did you mean equal?"),
        ("rates:\n  maximum: 3\n", "mixture.yaml:1: rates: give its kind, one of examples_proportional, equal"),
        (
            "\nbudget:\n  character: 500\n",
            "mixture.yaml:2: budget.characters: field required\nmixture.yaml:3: budget.character: unknown key; ",
        ),
        ("data: samples\n", "mixture.yaml:1: data: input should be 'source' or 'sample'"),
        (
            "seed: 1\nsettings:\n  zero_shot.option: 1\n",
            "mixture.yaml:2: settings: no setting zero_shot.option; did you mean zero_shot.options",
        ),
        (
            "held_out_settings: [zero_shot.opts]\n",
            "mixture.yaml:1: held_out_settings: no setting zero_shot.opts; did you mean zero_shot.options",
        ),
        (
            "data: sample\ntasks:\n- rte\n- sst3\n",
            "mixture.yaml:2: tasks: sst3 is neither a task nor a cluster; did you mean sst2?",
        ),
        (
            "data: sample\nhold_out:\n- natural_language\n",
            "mixture.yaml:2: hold_out: natural_language is neither a cluster, a task nor a family of this mixture; ",
        ),
        (
            "data: sample\ntasks: [rte]\nhold_out: [rte]\n",
            "mixture.yaml:3: hold_out: ['rte'] leaves nothing to train on: 1 named; hold out less or add tasks",
        ),
        ("seed: 0\nseed: 1\n", "mixture.yaml:2: key seed stands twice, first in line 1"),
        ("seed: [1\n", "mixture.yaml:2: "),
        ("- rte\n", "mixture.yaml:1: expected `key: value` lines"),
        ("seed: &a 1\nphrasings: *a\n", "mixture.yaml:1: anchors and aliases are not used here"),
        ("tasks: !!python/name:os.system\n", "mixture.yaml:1: tags are not used here"),
        ("\npaths: [nowhere]\n", "mixture.yaml:2: paths: "),
    ],
)
def test_a_wrong_key_or_value_is_told_with_its_line_and_the_nearest_name(tmp_path, text, problem):
    assert yaml_message(tmp_path, text).startswith(problem)


def test_every_problem_of_a_file_is_told_at_once(tmp_path):
    lines = yaml_message(tmp_path, "sead: 1\nnum_pairs: many\njoiner: ''\nmax_repeats: 0\n").split("\n")
    assert [line.partition(": ")[0] for line in sorted(lines)] == [f"mixture.yaml:{number}" for number in range(1, 5)]


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path):
    with pytest.raises(MixtureError, match=r"none\.yaml: no such file$"):
        Mixture.from_yaml(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"joiner: \xe9\n")
    with pytest.raises(MixtureError, match=r"latin\.yaml: not UTF-8 \(.* at byte 8\)$"):
        Mixture.from_yaml(tmp_path / "latin.yaml")


def test_a_task_object_cannot_stand_in_yaml_and_the_error_says_why(tmp_path):
    object_ = Mixture(tasks=[verdicts(claims(9))]).portable()["tasks"]
    assert object_ == ["Task object verdicts"]
    assert yaml_message(tmp_path, yaml.safe_dump({"tasks": object_})) == (
        "mixture.yaml:1: tasks: verdicts was a Task object, which lives only in the program that made it; "
        "save it as tasks/<cluster>/<name>.py in a folder of `paths`"
    )
    assert yaml_message(tmp_path, "data: sample\ntasks:\n- name: verdicts\n  schema: Classification\n") == (
        "mixture.yaml:2: tasks: {'name': 'verdicts', 'schema': 'Classification'} is no name and no Task object; "
        "only Python can describe a task: save it as tasks/<cluster>/<name>.py in a folder of `paths`"
    )


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"settings": {}}, "settings: name at least one"),
        (
            {"settings": {"zero_shot.options": 0}},
            "settings: zero_shot.options has the weight 0.0; weights are positive",
        ),
        ({"settings": {"zero_shot.options": -1}}, "settings: zero_shot.options has the weight -1.0; weights are"),
        ({"settings": {"zero_shot.options": float("nan")}}, "settings: zero_shot.options has the weight nan; weights"),
        ({"settings": {"zero_shot.options": float("inf")}}, "settings: zero_shot.options has the weight inf; weights"),
        ({"settings": {"zero_shot.options": "1"}}, "settings.zero_shot.options: input should be a valid number"),
        ({"settings": {"few_shot.options": 1}}, "settings: setting few_shot.options: few-shot prompts need exemplars"),
        ({"held_out_settings": []}, "held_out_settings: name at least one, each once"),
        ({"held_out_settings": ["zero_shot.options"] * 2}, "held_out_settings: name at least one, each once"),
        (
            {"held_out_settings": ["zero_shot.options.inverted"]},
            "held_out_settings: zero_shot.options.inverted cannot be measured by rank classification: an inverted",
        ),
        (
            {"held_out_settings": ["zero_shot.no_options.cot"]},
            "held_out_settings: zero_shot.no_options.cot cannot be measured by rank classification: it must be",
        ),
        ({"rates": Equal()}, "rates of kind equal are no counts of rows: give num_pairs"),
        ({"seed": -1}, "seed: input should be greater than or equal to 0"),
        ({"seed": 1.0}, "seed: input should be a valid integer"),
        ({"seed": True}, "seed: input should be a valid integer"),
        ({"num_pairs": 0}, "num_pairs: input should be greater than or equal to 1"),
        ({"num_examples_per_task": 0}, "num_examples_per_task: input should be greater than or equal to 1"),
        ({"num_validation": "200"}, "num_validation: input should be a valid integer"),
        (
            {"rates": {"kind": "examples_proportional", "maximum": 0}},
            "rates.examples_proportional.maximum: input should",
        ),
        ({"joiner": ""}, "joiner: string should have at least 1 character"),
        ({"budget": {"characters": 10}}, "budget.characters: input should be greater than or equal to 100"),
        ({"hold_out": "rte"}, "hold_out: give a list"),
        ({"tasks": "rte"}, "tasks: give `all`, or a list of names and Task objects, not 'rte'"),
        ({"tasks": [False]}, "tasks: False is no name and no Task object; only Python can describe a task: save it as"),
        ({"hold_out": [False]}, "hold_out.0: input should be a valid string"),
        ({"tsks": []}, "tsks: unknown key; did you mean tasks?"),
    ],
)
def test_a_value_that_cannot_be_is_refused_before_any_work(values, problem):
    assert message(**values).startswith(problem)


def test_a_mixture_cannot_be_changed_and_a_copy_is_worked_out_anew():
    mixture = Mixture(tasks=["rte", "sst2"], data="sample")
    with pytest.raises(Exception, match="frozen"):
        mixture.seed = 1
    assert mixture.held_out.measured == ()
    assert mixture.model_copy(update={"hold_out": ("rte",)}).held_out.measured == ("rte",)
    with pytest.raises(MixtureError, match=r"^seed: "):
        mixture.model_copy(update={"seed": -1})


def test_what_belongs_to_one_machine_and_the_order_of_names_are_not_in_its_description(tmp_path):
    one = Mixture(tasks=["sst2", "rte"], hold_out=["rte", "cb"], data_dir=tmp_path, paths=[phrasings(tmp_path)])
    other = Mixture(tasks=["rte", "sst2"], hold_out=["cb", "rte"])
    assert one.portable() == other.portable()
    assert str(tmp_path) not in str(one.portable())


# --- tasks ------------------------------------------------------------------------------------------------------------


def test_a_cluster_stands_for_its_tasks_and_a_name_twice_is_once():
    mixture = Mixture(tasks=["natural_language_inference", "rte", "sst2", "rte"])
    assert {"cb", "rte", "snli", "sst2"} <= set(mixture.chosen)
    assert {task.cluster for task in mixture.chosen.values()} == {"natural_language_inference", "sentiment"}


@pytest.mark.parametrize(
    ("tasks", "problem"),
    [
        (
            [verdicts(claims(9), name="")],
            "tasks: a Task object needs name= and cluster=: the task name '' may only hold",
        ),
        (
            [verdicts(claims(9), cluster="")],
            "tasks: a Task object needs name= and cluster=: the cluster name '' may only",
        ),
        ([verdicts(claims(9)), verdicts(claims(8))], "tasks: two Task objects are called verdicts; rename one"),
        (
            [verdicts(claims(9), name="rte"), "rte"],
            "tasks: rte stands there twice, as a name and as a Task object; rename the object",
        ),
        ([], "tasks: the list is empty; name tasks or clusters, or leave it out for all"),
        (["rte", "natural"], "tasks: natural is neither a task nor a cluster; "),
    ],
)
def test_tasks_that_cannot_be_are_refused(tasks, problem):
    with pytest.raises((MixtureError, TaskError)) as error:
        _ = Mixture(tasks=tasks).chosen
    assert str(error.value).startswith(problem)


@pytest.mark.parametrize("kind", ["polars", "lazy", "pandas", "arrow", "datasets"])
def test_frames_of_every_kind_make_the_same_rows(tmp_path, kind):
    frame = claims(12)
    data: Any = {
        "polars": lambda: frame,
        "lazy": frame.lazy,
        "pandas": frame.to_pandas,
        "arrow": frame.to_arrow,
        "datasets": lambda: datasets.Dataset(frame.to_arrow()),
    }[kind]()
    paths = phrasings(tmp_path / "paths")
    built(tmp_path / "out", paths, verdicts(data))
    built(tmp_path / "plain", paths, verdicts(frame))
    assert pairs(tmp_path / "out").equals(pairs(tmp_path / "plain"))


def test_a_task_object_is_its_rows_and_its_mapping_not_its_address(tmp_path):
    """Twice the same is the same mixture; another row, label order, answer word or note is another."""
    paths = phrasings(tmp_path / "paths")

    def fingerprint(name: str, data: pl.DataFrame, **options: Any) -> str:
        return built(tmp_path / name, paths, verdicts(data, **options)).fingerprint

    made = {
        "first": fingerprint("a", claims(12)),
        "other rows": fingerprint("b", claims(12, start=1)),
        "other words": fingerprint("c", claims(12), answers={"true": "yes"}),
        "other licence": fingerprint("d", claims(12), license="mit"),
        "other cluster": fingerprint("e", claims(12), cluster="weighing"),
        "skips": fingerprint("f", claims(12), skip=pl.col("id") == "c3"),
        "other key": fingerprint("g", claims(12), key=None),
        "rows": fingerprint("h", claims(12), rows=lambda frame: frame.filter(pl.col("id") != "c3")),
    }
    assert len(set(made.values())) == len(made)
    assert fingerprint("i", claims(12)) == made["first"]


def test_a_setting_that_no_task_serves_is_refused_and_a_task_that_serves_none(tmp_path):
    paths = phrasings(tmp_path / "paths")
    mixture = Mixture(tasks=[verdicts(claims(9))], paths=[paths], settings={"zero_shot.no_options.cot": 1})
    with pytest.raises(MixtureError) as error:
        _ = mixture.templates
    assert str(error.value) == (
        "settings: no task of this mixture has a template for zero_shot.no_options.cot; "
        "write one or take the setting out"
    )
    turned = phrasings(
        tmp_path / "turned",
        {"verdict/turned": "{{ answer }}?\n|||\n{{ claim }}", "recital/r": "{{ cue }}\n|||\n{{ answer }}"},
    )
    mixture = Mixture(tasks=[verdicts(claims(9)), recitals(9)], paths=[turned])
    with pytest.raises(MixtureError) as error:
        _ = mixture.templates
    assert str(error.value) == (
        "settings: task verdicts has no template for zero_shot.options; write one in templates/verdict/ or "
        "templates/verdicts/, or take the task out"
    )


# --- every key --------------------------------------------------------------------------------------------------------

JUDGES = "judging"
SMALL: dict[str, Any] = {"num_validation": 3, "num_held_out": 4, "hold_out": [JUDGES], "seed": 0}
EFFECTS: dict[str, Any] = {
    "tasks": None,
    "hold_out": ["held"],
    "rates": ExamplesProportional(maximum=5),
    "num_examples_per_task": 6,
    "num_pairs": 7,
    "settings": {"zero_shot.no_options": 1.0},
    "phrasings": 2,
    "joiner": " ",
    "budget": Budget(characters=100),
    "num_validation": 2,
    "num_held_out": 2,
    "held_out_settings": ["zero_shot.no_options"],
    "seed": 1,
}
"""Keys that show in the pairs, each with another value."""
ELSEWHERE = {
    "paths": "test_a_later_folder_overrides_an_earlier_one",
    "data": "test_the_samples_are_read_only_where_they_are_asked_for",
    "data_dir": "test_data_dir_says_where_files_lie_and_enters_nothing_that_is_written",
    "max_repeats": "test_more_repeats_than_allowed_are_an_error_that_names_the_tasks",
}
"""Keys that show otherwise, each with the test that shows it."""


def small(paths: Path, **options: Any) -> Mixture:
    long = claims(20).with_columns(pl.format("{} {}", "claim", pl.lit("And so on. " * 4)).alias("claim"))
    trained, held = verdicts(long, name="trained", cluster="weighing"), verdicts(claims(9), name="held", cluster=JUDGES)
    more = [verdicts(claims(4), name="more", cluster=JUDGES)]
    return Mixture(**{"tasks": [trained, held, *more], "paths": [paths], **SMALL, **options})


def test_every_key_is_known_to_one_of_these_tests():
    assert set(EFFECTS) | set(ELSEWHERE) == set(Mixture.model_fields)
    assert set(ELSEWHERE.values()) <= set(globals())


def test_every_key_changes_what_is_built(tmp_path):
    paths = phrasings(tmp_path)
    EFFECTS["tasks"] = small(paths).tasks[:2]
    said = {name: files_of(tmp_path / name, small(paths, **{name: value})) for name, value in EFFECTS.items()}
    plain = files_of(tmp_path / "plain", small(paths))
    assert [name for name, files in said.items() if files == plain] == []
    assert files_of(tmp_path / "no effect", small(paths, max_repeats=9)) == plain


def files_of(out: Path, mixture: Mixture) -> dict[str, bytes]:
    """The pairs, without the manifest, which tells every key anyway."""
    mixture.build(out)
    return {name: data for name, data in contents(out).items() if name.endswith(".parquet")}


def test_a_later_folder_overrides_an_earlier_one(tmp_path):
    first = phrasings(tmp_path / "first", {"verdict/ask": "First: {{ claim }}\n\n{{ options }}\n|||\n{{ answer }}"})
    second = phrasings(tmp_path / "second", {"verdict/ask": "Second: {{ claim }}\n\n{{ options }}\n|||\n{{ answer }}"})
    mixture = Mixture(tasks=[verdicts(claims(9))], paths=[first, second], num_validation=0)
    prompts = mixture.dataset()["train"]["train"]["prompt"]
    assert {prompt.split(":")[0] for prompt in prompts} == {"Second"}
    with pytest.raises(MixtureError, match=r"^paths: .*nowhere: does not exist"):
        _ = Mixture(paths=[tmp_path / "nowhere"]).folders


def test_the_samples_are_read_only_where_they_are_asked_for(tmp_path):
    task = tmp_path / "tasks" / "judging" / "lines.py"
    task.parent.mkdir(parents=True)
    task.write_text(
        "from instruction_kit import Files, Task, labels\n"
        "from instruction_kit.schema import Classification\n"
        "task = Task(schema=Classification, source=Files({'train': 'lines.jsonl'}),\n"
        "            columns={'text': 'text', 'label': labels('label', ['no', 'yes'])})\n",
        encoding="utf-8",
    )
    task.with_name("lines.jsonl").write_text('{"text": "source", "label": 0}\n', encoding="utf-8")
    mixture = Mixture(tasks=["lines"], paths=[tmp_path], num_validation=0)
    assert "source" in mixture.dataset()["train"]["train"]["prompt"][0]
    with pytest.raises(InstructionKitError, match=r"lines\.sample\.jsonl: the task has no sample"):
        mixture.model_copy(update={"data": "sample"}).dataset()
    sample = '{"text": "sample", "label": 1, "_split": "train"}\n'
    task.with_name("lines.sample.jsonl").write_text(sample, encoding="utf-8")
    assert "sample" in mixture.model_copy(update={"data": "sample"}).dataset()["train"]["train"]["prompt"][0]
    task.with_name("lines.jsonl").unlink()
    with pytest.raises(InstructionKitError, match=r"lines\.jsonl: no such file"):
        Mixture(tasks=["lines"], paths=[tmp_path]).dataset()  # never a silent fallback


def test_data_dir_says_where_files_lie_and_enters_nothing_that_is_written(tmp_path):
    task = tmp_path / "mine" / "tasks" / "judging" / "lines.py"
    task.parent.mkdir(parents=True)
    task.write_text(
        "from instruction_kit import Files, Task, labels\n"
        "from instruction_kit.schema import Classification\n"
        "task = Task(schema=Classification, source=Files({'train': 'sub/lines.jsonl'}),\n"
        "            columns={'text': 'text', 'label': labels('label', ['no', 'yes'])})\n",
        encoding="utf-8",
    )
    rows = "".join(f'{{"text": "line {number}", "label": {number % 3}}}\n' for number in range(12))
    for place in ("here", "there"):
        (tmp_path / place / "sub").mkdir(parents=True)
        (tmp_path / place / "sub" / "lines.jsonl").write_text(rows, encoding="utf-8")
    mixture = Mixture(tasks=["lines"], paths=[tmp_path / "mine"])
    fingerprints = {
        mixture.with_data_dir(tmp_path / place).build(tmp_path / f"out {place}").fingerprint
        for place in ("here", "there")
    }
    assert len(fingerprints) == 1
    files = [path for place in ("here", "there") for path in sorted((tmp_path / f"out {place}").rglob("*.*"))]
    assert not any(str(tmp_path).encode() in path.read_bytes() for path in files)
    with pytest.raises(InstructionKitError, match=r"lines\.jsonl: no such file"):
        mixture.build(tmp_path / "none")


# --- how much ---------------------------------------------------------------------------------------------------------


def counts(folder: Path, column: str = "task", split: str = "train") -> dict[str, int]:
    return dict(sorted(pairs(folder, split).group_by(column).len().iter_rows()))


def test_one_pass_gives_each_task_its_rows_up_to_the_maximum(tmp_path):
    paths = phrasings(tmp_path / "paths")
    tasks = [verdicts(claims(n), name=f"v{n}", cluster="judging") for n in (5, 12, 40)]
    built(tmp_path / "out", paths, *tasks, rates=ExamplesProportional(maximum=20))
    assert counts(tmp_path / "out") == {"v12": 12, "v40": 20, "v5": 5}
    built(tmp_path / "fewer", paths, *tasks, num_examples_per_task=8)
    assert counts(tmp_path / "fewer") == {"v12": 8, "v40": 8, "v5": 5}
    assert pairs(tmp_path / "out").select("task", "row").is_duplicated().any() is False


def test_a_number_of_pairs_is_divided_in_proportion_and_exactly(tmp_path):
    paths = phrasings(tmp_path / "paths")
    tasks = [verdicts(claims(n), name=f"v{n}", cluster="judging") for n in (5, 12, 40)]
    built(tmp_path / "out", paths, *tasks, num_pairs=50)
    assert counts(tmp_path / "out") == {"v12": 11, "v40": 35, "v5": 4}  # of 4.39, 10.53, 35.09
    built(tmp_path / "even", paths, *tasks, num_pairs=16, rates=Equal())
    assert counts(tmp_path / "even") == {"v12": 6, "v40": 5, "v5": 5}


def test_the_largest_remainder_is_exact_where_floats_are_not():
    assert largest_remainder(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert largest_remainder(0, {"a": 1, "b": 5}) == {"a": 0, "b": 0}
    assert largest_remainder(7, {"a": 0, "b": 5}) == {"a": 0, "b": 7}
    thirds = dict.fromkeys("cba", 0.1)  # floats that do not add up to 0.3
    assert largest_remainder(10**15 + 1, thirds) == {"a": 333333333333334, "b": 333333333333334, "c": 333333333333333}
    large = {"a": 2**53 + 1, "b": 2**53 - 1}
    assert largest_remainder(2**54, large) == {"a": 2**53 + 1, "b": 2**53 - 1}


def test_a_task_with_fewer_rows_repeats_them_each_round_in_another_phrasing(tmp_path):
    paths = phrasings(tmp_path / "paths")
    record = built(tmp_path / "out", paths, verdicts(claims(7)), num_pairs=19, settings={"zero_shot.no_options": 1})
    made = pairs(tmp_path / "out")
    assert made.height == 19
    assert sorted(made["round"].to_list()) == [0] * 7 + [1] * 7 + [2] * 5
    assert record.tasks["verdicts"].rounds == 3
    for _, row in made.group_by("row"):
        assert row["template"].n_unique() == row.height  # three phrasings, three rounds
        assert sorted(row["round"]) == list(range(row.height))


def test_when_phrasings_run_out_they_come_again_in_the_same_order(tmp_path):
    paths = phrasings(tmp_path / "paths")
    options = {"settings": {"zero_shot.no_options": 1}, "max_repeats": 8}
    built(tmp_path / "out", paths, verdicts(claims(5)), num_pairs=35, **options)
    for _, row in pairs(tmp_path / "out").group_by("row"):
        order = row.sort("round")["template"].to_list()
        assert order == (order[:3] * 3)[:7]


def test_more_repeats_than_allowed_are_an_error_that_names_the_tasks(tmp_path):
    paths = phrasings(tmp_path / "paths")
    tasks = [verdicts(claims(2), name="two"), verdicts(claims(3), name="three"), verdicts(claims(90), name="many")]
    with pytest.raises(MixtureError) as error:
        built(tmp_path / "out", paths, *tasks, num_pairs=60, rates=Equal(), max_repeats=4)
    assert str(error.value) == (
        "num_pairs 60 would use the rows of these tasks more than max_repeats 4 times: three 7 times, two 10 times; "
        "lower num_pairs, raise max_repeats or phrasings, or take them out"
    )
    assert not (tmp_path / "out").exists()  # nothing was begun that could be in the way of the mended mixture
    assert (
        built(tmp_path / "out", paths, *tasks, num_pairs=60, rates=Equal(), max_repeats=10).splits["train"]["train"]
        == 60
    )


def test_each_row_takes_several_phrasings_each_once(tmp_path):
    paths = phrasings(tmp_path / "paths")
    options = {"settings": {"zero_shot.no_options": 1}, "num_pairs": None}
    record = built(tmp_path / "out", paths, verdicts(claims(10)), phrasings=2, **options)
    made = pairs(tmp_path / "out")
    assert made.height == 20
    assert set(made["round"]) == {0}
    assert made.select("row", "template").is_duplicated().any() is False
    built(tmp_path / "one", paths, verdicts(claims(10)), **options)
    first = set(pairs(tmp_path / "one").select("row", "template").iter_rows())
    assert first <= set(made.select("row", "template").iter_rows())
    assert record.tasks["verdicts"].rounds == 1
    every = built(tmp_path / "all", paths, verdicts(claims(10)), phrasings=9, **options)
    assert every.tasks["verdicts"].templates == dict.fromkeys(["verdict/ask", "verdict/claim", "verdict/judge"], 10)


def test_a_row_that_cannot_stand_in_a_phrasing_never_takes_another_twice_in_one_round(tmp_path):
    texts = {
        "verdict/one": "{{ claim }}\n|||\n{{ answer }}",
        "verdict/two": "{{ claim }}\n\nSo?\n|||\nIt is {{ answer }}",
        "verdict/three": f"{{{{ claim }}}} And so on{' and so on' * 9}\n|||\n{{{{ answer }}}}",
    }
    paths = phrasings(tmp_path / "paths", texts)
    options = {"settings": {"zero_shot.no_options": 1}, "budget": {"characters": 100}, "phrasings": 3}
    record = built(tmp_path / "out", paths, verdicts(claims(6)), **options)
    made = pairs(tmp_path / "out")
    assert made.select("row", "template", "setting").is_duplicated().any() is False
    assert record.tasks["verdicts"].templates == {"verdict/one": 6, "verdict/two": 6}


def test_settings_are_drawn_by_weight_and_moved_where_a_task_cannot_serve_them(tmp_path):
    texts = {
        "verdict/listed": "---\nneeds: options\n---\nOne of these?\n{{ options }}\n{{ claim }}\n|||\n{{ answer }}",
        "verdict/turned": "A claim that is {{ answer }}\n|||\n{{ claim }}",
        "recital/go_on": "{{ cue }}\n|||\n{{ answer }}",
    }
    paths = phrasings(tmp_path / "paths", texts)
    settings = {"zero_shot.options": 3, "zero_shot.no_options": 2, "zero_shot.no_options.inverted": 1}
    record = built(tmp_path / "out", paths, verdicts(claims(400)), recitals(50), settings=settings)
    assert set(record.tasks["verdicts"].settings) == {"zero_shot.options", "zero_shot.no_options.inverted"}
    assert 250 < record.tasks["verdicts"].settings["zero_shot.options"] < 350  # of three to one
    assert set(record.tasks["recitals"].settings) == {"zero_shot.options", "zero_shot.no_options"}
    plan = Mixture(tasks=[verdicts(claims(400)), recitals(50)], paths=[paths], settings=settings).plan()
    assert plan.training["verdicts"].settings == {"zero_shot.no_options.inverted": 0.25, "zero_shot.options": 0.75}


# --- what is measured -------------------------------------------------------------------------------------------------


def test_validation_is_the_sources_own_or_at_most_a_fifth_of_train(tmp_path):
    paths = phrasings(tmp_path / "paths")
    own = verdicts({"train": claims(20), "validation": claims(9, start=50)}, name="own")
    tasks = [
        own,
        verdicts(claims(40), name="large"),
        verdicts(claims(14), name="small"),
        verdicts(claims(4), name="tiny"),
    ]
    built(tmp_path / "out", paths, *tasks, num_validation=6)
    rows = {
        name: {row for task, _, row in used(tmp_path / "out", "validation") if task == name}
        for name in ("own", "large", "small", "tiny")
    }
    assert {name: len(found) for name, found in rows.items()} == {"own": 6, "large": 6, "small": 2, "tiny": 0}
    assert all(int(row[1:]) >= 50 for row in rows["own"])
    assert counts(tmp_path / "out") == {"large": 34, "own": 20, "small": 12, "tiny": 4}
    assert not used(tmp_path / "out", "validation") & used(tmp_path / "out", "train")


def test_seen_rows_are_trained_rows_under_every_answerable_phrasing(tmp_path):
    paths = phrasings(tmp_path / "paths")
    built(tmp_path / "out", paths, verdicts(claims(40)), num_validation=5, rates=ExamplesProportional(maximum=12))
    seen = pairs(tmp_path / "out", "seen")
    assert seen["row"].n_unique() == 5
    assert used(tmp_path / "out", "seen") <= used(tmp_path / "out", "train")
    assert all(set(row["template"]) == {"verdict/ask", "verdict/claim"} for _, row in seen.group_by("row"))
    assert set(seen["candidates"].list.len()) == {3}
    assert set(pairs(tmp_path / "out")["candidates"].list.len()) == {0}


def test_a_row_that_could_not_be_trained_on_is_not_measured_as_seen(tmp_path):
    texts = {
        "verdict/ask": "{{ claim }}\n\n{{ options }}\n|||\n{{ answer }}",
        "verdict/turned": "Make one up that is {{ answer }}.\n|||\n{{ claim }}",
    }
    paths = phrasings(tmp_path / "paths", texts)
    long = claims(30).with_columns(
        claim=pl.when(pl.col("label") == 0).then(pl.col("claim") + " on and on" * 20).otherwise("claim")
    )
    options = {"settings": {"zero_shot.no_options.inverted": 1}, "budget": {"characters": 120}, "num_validation": 30}
    record = built(tmp_path / "out", paths, verdicts({"train": long, "validation": claims(1, start=99)}), **options)
    assert record.tasks["verdicts"].splits["train"].ledger.removed == {"too long for the budget": 10}
    assert used(tmp_path / "out", "seen") == used(tmp_path / "out", "train")


def test_so_many_rows_of_the_measured_split_stand_under_every_phrasing_in_every_setting(tmp_path):
    paths = phrasings(tmp_path / "paths")
    held = verdicts({"train": claims(5), "validation": claims(9), "test": claims(20, start=100)}, name="held")
    both = ["zero_shot.options", "zero_shot.no_options"]
    record = built(
        tmp_path / "out", paths, held, recitals(9), hold_out=["held"], num_held_out=6, held_out_settings=both
    )
    made = pairs(tmp_path / "out", "held__test", "held_out")
    assert made["row"].n_unique() == 6
    assert all(int(row[1:]) >= 100 for row in made["row"])
    told = {"verdict/ask": 2, "verdict/claim": 2, "verdict/judge": 1}
    assert all(dict(row.group_by("template").len().iter_rows()) == told for _, row in made.group_by("row"))
    assert record.splits["held_out"] == {"held__test": 30}
    for pair in made.iter_rows(named=True):
        assert pair["completion"] == pair["candidates"][pair["gold"][0]]
        assert pair["references"] == [pair["completion"]]


@pytest.mark.parametrize(
    ("splits", "evaluate", "measured"),
    [
        (["train", "validation", "test"], None, "test"),
        (["train", "validation"], None, "validation"),
        (["train"], None, "train"),
        (["train", "validation", "test"], "validation", "validation"),
    ],
)
def test_the_measured_split_is_test_then_validation_then_train_or_what_the_task_says(
    tmp_path, splits, evaluate, measured
):
    frames = {split: claims(9, start=100 * number) for number, split in enumerate(splits)}
    held = verdicts(frames, name="held", evaluate=evaluate)
    record = built(tmp_path / "out", phrasings(tmp_path / "paths"), held, recitals(9), hold_out=["held"])
    assert list(record.splits["held_out"]) == [f"held__{measured}"]


def test_a_task_of_another_schema_needs_templates_and_says_where(tmp_path):
    with pytest.raises(InstructionKitError) as error:
        _ = Mixture(tasks=[recitals(9)]).templates
    assert str(error.value) == (
        "task recitals: no template for it; write one in templates/recital/ or templates/recitals/"
    )


def test_a_mixture_holds_tasks_not_only_names():
    task = verdicts(claims(9))
    assert isinstance(Mixture(tasks=[task]).tasks[0], Task)
    assert Mixture(tasks=[task]).chosen == {"verdicts": task}
