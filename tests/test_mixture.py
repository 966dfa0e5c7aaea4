"""A mixture: the same from YAML as from Python, and plain words for what cannot be."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from small_task import claims, phrasings, verdicts

from instruction_kit import Equal, ExamplesProportional, FixedWeights, Mixture, Temperature
from instruction_kit.errors import MixtureError
from instruction_kit.mixture import Budget, Exemplars

SETTINGS = {"zero_shot.options": 2.0, "zero_shot.no_options": 1.0}
EVERY_KEY: dict[str, Any] = {
    "tasks": ["rte", "sst2", "gsm8k", "commonsense"],
    "may_leave": True,
    "order": ["sst2"],
    "num_clusters": 2,
    "num_tasks_per_cluster": 3,
    "num_tasks": 2,
    "hold_out": ["natural_language_inference"],
    "rotation": 1,
    "paths": ["mine"],
    "data_dir": "data",
    "data": "sample",
    "licenses": ["mit", "other", "unknown"],
    "exclude_licenses": ["afl-3.0"],
    "languages": ["en"],
    "rates": {"kind": "examples_proportional", "maximum": 500},
    "num_examples_per_task": 700,
    "num_examples_per_phrasing": 90,
    "num_pairs": 80,
    "max_repeats": 9,
    "settings": SETTINGS,
    "wording": "fields",
    "num_templates": 3,
    "phrasings": 2,
    "option_styles": ["dash", "letter"],
    "option_order": "source",
    "exemplars": {"num": [2, 3], "balance": "label"},
    "joiner": "\n\n",
    "budget": {"characters": 4_000},
    "num_validation": 5,
    "num_held_out": 6,
    "held_out_settings": ["zero_shot.no_options"],
    "held_out_wording": "name",
    "find_overlap": False,
    "drop_overlap": True,
    "drop_duplicates": "exact",
    "only": "held_out",
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
    assert set(EVERY_KEY) == set(Mixture.model_fields) - {"parts", "num_tokens"}  # instead of tasks and num_pairs
    text = yaml.safe_dump(EVERY_KEY, sort_keys=False)
    read = Mixture.from_yaml(yaml_file(tmp_path, text))
    written = Mixture(
        tasks=["rte", "sst2", "gsm8k", "commonsense"],
        may_leave=True,
        order=["sst2"],
        num_clusters=2,
        num_tasks_per_cluster=3,
        num_tasks=2,
        hold_out=["natural_language_inference"],
        rotation=1,
        paths=[tmp_path / "mine"],
        data_dir=tmp_path / "data",
        data="sample",
        licenses=["mit", "other", "unknown"],
        exclude_licenses=["afl-3.0"],
        languages=["en"],
        rates=ExamplesProportional(maximum=500),
        num_examples_per_task=700,
        num_pairs=80,
        max_repeats=9,
        settings=SETTINGS,
        wording="fields",
        num_templates=3,
        num_examples_per_phrasing=90,
        held_out_wording="name",
        phrasings=2,
        option_styles=("dash", "letter"),
        option_order="source",
        exemplars=Exemplars(num=(2, 3), balance="label"),
        joiner="\n\n",
        budget=Budget(characters=4_000),
        num_validation=5,
        num_held_out=6,
        held_out_settings=["zero_shot.no_options"],
        find_overlap=False,
        drop_overlap=True,
        drop_duplicates="exact",
        only="held_out",
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
            "mixture.yaml:4: rates.maximun: unknown key; did you mean maximum?",
        ),
        ("rates: {kind: eqal}\n", "mixture.yaml:1: rates: there is no kind eqal; did you mean equal?"),
        (
            "rates:\n  maximum: 3\n",
            "mixture.yaml:1: rates: give its kind, one of examples_proportional, equal, temperature, ",
        ),
        (
            "\nbudget:\n  character: 500\n",
            "mixture.yaml:3: budget.character: unknown key; did you mean characters",
        ),
        ("data: samples\n", "mixture.yaml:1: data: input should be 'source' or 'sample'"),
        (
            "seed: 1\nsettings:\n  zero_shot.option: 1\n",
            "mixture.yaml:3: settings.zero_shot.option: no setting zero_shot.option; did you mean zero_shot.options",
        ),
        (
            "held_out_settings: [zero_shot.opts]\n",
            "mixture.yaml:1: held_out_settings.0: no setting zero_shot.opts; did you mean zero_shot.options",
        ),
        (
            "data: sample\ntasks:\n- rte\n- sst3\n",
            "mixture.yaml:4: tasks: sst3 is neither a task nor a cluster; did you mean sst2?",
        ),
        (
            "data: sample\nhold_out:\n- natural_language\n",
            "mixture.yaml:3: hold_out: natural_language is neither a cluster, a task nor a family of this mixture; ",
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
            "settings.zero_shot.options: 0.0 is no weight; give a positive number, or leave",
        ),
        (
            {"settings": {"zero_shot.options": -1}},
            "settings.zero_shot.options: -1.0 is no weight; give a positive number, or leave",
        ),
        (
            {"settings": {"zero_shot.options": float("nan")}},
            "settings.zero_shot.options: nan is no weight; give a positive number, or leave",
        ),
        (
            {"settings": {"zero_shot.options": float("inf")}},
            "settings.zero_shot.options: inf is no weight; give a positive number, or leave",
        ),
        ({"settings": {"zero_shot.options": "1"}}, "settings.zero_shot.options: input should be a valid number"),
        ({"exemplars": {"num": 0}}, "exemplars.num: 0 is no number of exemplars; give a number from 1 to 64"),
        ({"exemplars": {"num": [4, 2]}}, "exemplars.num: [4, 2] is no number of exemplars; give a number from 1"),
        ({"exemplars": {"nun": 3}}, "exemplars.nun: unknown key; did you mean num"),
        ({"held_out_settings": []}, "held_out_settings: name at least one, each once"),
        ({"held_out_settings": ["zero_shot.options"] * 2}, "held_out_settings: name at least one, each once"),
        (
            {"held_out_settings": ["zero_shot.options.inverted"]},
            "held_out_settings.0: zero_shot.options.inverted cannot be measured: an inverted template's output is",
        ),
        ({"rates": Equal()}, "rates: those of kind equal are no counts of rows: give num_pairs"),
        ({"rates": {"kind": "temperature"}}, "rates.temperature: field required"),
        ({"rates": {"kind": "temperature", "temperature": 0.5}}, "rates.temperature: input should be greater than or"),
        (
            {"rates": {"kind": "temperature", "temperature": float("inf")}},
            "rates.temperature: input should be a finite",
        ),
        (
            {"rates": Temperature(temperature=2)},
            "rates: those of kind temperature are no counts of rows: give num_pairs",
        ),
        ({"rates": {"kind": "fixed_weights"}}, "rates.weights: field required"),
        ({"rates": {"kind": "fixed_weights", "weights": {}}}, "rates.weights: name at least one"),
        (
            {"rates": {"kind": "fixed_weights", "weights": {"rte": 0, "cb": -1, "snli": True}}},
            (
                "rates.weights.rte: 0.0 is no weight; give a positive number, or leave the name out\n"
                "rates.weights.cb: -1.0 is no weight; give a positive number, or leave the name out\n"
                "rates.weights.snli: input should be a valid number"
            ),
        ),
        ({"rates": {"kind": "fixed_weights", "weight": {"a": 1}}}, "rates.weights: field required\nrates.weight: unk"),
        (
            {"rates": FixedWeights(weights={"rte": 1})},
            "rates: those of kind fixed_weights are no counts of rows: give num_pairs",
        ),
        ({"licenses": []}, "licenses: name at least one, each once"),
        ({"exclude_licenses": "mit"}, "exclude_licenses: give a list"),
        (
            {"licenses": ["mit", "other"], "exclude_licenses": ["mit"]},
            "exclude_licenses: mit is among licenses too; take it out of one",
        ),
        ({"languages": ["en", "en"]}, "languages: name at least one, each once"),
        ({"seed": -1}, "seed: input should be greater than or equal to 0"),
        ({"seed": 1.0}, "seed: input should be a valid integer"),
        ({"seed": True}, "seed: input should be a valid integer"),
        ({"num_pairs": 0}, "num_pairs: input should be greater than or equal to 1"),
        ({"num_examples_per_task": 0}, "num_examples_per_task: input should be greater than or equal to 1"),
        ({"num_validation": "200"}, "num_validation: input should be a valid integer"),
        (
            {"rates": {"kind": "examples_proportional", "maximum": 0}},
            "rates.maximum: input should",
        ),
        ({"joiner": ""}, "joiner: string should have at least 1 character"),
        ({"budget": {}}, "budget: give `characters`, or `tokens` with a `tokenizer`"),
        ({"budget": {"characters": 500, "tokens": 90}}, "budget: give `characters`, or `tokens` with a `tokenizer`"),
        ({"budget": {"tokens": 90}}, "budget: tokens are counted by a tokenizer: give both, or neither"),
        ({"budget": {"characters": 10}}, "budget.characters: input should be greater than or equal to 100"),
        ({"hold_out": "rte"}, "hold_out: give a list"),
        ({"tasks": "rte"}, "tasks: give `all`, or a list of names and Task objects, not 'rte'"),
        ({"tasks": ["sst2", "rte", "sst2"]}, "tasks: sst2 stands there 2 times; name it once"),
        ({"tasks": [False]}, "tasks: False is no name and no Task object; only Python can describe a task: save it as"),
        ({"hold_out": [False]}, "hold_out.0: input should be a valid string"),
        ({"tsks": []}, "tsks: unknown key; did you mean tasks or num_tasks?"),
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
