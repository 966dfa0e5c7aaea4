"""Every row of one file of pairs against the manifest and against itself.

In: batches of pairs, the manifest, and where the answer stands in each template. Out: problems with the row's number.
What is the same question for every row is a Polars expression; what follows from a template's text is asked of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from instruction_kit.build.manifest import MANIFEST, Manifest, Shard, parts
from instruction_kit.built.exemplars import exemplar_checks, exemplar_problems
from instruction_kit.built.pairs import NUMBER
from instruction_kit.built.problem import Problem, rows_with
from instruction_kit.errors import TemplateError
from instruction_kit.library import text_hash
from instruction_kit.render.pair import PAIR_SCHEMA
from instruction_kit.render.turns import as_text
from instruction_kit.template.parse import parse
from instruction_kit.template.style import STYLES, Style, answers
from instruction_kit.template.template import Place, place_of

NULLABLE = ("answer_start", "answer_end", "turns")


@dataclass(frozen=True)
class Phrasing:
    """What a template's text says of its answers."""

    place: Place | None
    styles: tuple[Style, ...]
    """In which its options may be listed: the one that it states, else those that the mixture draws from."""


def phrasings(manifest: Manifest) -> tuple[dict[str, Phrasing], list[Problem]]:
    """The templates by name, as far as their texts can be used; and what is wrong with the others."""
    found: dict[str, Phrasing] = {}
    problems = []
    drawn = [part["option_styles"] for part in parts(manifest).values()]
    named = tuple(STYLES) if "all" in drawn else tuple(dict.fromkeys(style for styles in drawn for style in styles))
    for name, record in manifest.templates.items():
        if text_hash(record.text) != record.hash:
            problems.append(Problem(MANIFEST, f"the text of template {name} is not that of its hash"))
        try:
            parsed = parse(record.text, where=name)
        except TemplateError as error:
            problems.append(Problem(MANIFEST, f"the text of template {name} cannot be parsed: {error}"))
            continue
        if parsed.output is not None:
            own = parsed.front.values.style
            styles = tuple(STYLES[style] for style in ((own,) if own else named) if style in STYLES)
            found[name] = Phrasing(place_of(parsed.output), styles)
    return found, problems


def row_problems(
    frame: pl.DataFrame, shard: Shard, manifest: Manifest, known: Mapping[str, Phrasing]
) -> Iterator[Problem]:
    """Everything that is wrong with the rows of one batch."""
    checks = {**_nulls(), **_texts(manifest), **_origins(shard, manifest), **_spans(), **_candidates(shard)}
    checks |= exemplar_checks(manifest.mixture["joiner"])
    failed = frame.select(
        NUMBER, "task", "split", "row", **{what: bad.fill_null(value=False) for what, bad in checks.items()}
    )
    for what in checks:
        yield from rows_with(what, failed.filter(pl.col(what)), file=shard.path)
    yield from _answer_problems(frame, shard, known)
    yield from exemplar_problems(frame, file=shard.path)
    yield from _turn_problems(frame, shard, manifest.mixture["joiner"])


def _nulls() -> dict[str, pl.Expr]:
    nulls = {f"{name} is null": pl.col(name).is_null() for name in PAIR_SCHEMA.names if name not in NULLABLE}
    lists = ("options", "references", "candidates", "gold")
    return nulls | {f"{name} holds null": pl.col(name).list.eval(pl.element().is_null()).list.any() for name in lists}


def _texts(manifest: Manifest) -> dict[str, pl.Expr]:
    joiner, length = manifest.mixture["joiner"], pl.col("prompt").str.len_chars()
    alone = (pl.col("exemplars").list.len() == 0) & (pl.col("turns").list.len().fill_null(0) == 0)
    start = pl.col("question_start")
    return {
        f"the prompt does not end with the joiner {joiner!r}": ~pl.col("prompt").str.ends_with(joiner),
        "the completion is blank": pl.col("completion").str.strip_chars() == "",
        "the completion is none of its references": ~pl.col("references").list.contains(pl.col("completion")),
        "question_start lies outside the prompt": (start < 0) | (start >= length),
        "question_start is not 0, and no exemplar or turn stands before it": alone & (start > 0),
    }


