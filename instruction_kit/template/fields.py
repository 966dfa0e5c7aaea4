"""Prompts without a template: a row's fields alone, or behind the name of its dataset.

In: a schema and a task's name. Out: a template that is derived and not written. FLAN trained both as ablations (Wei et
al. 2022, appendix B.2, https://arxiv.org/abs/2109.01652): what is there for a model to learn from instructions?
"""

from typing import Any, Literal, get_args, get_origin

from instruction_kit.schema.schema import Schema
from instruction_kit.template.language import RATIONALE
from instruction_kit.template.template import Template, parse_template

Wording = Literal["templates", "fields", "name"]


def fields_template(schema: type[Schema], *, task: str, cluster: str, named: bool) -> Template:
    """The one phrasing of a task in which nothing but its fields stands."""
    name = f"{task}/{'name' if named else 'fields'}"
    head = f"[{cluster.replace('_', ' ')}: {task}]\n\n" if named else ""
    blocks = [_block(field, info.annotation, required=info.is_required()) for field, info in _shown(schema)]
    text = f"{head}{''.join(blocks)}{{{{ options }}}}\n|||\n{{{{ answer }}}}\n"
    return parse_template(text, name=name, schema=schema, where=name)


def _shown(schema: type[Schema]) -> list[tuple[str, Any]]:
    """All but what the answer is made from, the reasons, and the turns that stand before every prompt."""
    hidden = {*schema.target_fields(), RATIONALE, schema.turns_field()}
    return [(name, info) for name, info in schema.model_fields.items() if name not in hidden]


def _block(field: str, annotation: Any, *, required: bool) -> str:
    listed = any(get_origin(part) is list for part in (annotation, *get_args(annotation)))
    printed = f'{{{{ {field} | join("\\n") }}}}' if listed else f"{{{{ {field} }}}}"
    return f"{printed}\n\n" if required else f"{{% if {field} %}}\n{printed}\n\n{{% endif %}}\n"
