"""Filters by licence, language and status: what stays, what leaves and where that is told, and what cannot be."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_task import built, claims, lines, phrasings, task_file, verdicts

from instruction_kit import Frame, Mixture, Task, labels
from instruction_kit.errors import MixtureError, TaskError
from instruction_kit.schema import Classification

TEXTS = {
    "classification/ask": "{{ text }}\n\n{{ options }}\n|||\n{{ answer }}",
    "classification/frage": "---\nlanguages: de\n---\nSo? {{ text }}\n\n{{ options }}\n|||\n{{ answer }}",
    "classification/both": "---\nlanguages: [de, en]\n---\n{{ text }} (ja/yes)\n\n{{ options }}\n|||\n{{ answer }}",
}
SAYS = {
    "free": 'license="mit", languages=["en"]',
    "shared": 'license="cc-by-sa-4.0", languages=["en"]',
    "closed": 'license="unknown", languages=["en"]',
    "both": 'license="mit", languages=["de", "en"]',
    "mute": 'license="mit", languages=[]',
}
"""Task -> what it says of itself; all of the cluster sorting."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Tasks of several licences and languages, whose phrasings are these alone."""
    folder = phrasings(tmp_path_factory.mktemp("mine"), TEXTS)
    for name, said in SAYS.items():
        path = task_file(folder, name, train=lines(12))
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace('license="mit"', said), encoding="utf-8")
    return folder


def sorting(folder: Path, **options: Any) -> Mixture:
    return Mixture(**{"tasks": ["sorting"], "paths": [folder], "num_validation": 0, **options})


def message(folder: Path, **options: Any) -> str:
    with pytest.raises(MixtureError) as error:
        sorting(folder, **options).plan()
    return str(error.value)


def staying(mixture: Mixture) -> list[str]:
    return list(mixture.plan().training)


# --- what leaves ------------------------------------------------------------------------------------------------------


def test_only_tasks_under_these_licences_stay(folder):
    mixture = sorting(folder, licenses=["mit", "unknown"])
    assert staying(mixture) == ["both", "closed", "free", "mute"]
    assert mixture.plan().leaving == {"shared": "its licence cc-by-sa-4.0 is not among licenses"}


def test_no_task_under_these_licences_stays(folder):
    mixture = sorting(folder, exclude_licenses=["unknown", "mit"])
    assert staying(mixture) == ["shared"]
    assert mixture.plan().leaving["closed"] == "its licence unknown is among exclude_licenses"


def test_only_tasks_in_these_languages_stay(folder):
    """A task in two needs both; one that states none leaves."""
    english, either = sorting(folder, languages=["en"]), sorting(folder, languages=["de", "en"])
    assert staying(english) == ["closed", "free", "shared"]
    assert english.plan().leaving == {
        "both": "its language de is not among languages",
        "mute": "it states no language",
        **{f"template classification/{name}": "its language de is not among languages" for name in ("both", "frage")},
    }
    assert staying(either) == ["both", "closed", "free", "shared"]
    assert either.plan().leaving == {"mute": "it states no language"}


def test_a_phrasing_in_another_language_is_not_used_and_one_that_states_none_is(folder, tmp_path):
    every = built(tmp_path / "every", folder, phrasings=9, max_repeats=9, tasks=["sorting"])
    english = built(tmp_path / "english", folder, phrasings=9, max_repeats=9, tasks=["sorting"], languages=["en"])
    assert {"classification/ask", "classification/frage"} <= set(every.tasks["free"].templates)
    said = set(every.tasks["free"].templates) - {"classification/both", "classification/frage"}
    assert set(english.tasks["free"].templates) == said


def test_several_reasons_are_told_together(folder):
    assert sorting(folder, licenses=["unknown", "mit"], languages=["en"], hold_out=["free"]).plan().leaving["both"] == (
        "its language de is not among languages"
    )
    assert sorting(folder, licenses=["cc-by-sa-4.0"], languages=["en"]).plan().leaving["both"] == (
        "its licence mit is not among licenses and its language de is not among languages"
    )


def test_what_leaves_stands_in_the_manifest_and_on_the_card(folder, tmp_path):
    manifest = built(tmp_path / "out", folder, tasks=["sorting"], licenses=["mit"], languages=["en"])
    assert manifest.left["closed"] == "its licence unknown is not among licenses"
    assert manifest.mixture["licenses"] == ["mit"]
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "closed (its licence unknown is not among licenses)" in card
    assert "template classification/frage (its language de is not among languages)" in card


def test_the_order_of_names_is_no_difference(folder):
    one, other = (sorting(folder, licenses=names).portable() for names in (["mit", "unknown"], ["unknown", "mit"]))
    assert one == other


# --- with what is held out --------------------------------------------------------------------------------------------


def test_what_is_filtered_away_is_neither_measured_nor_takes_others_along(folder, tmp_path):
    says = {
        "held": 'license="other", families=["one"]',
        "kin": 'license="mit", families=["one"]',
        "more": 'license="mit"',
        "rest": 'license="mit"',
    }
    for name, said in says.items():
        path = task_file(tmp_path, name, cluster="asking" if name in ("held", "more") else "telling", train=lines(9))
        path.write_text(path.read_text(encoding="utf-8").replace('license="mit"', said), encoding="utf-8")
    mixture = Mixture(tasks=["asking", "telling"], paths=[tmp_path], hold_out=["asking"])
    assert (mixture.held_out.measured, mixture.held_out.training) == (("held", "more"), ("rest",))
    assert mixture.leaving == {"kin": "kin -> held (family one)"}
    filtered = mixture.model_copy(update={"licenses": ("mit",)})
    assert (filtered.held_out.measured, filtered.held_out.training) == (("more",), ("kin", "rest"))
    assert filtered.leaving == {"held": "its licence other is not among licenses"}


