"""A mixture in memory: the rows that a build would write, as `datasets` objects.

In: a mixture. Out: `{"train": DatasetDict, "held_out": DatasetDict}`. It is a real build into a folder that goes away,
so it cannot differ from one.
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from instruction_kit.build.build import build

if TYPE_CHECKING:
    from datasets import DatasetDict

    from instruction_kit.mixture import Mixture


def dataset(mixture: "Mixture") -> "dict[str, DatasetDict]":
    """Build and load.

    Raises:
        InstructionKitError: as `build` does.

    """
    from datasets import Dataset, DatasetDict

    found: dict[str, dict[str, list[pa.Table]]] = {"train": {}, "held_out": {}}
    with tempfile.TemporaryDirectory() as folder:
        manifest = build(mixture, Path(folder) / "built")
        for shard in manifest.shards:
            if shard.config in found:
                table = pq.read_table(Path(folder) / "built" / shard.path)
                found[shard.config].setdefault(shard.split, []).append(table)
    return {
        config: DatasetDict({split: Dataset(pa.concat_tables(tables)) for split, tables in splits.items()})
        for config, splits in found.items()
    }
