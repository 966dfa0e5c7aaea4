"""What is seen of a template file from outside is what it is once it is built, in every file that ships."""

import pytest
from library import READ, TASKS

from instruction_kit.template.load import known_schemas, load_template, read_template
from instruction_kit.template.outline import outline

FOLDERS = sorted({name.split("/")[0] for name in READ.templates})


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_outline_says_what_the_template_says(folder):
    schema = known_schemas(TASKS).get(folder) or TASKS[folder].schema
    for name, file in READ.templates.items():
        if name.startswith(f"{folder}/"):
            built, seen = load_template(file, schema), outline(read_template(file), name=name)
            assert (seen.name, seen.front) == (built.name, built.front)
            assert (seen.inverted, seen.cot) == (built.inverted, built.cot)
            assert (seen.shows_options, seen.needs_options) == (built.shows_options, built.needs_options)


def test_what_stands_in_data_in_strings_and_in_comments_is_no_name():
    text = "{# options #}\n{% if label == 'options' %}{{ text }}{% endif %} options\n|||\n{{ text }} answer\n"
    seen = outline(text, name="x/y")
    assert (seen.shows_options, seen.inverted) == (False, True)
    assert seen.prompt_names == {"if", "endif", "label", "text"}
