"""What lies on the search path, by kind: tasks, templates, schemas, clusters, families, recipes.

In: the user's folders. Out: one record an entry; their fields are those of `list … --json`, so a field is only ever
added. Nothing is read but the files themselves: no source, no sample.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from instruction_kit.cli.option import Kind
from instruction_kit.errors import InstructionKitError, TemplateError, nearest
from instruction_kit.holdout import LEAVE_TOGETHER
from instruction_kit.library import recipe_files, search_path
from instruction_kit.schema.schema import Schema
from instruction_kit.source import Files, Frame, Hub
from instruction_kit.task.load import load_tasks
from instruction_kit.task.task import Task

if TYPE_CHECKING:
    from instruction_kit.template.outline import Outline
    from instruction_kit.template.template import Template


@dataclass(frozen=True)
class TaskEntry:
    """One task file."""

    name: str
    cluster: str
    schema: str
    source: str
    """`hub`, `files` or `frame`."""
    hub: str | None
    """The id of the repository, with its config after a colon."""
    splits: dict[str, int | None]
    """Split -> rows as the task file states them, null where it does not."""
    license: str
    status: Literal["usable", "unverified"]
    """`unverified` where nobody has seen the source as the task file describes it."""
    languages: list[str]
    families: list[str]
    metrics: list[str]
    file: str


@dataclass(frozen=True)
class TemplateEntry:
    """One template file."""

    name: str
    """`folder/file`, without the suffix."""
    schema: str
    task: str | None
    """The one task that it is written for."""
    output: Literal["answer", "rationale", "inverted"]
    """What the model writes: the answer, reasoning and the answer, or part of the input."""
    options: Literal["none", "shown", "needed"]
    """Whether the prompt lists the options, and whether it makes sense without."""
    style: str | None
    """How it lists options; None where the mixture draws that."""
    languages: list[str]
    file: str


@dataclass(frozen=True)
class SchemaEntry:
    """One schema: shipped, or that of a task of the user's own."""

    name: str
    folder: str
    """Under `templates/`."""
    answer: Literal["label", "choice", "free"]
    required: list[str]
    optional: list[str]
    tasks: list[str]
    templates: int
    meaning: str
    """The first line of its docstring."""


@dataclass(frozen=True)
class ClusterEntry:
    """One cluster."""

    name: str
    tasks: list[str]
    leaves_with: list[str]
    """Clusters that leave the training side when this one is held out."""


@dataclass(frozen=True)
class FamilyEntry:
    """One annotated dataset, or a set of source sentences."""

    name: str
    tasks: list[str]
    """Made from it."""


@dataclass(frozen=True)
class RecipeEntry:
    """One mixture that lies under `recipes/`."""

    name: str
    meaning: str
    """Its first line, where that is a comment."""
    file: str


Entry = TaskEntry | TemplateEntry | SchemaEntry | ClusterEntry | FamilyEntry | RecipeEntry


def catalogue(kind: Kind, paths: Sequence[Path]) -> list[Entry]:
    """List the entries of one kind, in the order of their names.

    Raises:
        InstructionKitError: a folder is none, or a task or a template on the path cannot be used.

    """
    return _LISTED[kind](paths)


def _tasks(paths: Sequence[Path]) -> list[Entry]:
    return [_task_entry(task) for _, task in sorted(load_tasks(search_path(paths)).items())]


def _task_entry(task: Task) -> TaskEntry:
    source = task.source
    kinds = {Hub: "hub", Files: "files", Frame: "frame"}
    return TaskEntry(
        name=task.name,
        cluster=task.cluster,
        schema=task.schema.__name__,
        source=kinds[type(source)],
        hub=":".join(filter(None, (source.id, source.config))) if isinstance(source, Hub) else None,
        splits=dict.fromkeys(source.split_names) | dict(task.sizes),
        license=task.license,
        status=task.status,
        languages=list(task.languages),
        families=list(task.families),
        metrics=list(task.metrics),
        file=str(task.path),
    )


