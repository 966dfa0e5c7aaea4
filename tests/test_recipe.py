"""Recipes: mixtures by name, to start from; those that ship, and what each of them says."""

from itertools import pairwise
from pathlib import Path

import pytest
from command import refused
from small_task import pairs

from instruction_kit import Mixture
from instruction_kit.built.verify import verify
from instruction_kit.errors import MixtureError
from instruction_kit.library import recipe_files

SHIPPED = sorted(recipe_files())
FLAN_SPLITS = ("flan2021_clusters", "flan2021_tasks", "flan2021_tasks_per_cluster", "flan2021_templates")


def shipped(name: str, **values: object) -> Mixture:
    number = {"num_pairs": 60} if name == "flan2022" else {}
    return Mixture.from_recipe(name, data="sample", **number, **values)


@pytest.mark.parametrize("name", SHIPPED)
def test_each_recipe_can_be_planned_from_samples_and_says_what_it_is(name):
    plan = shipped(name).plan()
    if shipped(name).only == "held_out":
        assert plan.measured
    else:
        assert plan.pairs
        assert plan.sums
    first = recipe_files()[name].read_text(encoding="utf-8").partition("\n")[0]
    assert first.startswith("# ")


def test_the_recipes_that_the_papers_need_are_there():
    arms = ("zs_opt", "zs_noopt", "fs_opt", "fs_noopt", "cot", "cot_inverted")
    ablations = ("no_template", "dataset_name", "clusters", "tasks", "tasks_per_cluster", "templates", "rotation")
    measured = {"bbh", "bbh_cot", "mmlu"}
    wanted = {*measured, "flan2021", "flan2022", "t0", "cot_only", *(f"flan2022_{arm}" for arm in arms)}
    assert wanted | {f"flan2021_{ablation}" for ablation in ablations} == set(SHIPPED)


@pytest.mark.parametrize("name", ["flan2022", "flan2022_cot_inverted", "flan2021_dataset_name"])
def test_a_recipe_builds_what_verifies(name, tmp_path):
    manifest = shipped(name, find_overlap=False).build(tmp_path / "out")
    assert verify(tmp_path / "out").problems == ()
    assert manifest.splits["train"]["train"] == pairs(tmp_path / "out").height


def test_flan_2022_is_made_of_its_mixtures_in_their_weights():
    sums = shipped("flan2022").plan().sums
    shares = {name: amount.pairs for (by, name), amount in sums.items() if by == "part"}
    assert shares == {"cot": 7, "flan2021": 53}  # of 60 in 0.05 to 0.40


@pytest.mark.parametrize("name", FLAN_SPLITS)
def test_an_ablation_holds_out_what_the_paper_measures(name):
    held = shipped(name).held_out
    clusters = {shipped(name).chosen[task].cluster for task in held.measured}
    assert clusters == {"natural_language_inference", "commonsense", "closed_book_qa"}


def test_more_clusters_keep_those_of_fewer_in_the_order_of_the_paper():
    trained = []
    for number in range(1, 8):
        mixture = shipped("flan2021_clusters", num_clusters=number)
        trained.append({mixture.chosen[name].cluster for name in mixture.held_out.training})
    assert [len(clusters) for clusters in trained] == list(range(1, 8))
    assert all(few < more for few, more in pairwise(trained))
    assert trained[1] == {"summarization", "translation"}


# --- starting from one ------------------------------------------------------------------------------------------------


def recipe(folder: Path, name: str, text: str) -> Path:
    path = folder / "recipes" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


def test_a_mixture_starts_from_a_recipe_and_says_what_is_other(tmp_path):
    mine = recipe(tmp_path / "mine", "mine", "tasks: [sst2, copa]\nseed: 3\nphrasings: 2\n")
    recipe(mine, "further", "recipe: mine\nseed: 4\n")
    file = tmp_path / "mixture.yaml"
    file.write_text("recipe: further\npaths: [mine]\nphrasings: 5\n", encoding="utf-8")
    expected = Mixture(tasks=["sst2", "copa"], seed=4, phrasings=5, paths=[mine])
    assert Mixture.from_yaml(file) == expected
    assert Mixture.from_recipe("further", paths=[mine], phrasings=5) == expected
    assert Mixture(recipe="mine", paths=[mine]).seed == 3
    assert "recipe" not in expected.portable()


def test_a_part_starts_from_a_recipe(tmp_path):
    mine = recipe(tmp_path, "mine", "tasks: [sst2]\nphrasings: 2\n")
    values = {"num_pairs": 20, "data": "sample", "paths": [mine]}
    mixture = Mixture(parts={"a": {"recipe": "mine", "weight": 1}, "b": {"tasks": ["copa"], "weight": 1}}, **values)
    assert mixture.part("sst2").phrasings == 2
    assert mixture.part("copa").phrasings == 1


def test_a_recipe_of_ones_own_overrides_the_librarys_and_reads_its_own_folders(tmp_path):
    mine = recipe(tmp_path, "t0", "tasks: [copa]\ndata_dir: here\n")
    mixture = Mixture.from_recipe("t0", paths=[mine])
    assert (mixture.tasks, mixture.data_dir) == (("copa",), mine / "recipes" / "here")


def test_recipes_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(MixtureError, match=r"^recipe: there is no recipe flan21; did you mean flan2021"):
        Mixture.from_recipe("flan21")
    with pytest.raises(MixtureError, match=r"^phrasing: unknown key; did you mean phrasings"):
        Mixture.from_recipe("flan2021", phrasing=2)
    round_trip = recipe(tmp_path, "one", "recipe: two\n")
    recipe(tmp_path, "two", "recipe: one\n")
    with pytest.raises(MixtureError, match=r"^recipe: one -> two -> one goes round in a circle$"):
        Mixture.from_recipe("one", paths=[round_trip])
    with pytest.raises(MixtureError, match=r"^parts.a.num_pairs: holds for the whole mixture; say it beside `parts`"):
        Mixture(parts={"a": {"recipe": "flan2022", "weight": 1}}, num_pairs=9)


def test_what_is_wrong_in_a_recipe_is_told_at_the_line_that_names_it(tmp_path):
    mine = recipe(tmp_path, "mine", "tasks: [sst2, sst3]\n")
    file = mine / "mixture.yaml"
    file.write_text("seed: 2\nrecipe: mine\npaths: [.]\n", encoding="utf-8")
    with pytest.raises(MixtureError) as error:
        Mixture.from_yaml(file)
    assert str(error.value).startswith(f"{file}:2: tasks: sst3 is neither a task nor a cluster; did you mean sst2")


def test_what_is_wrong_in_a_recipe_that_is_run_by_its_name_is_told_with_its_line(tmp_path):
    mine = recipe(tmp_path, "mine", "# mine\ntasks: [sst2]\nsead: 3\n")
    told = f"{mine}/recipes/mine.yaml:3: "
    assert refused("plan", "mine", "--path", mine) == f"{told}sead: unknown key; did you mean seed?"
    recipe(tmp_path, "mine", "tasks:\n- sst2\n- sst3\n")
    assert refused("plan", "mine", "--path", mine, "--set", "data=sample").startswith(
        f"{told}tasks: sst3 is neither a task nor a cluster; did you mean sst2"
    )
