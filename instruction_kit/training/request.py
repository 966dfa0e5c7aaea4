"""A tuning run with everything settled: what `flag` makes of a command line, and all else of a run reads."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import BitsAndBytesConfig
from trl.trainer.sft_config import SFTConfig

from instruction_kit.token.settle import Asked
from instruction_kit.token.shard import Wanted
from instruction_kit.training.adapter import Adapter


@dataclass(frozen=True)
class ModelSource:
    """Where a model comes from and how it is loaded."""

    name: str
    revision: str
    dtype: torch.dtype
    attn_implementation: str | None
    trust_remote_code: bool
    init_kwargs: dict[str, Any]
    quantisation: BitsAndBytesConfig | None = None
    """How the weights are held, where they are not held whole."""


@dataclass(frozen=True)
class Request:
    """A tuning run with everything settled."""

    built: Path
    wanted: Wanted
    """What the token rows are to be like."""
    tokens: Path | None
    """Shards that are there already."""
    accept_dropped: bool
    inspect: bool
    layout: Asked
    held_out_rows: int
    adapter: Adapter | None
    adapter_per: Literal["cluster"] | None
    """What has an adapter of its own; None: one run over all."""
    merge_adapter: bool
    model: ModelSource
    config: SFTConfig
    resume: str | None

    @property
    def output(self) -> Path:
        """The folder that the run writes to."""
        return Path(str(self.config.output_dir))
