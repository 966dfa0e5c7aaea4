"""All problems of a mixture at once, each with its key, and in a file with its line."""

from pathlib import Path
from typing import Any

import pytest
from small_task import claims, phrasings, recitals, task_file, verdicts

from instruction_kit import Files, Mixture
from instruction_kit.errors import InstructionKitError, MixtureError, TaskError, TemplateError


def told(mixture: Mixture, kind: type[InstructionKitError] = MixtureError) -> list[str]:
    with pytest.raises(InstructionKitError) as error:
        mixture.check()
    assert type(error.value) is kind
    return str(error.value).split("\n")


def yaml_told(folder: Path, text: str) -> list[str]:
    path = folder / "mixture.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MixtureError) as error:
        Mixture.from_yaml(path)
    return str(error.value).replace(str(path), "mixture.yaml").split("\n")


# --- values -----------------------------------------------------------------------------------------------------------


def test_values_of_every_kind_are_told_at_once():
    values: dict[str, Any] = {
        "tasks": ["rte", False, "Task object mine"],
        "hold_out": "rte",
        "rates": {"kind": "equal"},
        "settings": {"zero_shot.option": 1, "zero_shot.options": 0},
        "held_out_settings": ["zero_shot.options.inverted", "zero_shot.optoins"],
        "licenses": [],
        "seed": -1,
        "sead": 1,
    }
    with pytest.raises(MixtureError) as error:
        Mixture(**values)
    save = "save it as tasks/<cluster>/<name>.py in a folder of `paths`"
    assert str(error.value).split("\n") == [
        f"tasks: False is no name and no Task object; only Python can describe a task: {save}",
        f"tasks: mine was a Task object, which lives only in the program that made it; {save}",
        (
            "settings.zero_shot.option: no setting zero_shot.option; "
            "did you mean zero_shot.options or zero_shot.no_options or zero_shot.options.cot?"
        ),
        "settings.zero_shot.options: 0.0 is no weight; give a positive number, or leave the name out",
        "hold_out: give a list",
        "licenses: name at least one, each once",
        "rates: those of kind equal are no counts of rows: give num_pairs or num_tokens",
        (
            "held_out_settings.0: zero_shot.options.inverted cannot be measured: "
            "an inverted template's output is not the answer"
        ),
        (
            "held_out_settings.1: no setting zero_shot.optoins; "
            "did you mean zero_shot.options or zero_shot.no_options or zero_shot.options.cot?"
        ),
        "seed: input should be greater than or equal to 0",
        "sead: unknown key; did you mean seed?",
    ]


def test_a_value_that_cannot_be_hides_no_name_that_means_nothing(tmp_path):
    text = "data: sample\ntasks:\n- rte\n- sst3\nhold_out: [natural]\nseed: -1\nlanguages: [eng]\n"
    assert [line.partition(";")[0] for line in yaml_told(tmp_path, text)] == [
        "mixture.yaml:6: seed: input should be greater than or equal to 0",
        "mixture.yaml:4: tasks: sst3 is neither a task nor a cluster",
        "mixture.yaml:5: hold_out: natural is neither a cluster, a task nor a family of this mixture",
        "mixture.yaml:7: languages: no task of this mixture is in eng",
    ]


def test_names_are_not_judged_by_values_that_cannot_be_read(tmp_path):
    """Each of these would mean something if the other could be read."""
    for text, key in (
        ("data: sample\ntasks: [sst2]\npaths: mine\nhold_out: [sst2x]\n", "mixture.yaml:3: paths: give a list"),
        ("data: sample\ntasks: 3\nhold_out: [sst2]\n", "mixture.yaml:2: tasks: give `all`, or a list of names"),
        ("data: sample\ntasks: [gsm8k]\nsettings: {zero_shot.cot: 1}\n", "mixture.yaml:3: settings.zero_shot.cot: no"),
        ("data: sample\nrates: {kind: equal}\nnum_pairs: many\n", "mixture.yaml:3: num_pairs: input should be a val"),
    ):
        (line,) = yaml_told(tmp_path, text)
        assert line.startswith(key)


# --- names ------------------------------------------------------------------------------------------------------------


def test_names_of_every_kind_are_told_at_once_each_with_its_line(tmp_path):
    text = (
        "data: sample\ntasks:\n- rte\n- sst3\n- comonsense\nhold_out: [natural_language, rte]\n"
        "languages:\n  - en\n  - eng\nnum_pairs: 10\n"
        "rates:\n  kind: fixed_weights\n  weights: {rte: 1, sst3: 2}\n"
    )
    assert [line.partition(";")[0] for line in yaml_told(tmp_path, text)] == [
        "mixture.yaml:4: tasks: sst3 is neither a task nor a cluster",
        "mixture.yaml:5: tasks: comonsense is neither a task nor a cluster",
        "mixture.yaml:6: hold_out: natural_language is neither a cluster, a task nor a family of this mixture",
        "mixture.yaml:9: languages: no task of this mixture is in eng",
        "mixture.yaml:13: rates.weights.sst3: neither a task nor a cluster of this mixture",
    ]


