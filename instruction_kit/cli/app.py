"""The commands and their options; nothing else. Each loads what it needs when it runs, so that all begin quickly."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from instruction_kit.cli.author import author
from instruction_kit.cli.console import err, out, show, show_json
from instruction_kit.cli.option import DataDir, Json, Paths

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(author)

Built = Annotated[Path, typer.Argument(metavar="OUT", show_default=False, help="A folder that `build` has written.")]
MixtureFile = Annotated[
    Path, typer.Argument(metavar="MIXTURE", show_default=False, help="A YAML file, or the name of a recipe.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A key in place of the mixture's own, as YAML; may be repeated."),
]


@app.command()
def plan(mixture: MixtureFile, data_dir: DataDir = None, set_: Set = None, path: Paths = None) -> None:
    """Say what a mixture would hold, what leaves and why, before any row is rendered."""
    from instruction_kit.cli.mixture import named_mixture
    from instruction_kit.cli.plan import plan_table

    show(plan_table(named_mixture(mixture, data_dir=data_dir, changes=set_ or [], paths=path or []).plan()))


@app.command()
def build(
    mixture: MixtureFile,
    folder: Annotated[Path, typer.Argument(metavar="OUT", show_default=False)],
    data_dir: DataDir = None,
    set_: Set = None,
    path: Paths = None,
    only: Annotated[
        Literal["held_out"] | None, typer.Option(help="Build what is measured, and no training side.")
    ] = None,
    num_proc: Annotated[
        int, typer.Option("--num-proc", min=1, help="So many processes do the work; the result is the same.")
    ] = 1,
) -> None:
    """Build a mixture into a folder that load_dataset reads; run it again to go on after a stop."""
    from instruction_kit.build.losses import totals, unmeasured
    from instruction_kit.cli.mixture import named_mixture

    try:
        wanted = named_mixture(mixture, data_dir=data_dir, changes=set_ or [], paths=path or [])
        for line in wanted.notices:
            err.print(f"note: {line}", highlight=False, markup=False, soft_wrap=True)
        manifest = wanted.build(folder, only=only, num_proc=num_proc, progress=True)
    except KeyboardInterrupt:
        err.print("stopped; the same command goes on from there", highlight=False)
        raise
    for config, splits in manifest.splits.items():
        if config == "held_out" or (config == "train" and manifest.mixture["only"] is None):
            told = ", ".join(f"{split} {rows:,}" for split, rows in splits.items()) or "nothing"
            out.print(f"{config}: {told}", highlight=False, markup=False, soft_wrap=True)
    out.print(totals(manifest), highlight=False, markup=False)
    for line in unmeasured(manifest):
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    if rows := manifest.splits["overlap"]["overlap"]:
        what = (
            "were dropped" if manifest.mixture["drop_overlap"] else "share text with held-out rows: drop_overlap: true"
        )
        told = f"{rows:,} training rows {what}; each stands with its match in {folder / 'overlap'}"
        out.print(told, highlight=False, markup=False, soft_wrap=True)
    if rows := manifest.splits["duplicates"]["duplicates"]:
        told = f"{rows:,} training rows are copies of others and were dropped; each stands with the row that stays in "
        out.print(f"{told}{folder / 'duplicates'}", highlight=False, markup=False, soft_wrap=True)
    if any(manifest.splits["rejected"].values()):
        told = f"every rejected row stands with its reasons in {folder / 'rejected'}"
        out.print(told, highlight=False, markup=False, soft_wrap=True)


@app.command()
def stats(
    folder: Built,
    *,
    tokenizer: Annotated[
        str | None, typer.Option(help="Count lengths in its tokens too: a repository, or a folder.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw it into this file, .png or .svg.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Say what a built folder holds: its composition, how long its pairs are, what was lost and why."""
    from instruction_kit.built.stats import stats as folder_stats
    from instruction_kit.cli.stats import drawing, stats_tables

    drawn = drawing(picture) if picture else None  # before the work: what is missing for it
    found = folder_stats(folder, tokenizer=tokenizer, progress=True)
    if json:
        show_json(asdict(found))
    else:
        show(*stats_tables(found))
    if drawn:
        drawn(found)


@app.command()
def verify(folder: Built) -> None:
    """Look at every file and every row of a built folder, and count both ledgers again; exit 1 if anything is wrong."""
    from instruction_kit.built.verify import verify as verify_folder

    verdict = verify_folder(folder, progress=True)
    for problem in verdict.problems:
        out.print(problem, markup=False, highlight=False, soft_wrap=True)
    looked = f"{verdict.files:,} files, {verdict.pairs:,} pairs"
    if not verdict.problems:
        out.print(f"{looked}: all as the manifest says, both ledgers add up", highlight=False)
        return
    if not verdict.whole:
        err.print("not every file can be read, so the ledgers were not counted again", highlight=False)
    err.print(f"{looked}, {verdict.num_problems:,} problems", highlight=False)
    raise typer.Exit(1)


