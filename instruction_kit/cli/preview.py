"""`preview`: rows of one task as its templates render them, on the terminal.

In: a task's name and what to show. Out: panels. Only the first rows of a source are read.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from rich.panel import Panel
from rich.text import Text

from instruction_kit.build.first import first_examples
from instruction_kit.cli.console import err, out
from instruction_kit.errors import MixtureError
from instruction_kit.library import search_path
from instruction_kit.render.pair import Pair
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import SETTINGS, Setting, once_each, parse_setting
from instruction_kit.task.load import load_tasks
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.load import named, templates_of
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
    phrasings = named(templates_of(folders, schema=task.schema, task=name), template)
    settings = [parse_setting(setting)] if setting else list(SETTINGS.values())
    if setting and settings[0].few_shot:
        raise MixtureError(f"setting {setting}: preview shows rows without exemplars; name a zero_shot one, or build")
    data = data or ("sample" if task.sample_path.is_file() else "source")
    shown = once_each(phrasings, settings, task=task)
    chosen = split or task.reading(data).split_names[0]
    examples, _ = first_examples(task, chosen, data=data, data_dir=data_dir, num_rows=rows)
    told = f"{name}: {data}, split {chosen}, {task.schema.__name__}, cluster {task.cluster}"
    err.print(told, highlight=False, markup=False, soft_wrap=True)
    for example in examples.to_dicts():
        out.rule(Text(example["row"]))
        for found, served in shown:
            out.print(_panel(example, found, served, task))


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