def test_a_name_to_hold_out_of_which_nothing_stays_is_refused(folder):
    assert message(folder, licenses=["mit"], hold_out=["closed"]) == (
        "hold_out: the filters leave nothing of closed (closed: its licence unknown is not among licenses); "
        "hold out something else, or filter less"
    )


# --- what cannot be ---------------------------------------------------------------------------------------------------


def test_a_task_that_is_named_and_must_leave_is_refused_with_the_reason(folder):
    assert message(folder, tasks=["sorting", "closed", "mute"], licenses=["mit"], languages=["en"]) == (
        "tasks: closed is listed and must leave: its licence unknown is not among licenses; "
        "take it out, or filter less\n"
        "tasks: mute is listed and must leave: it states no language; take it out, or filter less"
    )


def test_a_name_that_no_task_has_comes_with_the_nearest_of_those_that_some_have(folder):
    assert message(folder, languages=["eng", "xx"]) == (
        "languages: no task of this mixture is in eng; did you mean en?\n"
        "languages: no task of this mixture is in xx; there are: de, en"
    )


def test_a_licence_that_no_task_has_is_noted_and_no_error_so_that_one_policy_serves_every_mixture(folder):
    mixture = sorting(folder, licenses=["mit", "MIT", "mitt"], exclude_licenses=["cc-by-sa-3.0"])
    mixture.check()
    assert list(mixture.plan().notices) == [
        "licenses: no task of this mixture has the licence MIT; there are: cc-by-sa-4.0, mit, unknown",
        "licenses: no task of this mixture has the licence mitt; did you mean mit?",
        "exclude_licenses: no task of this mixture has the licence cc-by-sa-3.0; did you mean cc-by-sa-4.0?",
    ]
    assert sorting(folder, licenses=["mit"]).notices == []


def test_a_language_that_only_a_phrasing_is_in_is_no_mistake(folder, tmp_path):
    texts = {"classification/demande": "---\nlanguages: fr\n---\n{{ text }} ?\n\n{{ options }}\n|||\n{{ answer }}"}
    french = phrasings(tmp_path, texts)
    mixture = sorting(folder, paths=[folder, french], languages=["en", "fr"])
    mixture.check()
    assert "classification/demande" in {template.name for template in mixture.templates["free"]}


def test_filters_that_leave_nothing_are_refused(folder):
    assert message(folder, languages=["de"]) == (
        "tasks: nothing is left to train on: both: its language en is not among languages; "
        "closed: its language en is not among languages; free: its language en is not among languages; "
        "mute: it states no language; shared: its language en is not among languages; add tasks or filter less"
    )
    assert message(folder, licenses=["mit"], languages=["en"], hold_out=["free"]) == (
        "hold_out: ['free'] leaves nothing to train on: 1 named, 4 filtered away; hold out less or add tasks"
    )


def test_a_task_without_a_phrasing_in_these_languages_is_refused(tmp_path):
    texts = {"verdict/frage": "---\nlanguages: de\n---\nStimmt das? {{ claim }}\n\n{{ options }}\n|||\n{{ answer }}"}
    with pytest.raises(MixtureError) as error:
        Mixture(tasks=[verdicts(claims(9))], paths=[phrasings(tmp_path, texts)], languages=["en"]).plan()
    assert str(error.value) == (
        "languages: task verdicts has no template in en; write one in templates/verdict/ or templates/verdicts/, "
        "or take the task out"
    )


# --- sources that nobody has seen -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_unseen(tmp_path_factory) -> Path:
    folder = phrasings(tmp_path_factory.mktemp("unseen"), TEXTS)
    task_file(folder, "seen", train=lines(12))
    path = task_file(folder, "unseen", train=lines(12))
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('license="mit"', 'license="mit", status="unverified"'), encoding="utf-8")
    return folder


def test_an_unverified_task_leaves_a_mixture_that_does_not_name_it(with_unseen):
    told = sorting(with_unseen).plan()
    assert "unseen" not in told.training
    assert told.leaving == {"unseen": "its source is unverified, and the mixture does not name it"}


def test_an_unverified_task_that_is_named_trains_or_is_measured(with_unseen):
    assert staying(sorting(with_unseen, tasks=["sorting", "unseen"])) == ["seen", "unseen"]
    assert sorting(with_unseen, hold_out=["unseen"]).plan().measured == ("unseen",)


def test_a_status_is_one_of_two():
    with pytest.raises(TaskError, match="status: Input should be 'usable' or 'unverified'"):
        Task(
            name="odd",
            cluster="sorting",
            schema=Classification,
            source=Frame(pl.DataFrame({"text": ["a"], "label": [0]})),
            columns={"text": "text", "label": labels("label", ["no", "yes"])},
            status="odd",  # type: ignore[arg-type]
        )
