"""The commands of whoever writes tasks and templates. Each loads what it needs when it runs, so all begin quickly."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, cast, get_args

import typer

from instruction_kit.cli.console import err, out, show, show_json
from instruction_kit.cli.option import DataDir, Json, Kind, Paths
from instruction_kit.cli.path import say_folders
from instruction_kit.errors import nearest

author = typer.Typer(rich_markup_mode=None)


def _kind(name: str) -> Kind:
    if name in (kinds := get_args(Kind)):
        return cast("Kind", name)
    raise typer.BadParameter(f"there is no kind {name}; {nearest(name, kinds)}")


KindOf = Annotated[Kind, typer.Argument(metavar="KIND", parser=_kind, show_default=False, help="What to list.")]
Mine = Annotated[Path, typer.Option("--path", help="Your own folder, which gets tasks/ and templates/.")]


@author.command("list")
def list_(kind: KindOf, *, json: Json = False, path: Paths = None) -> None:
    """List the tasks, templates, schemas, clusters, families or recipes of the library and of your own folders."""
    from instruction_kit.cli.catalogue import catalogue
    from instruction_kit.cli.list import entry_table

    say_folders(path or [])
    entries = catalogue(kind, path or [])
    if json:
        show_json({kind: [asdict(entry) for entry in entries]})
    else:
        show(entry_table(kind, entries))


new = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Begin a template or a task of your own.")
author.add_typer(new, name="new")


@new.command("template")
def new_template(
    schema: Annotated[str, typer.Argument(metavar="SCHEMA", help="A schema, or the one task that it is for.")],
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    path: Mine = Path(),
) -> None:
    """Write a commented phrasing, to be changed."""
    from instruction_kit.cli.new import new_template as begin

    written = begin(schema, name, folder=path)
    out.print(str(written), markup=False, highlight=False, soft_wrap=True)


@new.command("task")
def new_task(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    schema: Annotated[str, typer.Option(help="What an example is; `list schemas` shows them.")] = "Classification",
    cluster: Annotated[str, typer.Option(help="Its folder: tasks that test one skill.")] = "mine",
    path: Mine = Path(),
) -> None:
    """Write a commented task over a CSV file, to be changed."""
    from instruction_kit.cli.new import new_task as begin

    written = begin(name, schema=schema, cluster=cluster, folder=path)
    out.print(str(written), markup=False, highlight=False, soft_wrap=True)


@author.command()
def check(
    folders: Annotated[list[Path] | None, typer.Argument(metavar="[FOLDER…]", show_default=False)] = None,
    *,
    library: Annotated[
        bool, typer.Option("--library", help="Hold them to the rules of the shipped library: advice is a problem.")
    ] = False,
    json: Json = False,
    path: Paths = None,
) -> None:
    """Check every task, sample and template: all problems at once, exit 1 if there are any; advice beside them.

    Without a folder those of --path are checked, else the library itself; with --library always the library.
    """
    from instruction_kit.cli.check import finding_lines, problems, summary
    from instruction_kit.review.review import review

    checked = folders or ([] if library else path) or []
    beside = [folder for folder in path or [] if folders and folder not in folders]
    say_folders([*beside, *checked])
    found = review(checked, library=library, beside=beside)
    if json:
        show_json(asdict(found))
    else:
        for line in finding_lines(found, library=library):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
    err.print(summary(found, library=library), highlight=False)
    if problems(found, library=library):
        raise typer.Exit(1)


@author.command()
def preview(  # noqa: PLR0913 - each is an option of the command
    task: Annotated[str, typer.Argument(metavar="TASK", show_default=False)],
    *,
    template: Annotated[str | None, typer.Option(help="Show this phrasing only: `folder/name` or `name`.")] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many rows.")] = 1,
    setting: Annotated[str | None, typer.Option(help="Show this setting only.")] = None,
    split: Annotated[
        str | None, typer.Option(help="train, validation, test or exemplars; by default the first that the task has.")
    ] = None,
    data: Annotated[
        Literal["sample", "source"] | None,
        typer.Option(
            help="The sample beside the task file, or the source itself; by default the sample, if there is one."
        ),
    ] = None,
    exemplars: Annotated[int, typer.Option(min=1, help="How many a few_shot setting shows.")] = 2,
    tokenizer: Annotated[
        str | None, typer.Option(help="Count tokens too: a repository, or a folder.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    path: Paths = None,
) -> None:
    """Show rows of one task as its templates render them, beside each other: options, answer, and how long both are."""
    from instruction_kit.cli.preview import Wanted, preview_task

    say_folders(path or [])
    wanted = Wanted(template, rows, setting, exemplars, split, data, data_dir, tokenizer, path or [])
    preview_task(task, wanted)


@author.command()
def probe(
    tasks: Annotated[list[str] | None, typer.Argument(metavar="[TASK…]", show_default=False)] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many rows of each split.")] = 100,
    data_dir: DataDir = None,
    path: Paths = None,
) -> None:
    """Read the first rows of every task's source: columns, label names, splits; exit 1 where one does not fit.

    Without a task every one is tried. Hubs are streamed; nothing is built.
    """
    from rich.progress import track

    from instruction_kit.cli.probe import probe as probe_tasks
    from instruction_kit.cli.probe import probe_table
    from instruction_kit.library import search_path
    from instruction_kit.task.load import load_tasks

    say_folders(path or [])
    chosen = load_tasks(search_path(path or []), names=tasks or None)
    found = list(track(probe_tasks(list(chosen.values()), rows=rows, data_dir=data_dir), console=err))
    out.print(probe_table(found))
    if any(line.problem for line in found):
        raise typer.Exit(1)
