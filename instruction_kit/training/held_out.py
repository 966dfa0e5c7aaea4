"""Held-out tasks, ranked while a model is tuned: how well it does what it is not trained on.

In go a model, its encoder and pairs of the built folder, out come the figures of `evaluation`: the same rows, the same
scores and the same means as `evaluate.py` gives, by cluster and over all. Every process measures all pairs, because a
model that is divided over processes must be called together.
"""

from pathlib import Path

import polars as pl
from transformers import PreTrainedModel

from instruction_kit.build.manifest import Manifest
from instruction_kit.evaluation.folder import read_pairs
from instruction_kit.evaluation.measure import measure
from instruction_kit.evaluation.report import LIKELIHOOD, MODEL, GroupResult
from instruction_kit.evaluation.summary import summarise
from instruction_kit.token.encoder import Encoder

HELD_OUT = "held_out"
"""What its figures are called: the mean over tasks; `held_out/<cluster>` that of a cluster."""
MEASURES = ("accuracy", LIKELIHOOD)
"""Of ranked tasks, and of those without options."""


def held_out_pairs(built: Path, manifest: Manifest, *, rows_per_task: int) -> pl.DataFrame | None:
    """Read what is measured; None where the mixture holds nothing out, or no rows are wanted."""
    if not rows_per_task or not any(manifest.splits.get("held_out", {}).values()):
        return None
    return read_pairs(built, split="held_out", rows_per_task=rows_per_task)


def held_out_figures(
    model: PreTrainedModel, encoder: Encoder, pairs: pl.DataFrame, *, batch_size: int
) -> dict[str, float]:
    """Measure pairs; accuracies are shares, and tasks without options give a log-likelihood for each token."""
    try:
        rows = measure(model, encoder.tokenizer, encoder.layout, pairs, batch_size=batch_size)
        split = summarise(rows).splits[0]
    finally:
        model.train(mode=False)
    groups = [*split.overall, *split.clusters]
    return dict(_named(group) for group in groups if group.measure in MEASURES)


def figure_names(pairs: pl.DataFrame) -> list[str]:
    """Name the figures that pairs can give, before any of them is measured."""
    clusters = pairs["cluster"].unique().sort().to_list()
    kinds = [_kind(shots, measure) for shots in ("zero_shot", "few_shot") for measure in MEASURES]
    return [f"{kind}{end}" for kind in kinds for end in ("", *(f"/{cluster}" for cluster in clusters))]


def _kind(shots: str, measure: str) -> str:
    few = "" if shots == "zero_shot" else f"_{shots}"
    return HELD_OUT + few + ("" if measure == MEASURES[0] else f"_{measure}")


def _named(group: GroupResult) -> tuple[str, float]:
    kind = _kind(group.shots, group.measure)
    return (kind if group.cluster is None else f"{kind}/{group.cluster}"), group.figures[MODEL].mean