def _templates(paths: Sequence[Path]) -> list[Entry]:
    """Those of the user's folders are loaded and told if they are wrong; the library's are known to be sound."""
    from instruction_kit.template.load import known_schemas, template_files  # not for a list of tasks

    path = search_path(paths)
    tasks = load_tasks(path)
    known = known_schemas(tasks)
    entries: list[Entry] = []
    problems: list[str] = []
    for name, file in template_files(path).items():
        folder = name.split("/")[0]
        schema = known.get(folder) or (tasks[folder].schema if folder in tasks else None)
        if schema is None:
            near = nearest(folder, [*known, *tasks])
            problems.append(f"{file}: the folder {folder} is neither a schema nor a task; {near}")
            continue
        try:
            task = folder if folder in tasks and folder not in known else None
            entries.append(_template_entry(_seen(file, schema, loaded=path[0] not in file.parents), schema, task, file))
        except TemplateError as error:
            problems.append(str(error))
    if problems:
        raise TemplateError("\n".join(problems))
    return entries


def _seen(file: Path, schema: type[Schema], *, loaded: bool) -> "Template | Outline":
    from instruction_kit.template.load import load_template, read_template
    from instruction_kit.template.outline import outline

    if loaded:
        return load_template(file, schema)
    return outline(read_template(file), name=f"{file.parent.name}/{file.stem}")


def _template_entry(
    template: "Template | Outline", schema: type[Schema], task: str | None, file: Path
) -> TemplateEntry:
    shown: Literal["shown", "none"] = "shown" if template.shows_options else "none"
    answers: Literal["rationale", "answer"] = "rationale" if template.cot else "answer"
    return TemplateEntry(
        name=template.name,
        schema=schema.__name__,
        task=task,
        output="inverted" if template.inverted else answers,
        options="needed" if template.needs_options else shown,
        style=template.front.style,
        languages=list(template.front.languages),
        file=str(file),
    )


def _schemas(paths: Sequence[Path]) -> list[Entry]:
    from instruction_kit.template.load import known_schemas, template_files

    path = search_path(paths)
    tasks, folders = load_tasks(path), [name.split("/")[0] for name in template_files(path)]
    found = sorted(known_schemas(tasks).values(), key=lambda schema: schema.__name__)
    return [_schema_entry(schema, tasks, folders) for schema in found]


def _schema_entry(schema: type[Schema], tasks: Mapping[str, Task], folders: Sequence[str]) -> SchemaEntry:
    fields = schema.model_fields
    answer: dict[str, Literal["label", "choice", "free"]] = {"Label": "label", "Choice": "choice", "Free": "free"}
    return SchemaEntry(
        name=schema.__name__,
        folder=schema.folder(),
        answer=answer[type(schema.target).__name__],
        required=[name for name, field in fields.items() if field.is_required()],
        optional=[name for name, field in fields.items() if not field.is_required()],
        tasks=sorted(name for name, task in tasks.items() if task.schema is schema),
        templates=folders.count(schema.folder()),
        meaning=(schema.__dict__.get("__doc__") or "").strip().partition("\n")[0],
    )


def _clusters(paths: Sequence[Path]) -> list[Entry]:
    tasks = load_tasks(search_path(paths)).values()
    found = {name: sorted(task.name for task in tasks if task.cluster == name) for name in {t.cluster for t in tasks}}
    return [ClusterEntry(name, names, list(LEAVE_TOGETHER.get(name, ()))) for name, names in sorted(found.items())]


def _families(paths: Sequence[Path]) -> list[Entry]:
    tasks = load_tasks(search_path(paths)).values()
    return [
        FamilyEntry(name, sorted(task.name for task in tasks if name in task.families))
        for name in sorted({family for task in tasks for family in task.families})
    ]


def _recipes(paths: Sequence[Path]) -> list[Entry]:
    for path in paths:
        if not path.is_dir():
            told = "is a file" if path.exists() else "does not exist"
            raise InstructionKitError(f"{path}: {told}; name a folder that holds recipes/")
    return [RecipeEntry(name, _first_comment(file), str(file)) for name, file in sorted(recipe_files(paths).items())]


def _first_comment(file: Path) -> str:
    with file.open(encoding="utf-8", errors="replace") as lines:
        first = lines.readline().strip()
    return first.lstrip("# ") if first.startswith("#") else ""


_LISTED: Mapping[Kind, Callable[[Sequence[Path]], list[Entry]]] = {
    "tasks": _tasks,
    "templates": _templates,
    "schemas": _schemas,
    "clusters": _clusters,
    "families": _families,
    "recipes": _recipes,
}
