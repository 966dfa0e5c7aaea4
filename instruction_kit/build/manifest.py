"""What a built folder says of itself: `manifest.json`, written last and read by whoever opens the folder.

It holds no clock, no host and no absolute path, so the same mixture over the same data gives the same file.
"""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from instruction_kit.build.commit import file_hash
from instruction_kit.errors import BuildError

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
Config = Literal["train", "held_out", "rejected", "overlap", "duplicates"]


class Record(BaseModel):
    """A frozen part of the manifest; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Shard(Record):
    """One Parquet file of the folder."""

    path: str
    """Relative to the folder, with forward slashes."""
    config: Config
    split: str
    rows: int
    sha256: str


class Ledger(Record):
    """Where the rows of one split of one task went: read = used + not_drawn + skipped + rejected + removed."""

    source_rows: int
    """Rows of the source before the task's `rows=` function; equal to `read` without one."""
    read: int
    used: int
    not_drawn: int
    skipped: int
    rejected: dict[str, int]
    """`field: reason` -> rows."""
    removed: dict[str, int]
    """Why a good row was taken out (too long, …) -> rows."""
    pairs: dict[str, int]
    """Split of the built mixture -> pairs that were written from the used rows."""
    missed: dict[str, int]
    """Why a measured row does not stand under one of the templates -> pairs that are missing for it."""
    shortened: int
    """Pairs in which a field was shortened to fit the budget."""
    fewer_exemplars: int = 0
    """Pairs that show fewer exemplars than were drawn for them, to fit the budget."""


class Source(Record):
    """One source split of a task as it was read."""

    content: str
    """Hash of the files' bytes, of the frame's content, or the hub's resolved revision."""
    ledger: Ledger


class TaskRecord(Record):
    """One task of the mixture."""

    cluster: str
    part: str = ""
    """The path of the part that it stands in; empty where the mixture is not made of others."""
    role: Literal["train", "held_out"]
    task_schema: str
    metrics: list[str]
    license: str
    families: list[str]
    languages: list[str]
    hash: str
    """Hash of the task file, or of the content of a Task object's frames."""
    splits: dict[str, Source]
    expected_share: float
    """Of all training pairs, as planned before rendering; 0 for a held-out task."""
    realised_share: float
    settings: dict[str, int]
    """Setting -> pairs written."""
    templates: dict[str, int]
    """Template -> pairs written."""
    exemplar_pool: int = 0
    """Rows of train from which exemplars could be taken; 0 without few-shot settings."""
    exemplars: dict[str, int] = {}
    """Number of exemplars -> pairs that show so many, in all splits."""
    rounds: int
    """How often the most used row of this task was used."""


class Share(Record):
    """What there is of one part, cluster, task or setting among the training pairs: expected, and written."""

    by: Literal["part", "cluster", "task", "setting"]
    name: str
    expected_pairs: float
    pairs: int
    expected_tokens: float | None
    """At four bytes each, from how much text the rows hold; null where they hold none that can be counted."""
    tokens: float
    """At four bytes each, of prompts and completions as they were written."""


class TemplateRecord(Record):
    """One template that the mixture used, with its whole text."""

    hash: str
    text: str


class Manifest(Record):
    """The whole of `manifest.json`."""

    format_version: int
    fingerprint: str
    """Hash of all that shaped the folder: mixture, tasks, templates, sources, code."""
    versions: dict[str, str]
    """Package -> version."""
    inputs: dict[str, str]
    """Hash of everything else that shaped the folder: the code from schema to build, each task, template and source."""
    mixture: dict[str, Any]
    tasks: dict[str, TaskRecord]
    left: dict[str, str]
    """Tasks that are neither trained nor measured, and phrasings that are not used, as `template <name>` -> why."""
    templates: dict[str, TemplateRecord]
    shares: list[Share]
    overlap: dict[str, dict[str, dict[str, int]]]
    """Held-out task -> training task -> kind of match -> training rows that share text with held-out ones; where they
    were dropped, the ledgers say so."""
    duplicates: dict[str, dict[str, dict[str, int]]] = {}
    """Training task -> task of the row that stays -> kind of copy -> rows that were taken out."""
    splits: dict[str, dict[str, int]]
    """Config -> split -> rows; a split that was planned and has no rows is 0 and in no file."""
    shards: list[Shard]


def shard_record(out: Path, path: str, *, config: Config, split: str, rows: int) -> Shard:
    """What is said of a file that lies in a built folder."""
    return Shard(path=path, config=config, split=split, rows=rows, sha256=file_hash(out / path))


def parts(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """Path -> the keys of the part, with what it takes from those around it; the mixture itself if it has no parts."""
    found: dict[str, dict[str, Any]] = {}
    stack = [("", manifest.mixture)]
    while stack:
        path, said = stack.pop()
        inner = said.get("parts") or {}
        around = {key: value for key, value in said.items() if key != "parts"}
        stack += [(f"{path}.{name}" if path else name, {**around, **own}) for name, own in inner.items()]
        if not inner:
            found[path] = around
    return dict(sorted(found.items()))


def read_manifest(folder: str | Path) -> Manifest:
    """Read the manifest of a built folder.

    Raises:
        BuildError: there is none, or it is of another format.

    """
    path = Path(folder) / MANIFEST
    if not path.is_file():
        raise BuildError(
            f"{folder}: no {MANIFEST}, so this is no built mixture or its build has not ended; "
            f"build it with: instruction-kit build MIXTURE.yaml {folder}"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = content.get("format_version") if isinstance(content, dict) else None
        if found != FORMAT_VERSION:
            raise BuildError(f"{path}: format_version {found}, this version reads {FORMAT_VERSION}; build again")
        return Manifest.model_validate(content)
    except (ValueError, ValidationError) as error:
        raise BuildError(f"{path}: not a manifest ({error}); build the mixture again into an empty folder") from error
