"""`preview`: rows of one task as its templates render them, on the terminal.

In: a task's name and what to show. Out: panels. Only the first rows of a source are read.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl
from rich.panel import Panel
from rich.text import Text

from instruction_kit.build.examples import Mapper
from instruction_kit.cli.console import err, out
from instruction_kit.errors import SourceError, TaskError, TemplateError, nearest
from instruction_kit.library import search_path
from instruction_kit.render.pair import Pair
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import SETTINGS, Setting, parse_setting, serving
from instruction_kit.task.load import load_tasks
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.load import templates_of
from instruction_kit.template.template import Template

SEPARATOR = "|||"
"""As in a template file."""


def preview_task(
    name: str,
    *,
    template: str | None,
    rows: int,
    setting: str | None,
    split: str | None,
    data: Literal["sample", "source"] | None,
    data_dir: Path | None,
    paths: Sequence[Path],
) -> None:
    """Print the first rows of a task under each of its templates.

    Raises:
        InstructionKitError: no such task, template, setting or split, or nothing to show.

    """
    folders = search_path(paths)
    task = load_tasks(folders, names=[name])[name]
    phrasings = _chosen(templates_of(folders, schema=task.schema, task=name), template)
    settings = [parse_setting(setting)] if setting else list(SETTINGS.values())
    data = data or ("sample" if task.sample_path.is_file() else "source")
    chosen = _split(task, split, data)
    shown = _once_each(phrasings, settings, task)
    examples = _first(task, chosen, data, data_dir, rows)
    told = f"{name}: {data}, split {chosen}, {task.schema.__name__}, cluster {task.cluster}"
    err.print(told, highlight=False, markup=False, soft_wrap=True)
    for example in examples.to_dicts():
        out.rule(Text(example["row"]))
        for found, served in shown:
            out.print(_panel(example, found, served, task))


def _chosen(templates: list[Template], wanted: str | None) -> list[Template]:
    if wanted is None:
        return templates
    found = [template for template in templates if wanted in (template.name, template.name.split("/")[1])]
    if not found:
        names = [template.name if "/" in wanted else template.name.split("/")[1] for template in templates]
        raise TemplateError(f"no template {wanted} for this task; {nearest(wanted, names)}")
    return found


def _split(task: Task, wanted: str | None, data: Literal["sample", "source"]) -> str:
    there = task.reading(data).split_names
    if wanted is not None and wanted not in there:
        raise SourceError(f"task {task.name} has no split {wanted}; {nearest(wanted, there)}")
    return wanted or there[0]


def _once_each(
    templates: Sequence[Template], settings: Sequence[Setting], task: Task
) -> list[tuple[Template, Setting]]:
    """Each template in the first setting that it serves."""
    found: dict[str, tuple[Template, Setting]] = {}
    for setting in settings:
        for template in serving(templates, setting, task=task):
            found.setdefault(template.name, (template, setting))
    if not found:
        served = [str(s) for s in SETTINGS.values() if serving(templates, s, task=task)]
        wanted = ", ".join(map(str, settings))
        raise TemplateError(f"task {task.name}: none of these templates serves {wanted}; {nearest(wanted, served)}")
    return list(found.values())


def _first(
    task: Task, split: str, data: Literal["sample", "source"], data_dir: Path | None, count: int
) -> pl.DataFrame:
    source, where, mapper = task.reading(data), task.where(data_dir), Mapper(task, split)
    found: list[pl.DataFrame] = []
    lost: list[str] = []
    for part in source.ranges(split, where):
        for batch in source.read(part, where, task.reads):
            made = mapper.examples(batch, file=part.name)
            found.append(made.accepted)
            lost += made.reasons
            if sum(frame.height for frame in found) >= count:
                return pl.concat(found).head(count)
    if any(frame.height for frame in found):
        return pl.concat(found)
    raise TaskError(
        f"task {task.name}: no row of {split} can be used: {'; '.join(dict.fromkeys(lost)) or 'there are none'}"
    )


def _panel(example: dict[str, Any], template: Template, setting: Setting, task: Task) -> Panel:
    try:
        shown = _pair(render(example, template=template, setting=setting, task=task, prompting=Prompting()))
    except RowProblem as problem:
        shown = Text(f"this row cannot stand here: {problem}", style="red")
    return Panel(
        shown, title=Text(template.name), title_align="left", subtitle=Text(str(setting)), subtitle_align="right"
    )


def _pair(pair: Pair) -> Text:
    """Prompt and output, with a template's own separator between them: without colour nothing else tells them apart."""
    completion = Text(pair.completion, style="green")
    if pair.answer_start is not None:
        completion.stylize("bold reverse", pair.answer_start, pair.answer_end)
    return Text.assemble(pair.prompt.removesuffix(Prompting().joiner), "\n", (f"{SEPARATOR}\n", "dim"), completion)
