"""Template files become templates: `templates/<schema>/<name>.jinja`, or `templates/<task>/<name>.jinja`.

In: folders of the search path, and a task. Out: the phrasings that the task has: its schema's and its own. A file
that cannot be used is an error with file and line, never skipped.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from instruction_kit import schema as schemas
from instruction_kit.errors import TemplateError, nearest
from instruction_kit.schema.schema import Schema
from instruction_kit.task.check import NAME
from instruction_kit.task.task import Task
from instruction_kit.template.template import Template, parse_template

SUFFIX = ".jinja"


def template_files(folders: Sequence[Path]) -> dict[str, Path]:
    """`folder/name` -> file; a later folder of the search path overrides an earlier one."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob(f"templates/*/*{SUFFIX}")):
            found[f"{path.parent.name}/{path.stem}"] = path
    return dict(sorted(found.items()))


def known_schemas(tasks: Mapping[str, Task]) -> dict[str, type[Schema]]:
    """Folder under `templates/` -> schema: the shipped ones, and those of the tasks."""
    shipped = [getattr(schemas, name) for name in schemas.__all__]
    classes = [kind for kind in shipped if isinstance(kind, type) and issubclass(kind, Schema) and kind is not Schema]
    return {kind.folder(): kind for kind in [*classes, *(task.schema for task in tasks.values())]}


def read_template(path: Path) -> str:
    """The text of one file.

    Raises:
        TemplateError: its name cannot be used, it cannot be read, or it is not UTF-8.

    """
    if not NAME.fullmatch(path.stem):
        raise TemplateError(f"{path}: the name of a template may only hold a-z, 0-9 and _")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TemplateError(f"{path}: not UTF-8 ({error.reason} at byte {error.start})") from error
    except OSError as error:
        raise TemplateError(f"{path}: cannot be read: {error.strerror}") from error


def load_template(path: Path, schema: type[Schema]) -> Template:
    """Read one file for one schema.

    Raises:
        TemplateError: it cannot be used.

    """
    text = read_template(path)
    return _parsed(text, name=f"{path.parent.name}/{path.stem}", schema=schema, where=str(path))


_parsed = lru_cache(maxsize=4096)(parse_template)
"""By text, not by path: a file that is edited while a notebook runs is another template."""


def templates_of(
    folders: Sequence[Path], *, schema: type[Schema], task: str, files: Mapping[str, Path] | None = None
) -> list[Template]:
    """The phrasings of one task, in the order of their names; `files` are those of the folders, where they are known.

    Raises:
        TemplateError: files cannot be used (all are told at once), or there are none.

    """
    kept = (schema.folder(), task)
    every = template_files(folders) if files is None else files
    templates, problems = [], []
    for path in (path for name, path in every.items() if name.split("/")[0] in kept):
        try:
            templates.append(load_template(path, schema))
        except TemplateError as error:
            problems.append(str(error))
    if problems:
        raise TemplateError("\n".join(problems))
    if not templates:
        raise TemplateError(
            f"task {task}: no template for it; write one in templates/{schema.folder()}/ or templates/{task}/"
        )
    return templates


def named(templates: list[Template], wanted: str | None) -> list[Template]:
    """The template of a name, `folder/name` or `name`; all without one.

    Raises:
        TemplateError: there is none of that name.

    """
    if wanted is None:
        return templates
    found = [template for template in templates if wanted in (template.name, template.name.split("/")[1])]
    if not found:
        names = [template.name if "/" in wanted else template.name.split("/")[1] for template in templates]
        raise TemplateError(f"no template {wanted} for this task; {nearest(wanted, names)}")
    return found
