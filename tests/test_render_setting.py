"""Settings: their names, and which templates serve them."""

from dataclasses import replace

import pytest
from rendering import ASK, INVERTING, JUDGE, MATHS, NO_OPTIONS, OPTIONS, REASONED, template
from small_task import claims, recitals, verdicts

from instruction_kit.errors import MixtureError
from instruction_kit.render.setting import SETTINGS, parse_setting, serves, serving
from instruction_kit.schema import MathWordProblem


@pytest.mark.parametrize("name", SETTINGS)
def test_a_settings_name_says_its_parts(name):
    setting = parse_setting(name)
    assert str(setting) == name
    assert setting.options == (".options" in name)
    assert (setting.cot, setting.inverted) == (".cot" in name, ".inverted" in name)
    assert setting.few_shot == name.startswith("few_shot.")


def test_a_setting_that_is_none_comes_with_the_nearest():
    with pytest.raises(MixtureError, match=r"^no setting zero_shot\.option; did you mean zero_shot\.options"):
        parse_setting("zero_shot.option")
    with pytest.raises(MixtureError, match=r"^no setting few_shots\.options; did you mean few_shot\.options"):
        parse_setting("few_shots.options")


@pytest.mark.parametrize("setting", [s for s in SETTINGS.values() if s.few_shot], ids=str)
def test_a_few_shot_setting_is_served_by_the_phrasings_of_the_zero_shot_one(setting):
    for text in (ASK, NEEDING, INVERTING):
        made = template(text)
        assert serves(made, setting, task=JUDGE) == serves(made, replace(setting, few_shot=False), task=JUDGE)


def test_a_task_without_anything_to_show_serves_no_few_shot_setting():
    trainless = verdicts({"test": claims(3)})
    assert not any(serves(template(ASK), s, task=trainless) for s in SETTINGS.values() if s.few_shot)
    assert not any(serves(template(ASK), s, task=JUDGE, exemplars="file") for s in SETTINGS.values() if s.few_shot)


ZERO_SHOT = {name: setting for name, setting in SETTINGS.items() if not setting.few_shot}
NEEDING = "---\nneeds: options\n---\nOne of these?\n\n{{ options }}\n{{ claim }}\n|||\n{{ answer }}"
BARE = "{{ claim }}\n|||\n{{ answer }}"
BARE_INVERTING = "Write a claim that is {{ answer }}.\n|||\n{{ claim }}"


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (ASK, {"zero_shot.options", "zero_shot.no_options"}),
        (BARE, {"zero_shot.no_options"}),
        (NEEDING, {"zero_shot.options"}),
        (INVERTING, {"zero_shot.options.inverted", "zero_shot.no_options.inverted"}),
        (BARE_INVERTING, {"zero_shot.no_options.inverted"}),
    ],
)
def test_a_phrasing_serves_the_settings_that_its_text_allows(text, settings):
    made = template(text)
    assert {name for name, setting in ZERO_SHOT.items() if serves(made, setting, task=JUDGE)} == settings


def test_a_task_without_options_serves_both_kinds_of_setting():
    told = recitals(1)
    made = template("{{ cue }}\n\n{{ options }}\n|||\n{{ answer }}", told.schema)
    assert {n for n, s in ZERO_SHOT.items() if serves(made, s, task=told)} == {
        "zero_shot.options",
        "zero_shot.no_options",
    }
    needing = template("---\nneeds: options\n---\n{{ cue }}\n\n{{ options }}\n|||\n{{ answer }}", told.schema)
    assert not any(serves(needing, setting, task=told) for setting in SETTINGS.values())


def test_a_phrasing_that_reasons_serves_only_tasks_with_rationales():
    made = template(REASONED, MathWordProblem)
    silent = replace(MATHS, columns={"question": "question", "answer": "answer"})
    assert [n for n, s in ZERO_SHOT.items() if serves(made, s, task=MATHS)] == [
        "zero_shot.options.cot",
        "zero_shot.no_options.cot",
    ]
    assert not any(serves(made, setting, task=silent) for setting in SETTINGS.values())


def test_the_phrasings_of_a_setting_keep_their_order():
    made = [template(text) for text in (NEEDING, BARE, ASK)]
    assert serving(made, OPTIONS, task=JUDGE) == [made[0], made[2]]
    assert serving(made, NO_OPTIONS, task=JUDGE) == [made[1], made[2]]
