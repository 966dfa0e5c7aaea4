"""A report from rows: the frame of `rows.parquet` goes in, every figure comes out; no model and no file is needed.

The figure of a task is the mean over its templates (each phrasing in each setting), that of a cluster and of everything
the plain mean over its tasks. A pair that one model could not take is left out for all, so that models are compared on
the same pairs. Figures of different kinds are never averaged together.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, pstdev
from typing import NamedTuple, cast

import numpy as np
import polars as pl

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.figures import chance, majority
from instruction_kit.evaluation.metrics import METRICS
from instruction_kit.evaluation.report import (
    BASELINE,
    CHOOSING,
    FORMAT_VERSION,
    MODEL,
    SPLITS,
    Best,
    GroupResult,
    Kind,
    LeftOut,
    MeasuredSplit,
    Report,
    Run,
    Shots,
    SplitResult,
    Spread,
    TaskResult,
    TemplateResult,
)
from instruction_kit.evaluation.rows import PAIR, ROWS, Protocol, check_rows
from instruction_kit.evaluation.sample import Pairs, Sample, average
from instruction_kit.evaluation.sums import measures_of

ROW = ("split", "row")
"""What names a row within a task."""
SHOTS = pl.col("setting").str.split(".").list.first()
PROTOCOLS: tuple[Protocol, ...] = (
    "rank",
    "likelihood",
    "generate",
    "chain_of_thought",
    "zero_shot_chain_of_thought",
)
"""The order in which kinds are told."""


class Told(NamedTuple):
    """A task's result, and the samples that those above it are made from."""

    result: TaskResult
    samples: Mapping[str, Sample]


def summarise(rows: pl.DataFrame, *, run: Run | None = None) -> Report:
    """Make the report of one or several measured splits by one model, or by a model and its baseline.

    Raises:
        EvaluationError: the frame is not of the layout of `ROWS`, or nothing in it was measured.

    """
    check_rows(rows)
    models = tuple(name for name in (MODEL, BASELINE) if name in rows["model"])
    ordered = rows.select(ROWS.names()).sort("model", *PAIR)  # so that no figure depends on the order of the rows
    told = ordered.with_columns(out=pl.col("dropped").is_not_null().any().over(PAIR), shots=SHOTS)
    choosing = told.filter(~pl.col("out"), measured_split=CHOOSING)
    splits = [name for name in SPLITS if name in rows["measured_split"]]
    return Report(
        format_version=FORMAT_VERSION,
        run=run,
        models=models,
        splits=tuple(_split(name, told.filter(measured_split=name), choosing, models) for name in splits),
    )


def _split(name: MeasuredSplit, rows: pl.DataFrame, choosing: pl.DataFrame, models: Sequence[str]) -> SplitResult:
    measured = rows.filter(~pl.col("out"))
    if measured.is_empty():
        reasons = "; ".join(sorted(set(rows["dropped"].drop_nulls())))
        raise EvaluationError(f"split {name}: none of its {rows.height} pairs could be measured: {reasons}")
    told: list[Told] = []
    for part in measured.partition_by("task", "protocol", "shots", maintain_order=True):
        same = choosing.join(part.select("task", "protocol", "shots").head(1), on=["task", "protocol", "shots"])
        told += _task(part, same if name == "held_out" else None, models)
    told.sort(key=lambda one: (one.result.cluster, one.result.task, _place(one.result.kind)))
    clusters = sorted({one.result.cluster for one in told})
    return SplitResult(
        split=name,
        overall=tuple(_groups(None, told, models)),
        clusters=tuple(group for cluster in clusters for group in _groups(cluster, told, models)),
        tasks=tuple(one.result for one in told),
        left_out=_left_out(rows.filter(pl.col("dropped").is_not_null())),
    )


def _task(frame: pl.DataFrame, choosing: pl.DataFrame | None, models: Sequence[str]) -> Iterator[Told]:
    """Average over templates, one result for each measure; `choosing` is None where no template is to be chosen."""
    pairs, first = Pairs(frame), frame.row(0, named=True)
    rows = frame.filter(model=models[0]).unique(ROW, keep="first", maintain_order=True)
    for measure in measures_of(frame):
        by_phrasing = {
            phrasing: {model: pairs.sample(model, phrasing, measure) for model in models}
            for phrasing in pairs.phrasings
        }
        samples = {model: average([of[model] for of in by_phrasing.values()]) for model in models}
        guess, constant = _guesses(rows) if measure.startswith("accuracy") else (None, None)
        result = TaskResult(
            task=first["task"],
            cluster=first["cluster"],
            protocol=first["protocol"],
            shots=cast("Shots", first["shots"]),
            measure=measure,
            num_rows=rows.height,
            num_groups=len(pairs.groups),
            chance=guess,
            majority=constant,
            unread=_unread(frame, models),
            figures={model: sample.figure for model, sample in samples.items()},
            difference=samples[MODEL].less(samples[BASELINE]).figure if {MODEL, BASELINE} <= {*samples} else None,
            spread={model: _spread([of[model].point for of in by_phrasing.values()]) for model in models},
            best=_best(pairs, choosing, measure, models),
            templates=tuple(_templates(pairs, by_phrasing, models)),
        )
        yield Told(result, samples)


