"""The manifest of a build, from the job, the draw and what the units gave.

In: those. Out: a `Manifest`, which says the same however the build came about.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from instruction_kit import __version__
from instruction_kit.build import leakage, removal
from instruction_kit.build.draw import Drawn
from instruction_kit.build.job import Job
from instruction_kit.build.ledger import shares, task_records
from instruction_kit.build.manifest import FORMAT_VERSION, Manifest, Shard, TemplateRecord
from instruction_kit.build.planned import held_out_splits
from instruction_kit.build.scan import Scan


def manifest_of(
    job: Job,
    scans: Sequence[Scan],
    drawn: Drawn,
    rendered: Sequence[Mapping[str, Any]],
    shards: Sequence[Shard],
) -> Manifest:
    """All of it."""
    mixture, identity = job.mixture, job.identity
    used = sorted({name for values in rendered for name in values["phrasings"]})
    known = {t.name: t for templates in mixture.templates.values() for t in templates}
    return Manifest(
        format_version=FORMAT_VERSION,
        fingerprint=identity.fingerprint,
        versions={
            "instruction-kit": __version__,
            **{p: version(p) for p in ("jinja2", "polars", "pyarrow", "pydantic")},
        },
        inputs=dict(identity.inputs),
        mixture=mixture.portable(),
        tasks=task_records(mixture, scans, drawn, rendered, identity),
        left=dict(mixture.leaving),
        templates={name: TemplateRecord(hash=known[name].hash, text=known[name].text) for name in used},
        shares=shares(mixture, scans, drawn, rendered),
        overlap=leakage.summary(drawn.overlap),
        duplicates=removal.summary(drawn.duplicates),
        splits=_splits(scans, drawn, shards),
        shards=list(shards),
    )


def _splits(scans: Sequence[Scan], drawn: Drawn, shards: Sequence[Shard]) -> dict[str, dict[str, int]]:
    """Config -> split -> rows, of every split that is planned."""
    planned = {
        "train": ["train", "validation", "seen"],
        "held_out": held_out_splits(scans, drawn),
        "rejected": sorted({done.unit.task for done in scans}),
        "overlap": ["overlap"],
        "duplicates": ["duplicates"],
    }
    rows: Counter[tuple[str, str]] = Counter()
    for shard in shards:
        rows[shard.config, shard.split] += shard.rows
    return {config: {split: rows[config, split] for split in splits} for config, splits in planned.items()}