@app.command()
def tokenize(  # noqa: PLR0913 - each is an option
    folder: Annotated[Path, typer.Argument(metavar="BUILT", show_default=False, help="What `build` has written.")],
    shards: Annotated[Path, typer.Argument(metavar="OUT", show_default=False, help="Where the token shards go.")],
    *,
    tokenizer: Annotated[str, typer.Option(help="The model's: a repository, or a folder.", show_default=False)],
    max_length: Annotated[
        int, typer.Option("--max-length", min=2, help="The most tokens of a pair, and of a pack.")
    ] = 1024,
    packing: Annotated[bool, typer.Option("--packing", help="Lay several pairs into a row, by best fit.")] = False,
    cluster: Annotated[
        str | None, typer.Option(help="Its pairs alone: SHARDS/CLUSTER for `finetune.py --adapter_per cluster`.")
    ] = None,
    layout: Annotated[
        Literal["plain", "chat", "encoder_decoder"] | None,
        typer.Option(help="As in tuning: an encoder-decoder's own, else chat where there is a chat template."),
    ] = None,
    system_message: Annotated[str | None, typer.Option("--system-message", help="What begins a chat.")] = None,
    chat_template_kwargs: Annotated[
        str | None, typer.Option("--chat-template-kwargs", help="Variables of the chat template, as JSON.")
    ] = None,
    weigh: Annotated[
        Literal["token", "pair"], typer.Option(help="What weighs the same in the loss: each token, or each pair.")
    ] = "token",
    answer_weight: Annotated[float, typer.Option("--answer-weight", help="The weight of an answer's tokens.")] = 1.0,
    rationale_weight: Annotated[
        float, typer.Option("--rationale-weight", help="The weight of all else in an output.")
    ] = 1.0,
    task_weight: Annotated[
        list[str] | None, typer.Option("--task-weight", metavar="TASK=NUMBER", help="Weigh a task's pairs.")
    ] = None,
    accept_dropped: Annotated[
        bool, typer.Option("--accept-dropped", help="Go on where a task loses more than 1% of its pairs.")
    ] = False,
) -> None:
    """Write a built folder's training pairs as token shards, which `finetune.py --tokens OUT` takes."""
    from instruction_kit.cli.tokenize import asked_for, encoder_for, record_lines
    from instruction_kit.token.shard import Wanted, tokenise
    from instruction_kit.token.weigh import weighing_of

    encoder = encoder_for(folder, tokenizer, asked=asked_for(layout, system_message, chat_template_kwargs))
    weighing = weighing_of(
        task_weight or [], flag="--task-weight", per=weigh, answer=answer_weight, rationale=rationale_weight
    )
    wanted = Wanted(max_length, packing, weighing, cluster=cluster)
    record = tokenise(
        folder, shards, wanted, encoder=encoder, accept_dropped=accept_dropped, show_progress=err.is_terminal
    )
    show(*record_lines(record))


@app.command()
def diff(
    a: Annotated[Path, typer.Argument(metavar="A", show_default=False, help="A built folder: what was.")],
    b: Annotated[Path, typer.Argument(metavar="B", show_default=False, help="Another: what is.")],
    *,
    examples: Annotated[int, typer.Option(min=0, help="Rows that are shown of each task and kind of change.")] = 3,
    json: Json = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 1 where the folders differ.")] = False,
) -> None:
    """Compare two built folders: what their manifests say differently, and what became of each row."""
    from instruction_kit.built.diff import diff as folder_diff
    from instruction_kit.cli.diff import diff_lines

    found = folder_diff(a, b, num_examples=examples, progress=True)
    if json:
        show_json(asdict(found))
    else:
        show(*diff_lines(found))
    if exit_code and found.differ:
        raise typer.Exit(1)


@app.command()
def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN", show_default=False, help="Folders that evaluate.py has written.")
    ],
    *,
    json: Json = False,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with charts into this file.", show_default=False)
    ] = None,
) -> None:
    """Set measurements side by side: clusters and tasks, and differences against the first over the same rows."""
    from instruction_kit.cli.compare import comparison_tables, write_page
    from instruction_kit.evaluation.compare import compare as compare_runs

    found = compare_runs(runs)
    if json:
        show_json(found.model_dump(mode="json"))
    else:
        show(*comparison_tables(found))
    if html:
        write_page(found, html)


@app.callback()
def _about() -> None:
    """Instruction tuning data from raw datasets: tasks, templates, mixtures."""
