"""What a new template and a new task begin as: files that can be used as they are, with comments on what to change.

In: a schema, and a name. Out: the text of a file. What stands in it follows from the schema's fields, so one of the
user's own has its starter too.
"""

import re
from collections.abc import Iterator
from typing import get_args

import polars as pl

from instruction_kit.schema.columns import frame_schema
from instruction_kit.schema.field import Choice, Free, Label
from instruction_kit.schema.schema import Schema
from instruction_kit.template.language import RATIONALE

CLASSES = ("one class", "another class")
"""Of a schema whose classes are each task's own."""

TEMPLATE = """\
{{#
One phrasing of {schema}. Above the line of three bars stands the prompt, below it the output.
A prompt may print: {fields}.
An output that prints rationale, and then the answer after words of its own, asks for reasons.
The line of the options vanishes where none are shown: the wording has to read well without it.
#}}
{inputs}
{question}
{options}|||
{{{{ answer }}}}
"""
TASK = '''\
"""{title}: what is asked? Who made it, in which year, https://where-it-is-described"""

from instruction_kit import {helpers}
from instruction_kit.schema import {schema}

task = Task(
    schema={schema},
    # Files of your own, relative to this one (csv, tsv, jsonl, parquet, …), or Hub("owner/name", splits={{…}}).
    source=Files({{"train": "{name}.csv"}}),
    # Field of the schema -> column of the source, a Polars expression, or a helper.
    columns={{
{columns}
    }},
    # Further keys stand in docs/tasks.md: skip, answers, key, evaluate, families, languages, …
    license="unknown",
)
'''


def template_text(schema: type[Schema]) -> str:
    """A phrasing that prints every field that a prompt may show, and asks for the answer."""
    shown = [name for name in schema.model_fields if name not in _hidden(schema)]
    return TEMPLATE.format(
        schema=schema.__name__,
        fields=", ".join(shown),
        inputs="\n".join(_printed(name, schema) for name in shown),
        question="What is the answer?" if isinstance(schema.target, Free) else "Which is it?",
        options="" if isinstance(schema.target, Free) else "\n{{ options }}\n",
    )


def _hidden(schema: type[Schema]) -> set[str | None]:
    """What a prompt does not print: the answer, the reasons, and earlier turns, which the kit puts ahead of it."""
    return {*schema.target_fields(), RATIONALE, schema.turns_field()}


def _printed(name: str, schema: type[Schema]) -> str:
    """A block with a blank line behind it; under a condition where the field may be missing."""
    many = frame_schema(schema)[name] == pl.List(pl.String)
    shown = f"{{% for item in {name} %}}\n- {{{{ item }}}}\n{{% endfor %}}\n" if many else f"{{{{ {name} }}}}\n"
    return shown if schema.model_fields[name].is_required() else f"{{% if {name} %}}\n{shown}\n{{% endif %}}"


def task_text(name: str, schema: type[Schema]) -> str:
    """A task over a CSV file beside it, whose columns are called as the fields are."""
    columns = "\n".join(f"        {line}" for line in _columns(schema))
    helpers = {"Files", "Task", *re.findall(r"\b(index|labels|options|text)\(", columns)}
    return TASK.format(
        title=name.replace("_", " ").capitalize(),
        helpers=", ".join(sorted(helpers)),
        schema=schema.__name__,
        name=name,
        columns=columns,
    )


def _columns(schema: type[Schema]) -> Iterator[str]:
    for name, field in schema.model_fields.items():
        line = f'"{name}": {_column(name, schema)},'
        yield line if field.is_required() else f"# {line}  may be missing"


def _column(name: str, schema: type[Schema]) -> str:
    target = schema.target
    if isinstance(target, Label) and name == target.field:
        classes = get_args(schema.model_fields[name].annotation) or CLASSES
        return f'labels("{name}", [{", ".join(map(_quoted, classes))}])'
    if isinstance(target, Choice) and name == target.options:
        return 'options("option1", "option2")'
    if isinstance(target, Choice) and name == target.answer:
        return f'index("{name}")'
    return f'text("{name}")' if frame_schema(schema)[name] == pl.String else f'"{name}"'


def _quoted(word: str) -> str:
    return f'"{word}"'