def _origins(shard: Shard, manifest: Manifest) -> dict[str, pl.Expr]:
    """Task, template, setting and round against the manifest."""
    tasks, measured = manifest.tasks, shard.split != "train"
    role = "held_out" if shard.config == "held_out" else "train"
    key = "held_out_settings" if measured else "settings"
    of = {path: list(part[key]) for path, part in parts(manifest).items()}
    home, here = pl.format("{}__{}", "task", "split"), [name for name, task in tasks.items() if task.role == role]
    splits = [f"{name}__{split}" for name, task in tasks.items() for split in task.splits]
    clusters, rounds = (
        _of_task({n: t.cluster for n, t in tasks.items()}),
        _of_task({n: t.rounds for n, t in tasks.items()}),
    )
    found = {
        f"its task is none that the mixture {_DOES[role]}": ~pl.col("task").is_in(here),
        "its cluster is not that of its task": clusters != pl.col("cluster"),
        "its split is none of its task": ~home.is_in(splits),
        f"its template is not in {MANIFEST}": ~pl.col("template").is_in(list(manifest.templates)),
        f"its setting is none of the mixture's {key}": ~_among({n: of.get(t.part, []) for n, t in tasks.items()}),
        "inverted is not what its setting says": pl.col("inverted") != pl.col("setting").str.ends_with(".inverted"),
        "its round is one that there was not": ~pl.col("round").is_between(0, 0 if measured else rounds - 1),
    }
    return found | ({"it is of another task or split than its file": home != shard.split} if role == "held_out" else {})


_DOES = {"train": "trains", "held_out": "holds out"}


def _among(settings: Mapping[str, Sequence[str]]) -> pl.Expr:
    """Whether a setting is among those of its task."""
    known = [f"{task} {setting}" for task, own in settings.items() for setting in own]
    return pl.format("{} {}", "task", "setting").is_in(known)


def _of_task(values: Mapping[str, str | int]) -> pl.Expr:
    return pl.col("task").replace_strict(values, default=None)


def _spans() -> dict[str, pl.Expr]:
    start, end, length = pl.col("answer_start"), pl.col("answer_end"), pl.col("completion").str.len_chars()
    return {
        "answer_start and answer_end are not null together": start.is_null() != end.is_null(),
        "an inverted output has an answer span": pl.col("inverted") & start.is_not_null(),
        "its answer has no span": ~pl.col("inverted") & start.is_null(),
        "its answer span lies outside the completion": (start < 0) | (start >= end) | (end > length),
    }


def _candidates(shard: Shard) -> dict[str, pl.Expr]:
    candidates, gold = pl.col("candidates"), pl.col("gold")
    ranked = ~pl.col("inverted") & ~pl.col("setting").str.contains(".cot", literal=True)
    expected = pl.when(ranked & (shard.split != "train")).then(pl.col("options").list.len()).otherwise(0)
    outside = (gold.list.min() < 0) | (gold.list.max() >= candidates.list.len())
    right = candidates.list.gather(gold, null_on_oob=True).list.contains(pl.col("completion"))
    has, has_gold = candidates.list.len() > 0, gold.list.len() > 0
    return {
        "its candidates are not one for each of its options": (expected > 0) & (candidates.list.len() != expected),
        "it is not measured by rank, and has candidates": has & (expected == 0),
        "none of its candidates is gold": has & ~has_gold,
        "gold lies outside the candidates": outside,
        "gold names a candidate twice": gold.list.len() != gold.list.n_unique(),
        "its completion is none of the gold candidates": has_gold & ~outside & ~right,
    }


def _answer_problems(frame: pl.DataFrame, shard: Shard, known: Mapping[str, Phrasing]) -> Iterator[Problem]:
    """The span holds what the template reads back from the completion; and that is an option, where there are any."""
    names = ("template", "completion", "answer_start", "answer_end", "options")
    wrong, stray = [], []
    rows = zip(*(frame[name].to_list() for name in names), strict=True)
    for at, (template, completion, start, end, options) in enumerate(rows):
        phrasing = known.get(template)
        if phrasing is None or phrasing.place is None or None in (completion, start, end):
            continue
        said = completion[max(start, 0) : max(end, 0)]
        if phrasing.place.read(completion) != said:
            wrong.append(at)
        elif options and None not in options and said not in _said(options, phrasing.styles):
            stray.append(at)
    yield from rows_with("its answer span does not hold the answer", frame[wrong], file=shard.path)
    yield from rows_with("its answer is none of its options", frame[stray], file=shard.path)


def _turn_problems(frame: pl.DataFrame, shard: Shard, joiner: str) -> Iterator[Problem]:
    """What stands before the question of a conversation is its earlier turns."""
    spoken = frame.filter(pl.col("turns").list.len() > 0, pl.col("question_start").is_not_null())
    rows = spoken.select("prompt", "question_start", "turns").iter_rows()
    wrong = [
        at
        for at, (prompt, start, turns) in enumerate(rows)
        if as_text(turns, joiner) != (prompt or "")[: max(start, 0)]
    ]
    yield from rows_with("what stands before its question is not its turns", spoken[wrong], file=shard.path)


def _said(options: list[str], styles: tuple[Style, ...]) -> set[str]:
    """How the options may be answered: by their words, and by their labels."""
    labels = (label for style in styles for label in answers(options, style, listed=True))
    return {answer.strip() for answer in (*labels, *options)}