def _templates(
    pairs: Pairs, samples: Mapping[tuple[str, str], Mapping[str, Sample]], models: Sequence[str]
) -> Iterator[TemplateResult]:
    for (template, setting), of in samples.items():
        part = pairs.parts[models[0], (template, setting)]
        yield TemplateResult(
            template=template,
            setting=setting,
            num_rows=part.select(ROW).n_unique(),
            figures={model: sample.figure for model, sample in of.items()},
        )


def _best(pairs: Pairs, choosing: pl.DataFrame | None, measure: str, models: Sequence[str]) -> dict[str, Best]:
    if choosing is None:
        return {}
    lower = measure in METRICS and METRICS[measure].lower_is_better
    on = None if choosing.is_empty() else Pairs(choosing)
    found = {model: pairs.best(model, measure, choosing=on, lower=lower) for model in models}
    return {model: best for model, best in found.items() if best is not None}


def _guesses(rows: pl.DataFrame) -> tuple[float, float] | tuple[None, None]:
    """What a guess reaches and what the best constant answer does; nothing where a row has no options.

    An option is its words, not the mark that a row happens to list it with. A chain of thought has no candidates:
    there the right options are those that its references say.
    """
    golds, words = [], []
    for options, candidates, gold, references in rows.select("options", "candidates", "gold", "references").iter_rows():
        texts = options or candidates or []
        right = gold or [place for place, text in enumerate(texts) if text in (references or ())]
        if not texts or not right:
            return None, None
        golds.append(right)
        words.append(texts)
    return chance(golds, num_candidates=list(map(len, words))), majority(golds, candidates=words)


def _unread(frame: pl.DataFrame, models: Sequence[str]) -> dict[str, int]:
    generated = frame.filter(pl.col("outputs").is_not_null())
    counts = {model: generated.filter(pl.col("answer").is_null(), model=model).height for model in models}
    return {model: count for model, count in counts.items() if count}


def _spread(points: Sequence[float]) -> Spread:
    low, middle, high = np.quantile(points, [0.25, 0.5, 0.75])
    return Spread(
        min=min(points),
        lower_quartile=float(low),
        median=float(middle),
        upper_quartile=float(high),
        max=max(points),
        standard_deviation=pstdev(points),
    )


def _groups(cluster: str | None, told: Sequence[Told], models: Sequence[str]) -> Iterator[GroupResult]:
    """Average the tasks of one cluster, or all, one group for each kind."""
    members: dict[Kind, list[Told]] = {}
    for one in told:
        if cluster in (None, one.result.cluster):
            members.setdefault(one.result.kind, []).append(one)
    for kind, of in sorted(members.items(), key=lambda item: _place(item[0])):
        samples = {model: average([one.samples[model] for one in of]) for model in models}
        yield GroupResult(
            cluster=cluster,
            protocol=kind.protocol,
            shots=kind.shots,
            measure=kind.measure,
            num_tasks=len(of),
            num_rows=sum(one.result.num_rows for one in of),
            chance=_mean([one.result.chance for one in of]),
            majority=_mean([one.result.majority for one in of]),
            figures={model: sample.figure for model, sample in samples.items()},
            difference=samples[MODEL].less(samples[BASELINE]).figure if {MODEL, BASELINE} <= {*samples} else None,
        )


def _place(kind: Kind) -> tuple[int, bool]:
    """Where a kind is told: by protocol, and zero-shot first."""
    return PROTOCOLS.index(kind.protocol), kind.shots == "few_shot"


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _left_out(rows: pl.DataFrame) -> tuple[LeftOut, ...]:
    keys = ["task", "template", "setting", "model", "dropped"]
    grouped = rows.group_by(keys, maintain_order=True).agg("row").sort(keys)
    return tuple(
        LeftOut(task=task, template=template, setting=setting, model=model, reason=reason, rows=tuple(names))
        for task, template, setting, model, reason, names in grouped.iter_rows()
    )
