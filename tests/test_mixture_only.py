"""`only: held_out`: what is measured, without the training side."""

import pytest
from small_task import built, claims, contents, phrasings, recitals, verdicts

from instruction_kit import Mixture
from instruction_kit.built.verify import verify
from instruction_kit.errors import MixtureError
from instruction_kit.evaluation.folder import read_pairs
from instruction_kit.source.frame import Frame

KEYS = {
    "hold_out": ["held", "recitals"],
    "held_out_settings": ["few_shot.options", "zero_shot.options"],
    "exemplars": {"num": 3},
    "num_held_out": 5,
}


def tasks():
    held = verdicts({"train": claims(9), "validation": claims(6, start=50), "test": claims(9, start=99)}, name="held")
    return [verdicts(claims(30), name="trained", cluster="weighing"), held, recitals(9)]


def held_out(folder):
    return {name: data for name, data in contents(folder).items() if name.startswith("held_out/")}


def test_only_the_held_out_side_is_the_held_out_side_of_the_whole(tmp_path):
    paths = phrasings(tmp_path / "paths")
    built(tmp_path / "whole", paths, *tasks(), **KEYS, drop_overlap=True, drop_duplicates="exact")
    record = built(
        tmp_path / "only", paths, *tasks(), **KEYS, drop_overlap=True, drop_duplicates="exact", only="held_out"
    )
    assert held_out(tmp_path / "only") == held_out(tmp_path / "whole") != {}
    assert set(record.tasks) == {"held", "recitals"}
    assert record.left == {"trained": "only what is held out is built (only: held_out)"}
    assert set(record.splits["train"].values()) == {0}
    assert verify(tmp_path / "only").problems == ()
    assert "Training pairs" not in (tmp_path / "only" / "README.md").read_text(encoding="utf-8")
    assert read_pairs(tmp_path / "only", split="held_out").height


def test_build_takes_it_as_an_argument_and_reads_nothing_that_would_train(tmp_path):
    paths = phrasings(tmp_path / "paths")
    broken = verdicts(claims(9).drop("claim"), name="trained", cluster="weighing")
    mixture = Mixture(tasks=[broken, *tasks()[1:]], paths=[paths], num_validation=0, **KEYS)
    manifest = mixture.build(tmp_path / "out", only="held_out")
    assert manifest.mixture["only"] == "held_out"
    assert mixture.only is None


def test_what_has_nothing_to_train_on_is_measured_alone(tmp_path):
    held = verdicts({"test": claims(9)}, name="held")
    assert isinstance(held.source, Frame)
    made = Mixture(tasks=[held], hold_out=["held"], only="held_out", paths=[phrasings(tmp_path)])
    assert made.plan().measured == ("held",)
    assert made.plan().pairs == 0


def test_nothing_to_measure_is_an_error(tmp_path):
    with pytest.raises(MixtureError) as error:
        Mixture(tasks=[recitals(9)], only="held_out", paths=[phrasings(tmp_path)]).check()
    assert str(error.value) == ("only: held_out, and nothing is held out; name clusters, tasks or families in hold_out")
