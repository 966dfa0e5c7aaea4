"""What became of one adapter for each cluster, read from the folders of their runs: `adapters.json` and `README.md`.

In go the clusters and the folder that holds theirs, out come one file for programs and one for people. Every figure is
read from the runs' own files, and none is a path of this machine.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from instruction_kit.build.commit import write_text
from instruction_kit.token.record import TokenRecord
from instruction_kit.training.card import base_name
from instruction_kit.training.curve import read_history
from instruction_kit.training.request import ModelSource
from instruction_kit.training.resume import ADAPTERS_FILE, read_run

TITLES = ("cluster", "tasks", "pairs", "loss tokens", "rows", "steps", "first loss", "last loss", "validation loss")


class AdapterEntry(BaseModel):
    """One cluster's adapter; it lies in the folder that is called as the cluster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: list[str]
    pairs: int
    loss_tokens: int
    """Tokens of one epoch that are trained on."""
    rows: int
    """Packs, or pairs where these are not packed."""
    rows_per_step: int
    fills_a_step: bool
    """Whether there are as many rows as one step takes."""
    steps: int
    num_tokens: int
    """Tokens seen, prompts included."""
    first_loss: float | None
    """Over the steps up to the first line of the log; None where nothing was logged."""
    last_loss: float | None
    """Over the steps since the line before the last one."""
    validation_loss: float | None
    """Over the cluster's validation rows; None where nothing was evaluated."""


class AdapterTable(BaseModel):
    """The whole of `adapters.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = 1
    base: str
    """The base model's name; of a folder the last part of its path."""
    adapters: dict[str, AdapterEntry]
    left_out: dict[str, str]
    """Cluster -> why it has no adapter."""


def write_table(folder: Path, base: ModelSource, records: Mapping[str, TokenRecord], left_out: dict[str, str]) -> None:
    """Write both files beside the clusters' folders."""
    entries = {cluster: _entry(folder / cluster, cluster, record) for cluster, record in records.items()}
    table = AdapterTable(base=base_name(base), adapters=entries, left_out=left_out)
    write_text(folder / "README.md", "\n".join(_page(table)) + "\n")
    write_text(folder / ADAPTERS_FILE, table.model_dump_json(indent=2) + "\n")


def _entry(folder: Path, cluster: str, record: TokenRecord) -> AdapterEntry:
    run, history = read_run(folder), read_history(folder)
    losses = [entry[name] for entry in history if (name := f"loss_cluster/{cluster}") in entry]
    measured = [entry["eval_loss"] for entry in history if "eval_loss" in entry]
    return AdapterEntry(
        tasks=sorted(record.tasks),
        pairs=record.pairs,
        loss_tokens=sum(task.loss_tokens for task in record.tasks.values()),
        rows=record.rows,
        rows_per_step=run.rows_per_step,
        fills_a_step=record.rows >= run.rows_per_step,
        steps=run.step,
        num_tokens=run.num_tokens,
        first_loss=losses[0] if losses else None,
        last_loss=losses[-1] if losses else None,
        validation_loss=measured[-1] if measured else None,
    )


def _page(table: AdapterTable) -> Iterator[str]:
    yield from ("---", "library_name: peft", "tags: [instruction-kit, instruction-tuning, lora]", "---", "")
    yield from ("# One LoRA adapter for each cluster", "")
    yield f"All over `{table.base}`, each tuned on its cluster alone. Each folder is an adapter with its card."
    yield from ("", f"| {' | '.join(TITLES)} |", f"|{'---|' * 2}{'---:|' * (len(TITLES) - 2)}")
    for cluster, entry in table.adapters.items():
        numbers = (entry.pairs, entry.loss_tokens, entry.rows, entry.steps)
        losses = (entry.first_loss, entry.last_loss, entry.validation_loss)
        cells = [f"[{cluster}]({cluster})", ", ".join(entry.tasks), *(f"{number:,}" for number in numbers)]
        yield f"| {' | '.join([*cells, *('' if loss is None else f'{loss:.4f}' for loss in losses)])} |"
    yield from (f"\n{cluster} has no adapter: {reason}." for cluster, reason in table.left_out.items())
    for cluster, entry in table.adapters.items():
        if not entry.fills_a_step:
            yield f"\nA step takes {entry.rows_per_step:,} rows, and {cluster} has {entry.rows:,}: each saw them all."
    first, *others = table.adapters
    yield from ("", "```python", "from peft import PeftModel", "")
    yield f'model = PeftModel.from_pretrained(base, "THIS_FOLDER/{first}", adapter_name="{first}")'
    yield from (f'model.load_adapter("THIS_FOLDER/{name}", adapter_name="{name}")' for name in others)
    yield from (f'model.set_adapter("{first}")', "```")
