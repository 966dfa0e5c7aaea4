"""A report from rows: the frame of `rows.parquet` goes in, every figure comes out; no model and no file is needed.

The figure of a task is the mean over its templates (each phrasing in each setting), that of a cluster and of everything
the plain mean over its tasks. A pair that one model could not take is left out for all, so that models are compared on
the same pairs. Tasks with and without candidates are never averaged together.
"""

from collections.abc import Iterable, Sequence
from statistics import fmean, pstdev

import polars as pl

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.figures import (
    Interval,
    chance,
    effective_rows,
    interval_of_mean,
    majority,
    normal,
    weighted_mean,
    wilson,
)
from instruction_kit.evaluation.report import (
    BASELINE,
    FORMAT_VERSION,
    MODEL,
    SPLITS,
    Figure,
    GroupResult,
    LeftOut,
    MeasuredSplit,
    Report,
    Run,
    SplitResult,
    Spread,
    TaskResult,
    TemplateResult,
)
from instruction_kit.evaluation.rows import PAIR, ROWS, check_rows

ROW = ("split", "row")
"""What names a row within a task."""


def summarise(rows: pl.DataFrame, *, run: Run | None = None) -> Report:
    """Make the report of one or several measured splits by one model, or by a model and its baseline.

    Raises:
        EvaluationError: the frame is not of the layout of `ROWS`, or nothing in it was measured.

    """
    check_rows(rows)
    models = tuple(name for name in (MODEL, BASELINE) if name in rows["model"])
    ordered = rows.select(ROWS.names()).sort("model", *PAIR)  # so that no figure depends on the order of the rows
    valued = ordered.with_columns(value=_value(), out=pl.col("dropped").is_not_null().any().over(PAIR))
    splits = [name for name in SPLITS if name in rows["measured_split"]]
    return Report(
        format_version=FORMAT_VERSION,
        run=run,
        models=models,
        splits=tuple(_split(name, valued.filter(measured_split=name), models) for name in splits),
    )


def _value() -> pl.Expr:
    """Say what a pair contributes: 1 or 0 for its prediction, or its log-likelihood per token."""
    right = pl.col("prediction").list.set_difference("gold").list.len() == 0
    per_token = pl.col("scores").list.first() / pl.col("num_tokens").list.first()
    return pl.when(measure="accuracy").then(right.cast(pl.Float64)).otherwise(per_token)


def _split(name: MeasuredSplit, rows: pl.DataFrame, models: Sequence[str]) -> SplitResult:
    measured = rows.filter(~pl.col("out"))
    if measured.is_empty():
        reasons = "; ".join(sorted(set(rows["dropped"].drop_nulls())))
        raise EvaluationError(f"split {name}: none of its {rows.height} pairs could be measured: {reasons}")
    tasks = sorted(
        (_task(frame, models) for frame in measured.partition_by("task", maintain_order=True)),
        key=lambda result: (result.cluster, result.task),
    )
    clusters = sorted({task.cluster for task in tasks})
    return SplitResult(
        split=name,
        overall=tuple(_groups(None, tasks, models)),
        clusters=tuple(group for cluster in clusters for group in _groups(cluster, tasks, models)),
        tasks=tuple(tasks),
        left_out=_left_out(rows.filter(pl.col("dropped").is_not_null())),
    )


def _task(pairs: pl.DataFrame, models: Sequence[str]) -> TaskResult:
    """Average over templates: a pair weighs the less, the more rows its template has."""
    phrasings = ["template", "setting"]
    weighted = pairs.with_columns(weight=1 / pl.len().over("model", *phrasings))
    templates = [
        _template(frame, models) for frame in pairs.sort(phrasings, maintain_order=True).partition_by(phrasings)
    ]
    figures = {model: _figure(weighted.filter(model=model)) for model in models}
    rows = pairs.filter(model=models[0]).unique(ROW, keep="first", maintain_order=True)
    first = rows.row(0, named=True)
    golds, ranked = rows["gold"].to_list(), first["measure"] == "accuracy"
    return TaskResult(
        task=first["task"],
        cluster=first["cluster"],
        measure=first["measure"],
        num_rows=rows.height,
        chance=chance(golds, num_candidates=rows["candidates"].list.len().to_list()) if ranked else None,
        majority=majority(golds, candidates=rows["candidates"].to_list()) if ranked else None,
        figures=figures,
        spread={model: _spread([template.figures[model].mean for template in templates]) for model in models},
        difference=_difference(figures),
        templates=tuple(templates),
    )


def _template(pairs: pl.DataFrame, models: Sequence[str]) -> TemplateResult:
    first = pairs.row(0, named=True)
    return TemplateResult(
        template=first["template"],
        setting=first["setting"],
        num_rows=pairs.select(ROW).n_unique(),
        figures={model: _figure(pairs.filter(model=model).with_columns(weight=1.0)) for model in models},
    )


def _figure(pairs: pl.DataFrame) -> Figure:
    """Average one model's pairs by weight, with the interval over rows."""
    rows = pairs.group_by(ROW, maintain_order=True).agg(
        weight=pl.col("weight").sum(), value=(pl.col("value") * pl.col("weight")).sum() / pl.col("weight").sum()
    )
    values, weights = rows["value"].to_list(), rows["weight"].to_list()
    mean = weighted_mean(values, weights=weights)
    if pairs["measure"][0] == "log_likelihood":
        return _with_interval(mean, normal(values, weights=weights))
    share = min(1.0, max(0.0, mean))
    return _with_interval(share, wilson(share, num_rows=effective_rows(weights)))


def _with_interval(mean: float, interval: Interval | None) -> Figure:
    low, high = interval or (None, None)
    return Figure(mean=mean, low=low, high=high)


def _spread(means: Sequence[float]) -> Spread:
    return Spread(min=min(means), max=max(means), standard_deviation=pstdev(means))


def _difference(figures: dict[str, Figure]) -> float | None:
    return figures[MODEL].mean - figures[BASELINE].mean if BASELINE in figures and MODEL in figures else None


def _groups(cluster: str | None, tasks: Sequence[TaskResult], models: Sequence[str]) -> Iterable[GroupResult]:
    """Average the tasks of one cluster, or all, one group for each measure."""
    for measure in ("accuracy", "log_likelihood"):
        members = [task for task in tasks if task.measure == measure and cluster in (None, task.cluster)]
        if members:
            figures = {model: _mean_figure([task.figures[model] for task in members]) for model in models}
            yield GroupResult(
                cluster=cluster,
                measure=measure,
                num_tasks=len(members),
                num_rows=sum(task.num_rows for task in members),
                chance=_mean([task.chance for task in members]),
                majority=_mean([task.majority for task in members]),
                figures=figures,
                difference=_difference(figures),
            )


def _mean_figure(figures: Sequence[Figure]) -> Figure:
    means = [figure.mean for figure in figures]
    intervals = [
        None if figure.low is None or figure.high is None else Interval(figure.low, figure.high) for figure in figures
    ]
    return _with_interval(fmean(means), interval_of_mean(means, intervals=intervals))


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