def test_several_problems_of_tasks_are_told_at_once():
    objects = [
        verdicts(claims(9)),
        verdicts(claims(8)),
        verdicts(claims(9), name="rte"),
        verdicts(claims(9), name="", cluster=""),
        verdicts(claims(9), name="files", source=Files({"train": "a.csv"})),
    ]
    assert told(Mixture(tasks=[*objects, "rte", "sentimen"], data="sample")) == [
        "tasks: two Task objects are called verdicts; rename one",
        (
            "tasks: a Task object needs name= and cluster=: the task name '' may only hold a-z, 0-9 and _; "
            "the cluster name '' may only hold a-z, 0-9 and _"
        ),
        (
            "tasks: files is a Task object over files or a hub, and has no sample; "
            "build it with data: source, or write it as a task file with a sample beside it"
        ),
        "tasks: sentimen is neither a task nor a cluster; did you mean sentiment or sentiment140?",
        "tasks: rte stands there twice, as a name and as a Task object; rename the object",
    ]


def test_several_names_that_are_nothing_and_settings_that_nobody_serves_are_told_at_once(tmp_path):
    paths = phrasings(tmp_path)
    settings = {"zero_shot.options": 1, "zero_shot.no_options.cot": 1, "zero_shot.options.inverted": 1}
    tasks = [verdicts(claims(9)), recitals(9)]
    unserved = [
        f"settings: no task of this mixture has a template for {key}; write one or take the setting out"
        for key in ("zero_shot.no_options.cot", "zero_shot.options.inverted")
    ]
    assert told(Mixture(tasks=tasks, paths=[paths], settings=settings)) == unserved
    names = [
        f"hold_out: {name} is neither a cluster, a task nor a family of this mixture; did you mean {near}?"
        for name, near in (("judgin", "judging"), ("recitl", "recitals or reciting"))
    ]
    held = Mixture(tasks=tasks, paths=[paths], settings=settings, hold_out=["judgin", "recitl"])
    assert told(held) == [*names, *unserved]
    phrasings(tmp_path, {"recital/back": "What comes before this line?\n\n{{ line }}\n|||\n{{ cue }}"})
    some = {"zero_shot.options": 1, "zero_shot.options.inverted": 1}  # the second by one of the tasks
    assert told(Mixture(tasks=tasks, paths=[paths], settings=some, hold_out=["judgin", "recitl"])) == names


def test_settings_and_tasks_without_one_are_told_at_once_for_both_sides(tmp_path):
    texts = {
        "verdict/turned": "{{ answer }}?\n|||\n{{ claim }}",
        "recital/r": "{{ cue }}\n|||\n{{ answer }}",
    }
    paths = phrasings(tmp_path, texts)
    tasks = [
        verdicts(claims(9)),
        recitals(9),
        verdicts(claims(9), name="held", cluster="holding"),
    ]
    settings = {"zero_shot.options": 1, "zero_shot.no_options.cot": 1}
    assert told(Mixture(tasks=tasks, paths=[paths], settings=settings, hold_out=["held"])) == [
        (
            "settings: no task of this mixture has a template for zero_shot.no_options.cot; "
            "write one or take the setting out"
        ),
        (
            "settings: task verdicts has no template for zero_shot.no_options.cot or zero_shot.options; "
            "write one in templates/verdict/ or templates/verdicts/, or take the task out"
        ),
        (
            "held_out_settings: no task of this mixture has a template for zero_shot.options; "
            "write one or take the setting out"
        ),
    ]


def test_files_that_cannot_be_used_are_told_beside_names_that_mean_nothing(tmp_path):
    broken = task_file(tmp_path, "broken", train="")
    broken.write_text("task = 3\n", encoding="utf-8")
    found = told(Mixture(tasks=["broken", "brokn"], paths=[tmp_path], hold_out=["sst"]))
    assert found == [
        "tasks: brokn is neither a task nor a cluster; did you mean broken?",
        f"{broken}: the file defines no `task = Task(…)`",
    ]
    assert told(Mixture(tasks=["broken", "sst2"], paths=[tmp_path]), TaskError) == [found[1]]
    (line,) = yaml_told_as(TaskError, tmp_path, f"tasks: [broken]\npaths: ['{tmp_path}']\n")
    assert line == found[1]  # it says its own place


def yaml_told_as(kind: type[InstructionKitError], folder: Path, text: str) -> list[str]:
    path = folder / "mixture.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(kind) as error:
        Mixture.from_yaml(path)
    return str(error.value).split("\n")


def test_templates_of_several_tasks_that_cannot_be_used_are_told_at_once(tmp_path):
    texts = {"verdict/a": "{{ clam }}\n|||\n{{ answer }}", "recital/b": "{{ cue }}\n"}
    paths = phrasings(tmp_path, texts)
    found = told(Mixture(tasks=[verdicts(claims(9)), recitals(9)], paths=[paths]), TemplateError)
    assert [line.partition("templates/")[2].partition(": ")[0] for line in found] == [
        "recital/b.jinja:2",
        "verdict/a.jinja:1",
    ]


def test_folders_that_are_not_there_are_told_at_once(tmp_path):
    assert told(Mixture(paths=[tmp_path / "one", tmp_path / "two"], tasks=["nothing"])) == [
        f"paths: {tmp_path / name}: does not exist; name a folder that holds tasks/ or templates/ or both"
        for name in ("one", "two")
    ]


def test_a_plan_and_a_build_tell_all_of_it(tmp_path):
    mixture = Mixture(tasks=["sst3", "rtee"], data="sample")
    for verb in (mixture.plan, mixture.dataset, lambda: mixture.build(tmp_path / "out")):
        with pytest.raises(MixtureError, match=r"^tasks: sst3 is neither .*\ntasks: rtee is neither .*$"):
            verb()
    assert not (tmp_path / "out").exists()
