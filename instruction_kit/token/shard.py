"""The pairs of a built mixture as token rows on disk.

In goes a built folder, out comes a folder of Arrow files, one for each Parquet file of the split `train`, or of
`validation`, with a record (`tokens.json`). Nothing is cut: a pair that is too long, or that the layout cannot take, is
dropped and counted, and too many of them are an error. Pairs are read in windows (`window`), in the order of the
mixture, which is shuffled already. Unpacked, a row is one pair, in that order. Packed, the pairs of a window are laid
into rows by best fit (`pack`), and the window's rows are shuffled by a hash. The pairs of one cluster alone give the
rows that a mixture of this cluster would. What a row holds is told in `row`. Arrow streams are used because they are
mapped into memory as they are: no cache, no copy.
"""

import logging
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.progress import Progress

from instruction_kit.build.commit import committed, file_hash
from instruction_kit.build.length import tokenizer_hash
from instruction_kit.build.manifest import Manifest, Shard, read_manifest
from instruction_kit.choice import keys
from instruction_kit.errors import TokenError, nearest
from instruction_kit.token.encoder import Batch, Encoder
from instruction_kit.token.engine import NAMES, UnequalError, engines
from instruction_kit.token.found import code_hash, is_current
from instruction_kit.token.pack import best_fit
from instruction_kit.token.record import (
    FORMAT_VERSION,
    RECORD,
    EngineRecord,
    Identity,
    Split,
    TokenRecord,
    TokenShard,
    read_record,
    write_record,
)
from instruction_kit.token.row import ORIGIN, SCHEMA, Window, token_rows
from instruction_kit.token.tally import Tally
from instruction_kit.token.weigh import Weighing, weights
from instruction_kit.token.window import ahead, system_memory, windows

logger = logging.getLogger(__name__)

Ints = npt.NDArray[np.int64]


class Wanted(NamedTuple):
    """What the rows are to be like."""

    max_length: int
    """The most tokens of a prompt with its completion, and of a pack; longer pairs are dropped and counted."""
    packing: bool = False
    weighing: Weighing = Weighing()
    split: Split = "train"
    cluster: str | None = None
    """Of which cluster the pairs are; None: of all."""


def identity_of(manifest: Manifest, encoder: Encoder, wanted: Wanted) -> Identity:
    """Say what will decide every token."""
    return Identity(
        built=manifest.fingerprint,
        tokenizer=tokenizer_hash(encoder.tokenizer),
        max_length=wanted.max_length,
        packing=wanted.packing,
        weighing=wanted.weighing,
        split=wanted.split,
        cluster=wanted.cluster,
        layout=encoder.layout,
    )


def names_of(manifest: Manifest, cluster: str | None = None) -> list[str]:
    """Name the tasks that are trained on, or those of one cluster."""
    return sorted(
        name
        for name, task in manifest.tasks.items()
        if task.role == "train" and (cluster is None or task.cluster == cluster)
    )


def num_pairs(manifest: Manifest, names: Sequence[str], *, split: Split = "train") -> int:
    """Count the pairs of some tasks in a split of the built folder."""
    sources = [source for name in names for source in manifest.tasks[name].splits.values()]
    return sum(source.ledger.pairs.get(split, 0) for source in sources)


def tokenise(
    built: str | Path,
    folder: str | Path,
    wanted: Wanted,
    *,
    encoder: Encoder,
    accept_dropped: bool = False,
    show_progress: bool = False,
    engine_names: Sequence[str] = NAMES,
) -> TokenRecord:
    """Write the token shards of a built mixture, or find that they are there already.

    Args:
        built: the built folder; of its config `train` the wanted split is read.
        folder: where the shards go.
        wanted: how long a row may be, whether pairs share rows, and what weighs how much.
        encoder: the model's tokenizer under a layout.
        accept_dropped: whether a task may lose more than 1% of its pairs to its length, or to the layout.
        show_progress: whether to draw a bar on standard error.
        engine_names: which engines are tried before the tokenizer itself; all give the same ids.

    Raises:
        TokenError: there is nothing to train on, too much would be dropped, or the built folder is not whole.

    """
    built, folder = Path(built), Path(folder)
    manifest = read_manifest(built)
    identity = identity_of(manifest, encoder, wanted)
    found = read_record(folder)
    if found is not None and found.identity == identity and is_current(folder, found):
        return found
    (folder / RECORD).unlink(missing_ok=True)
    for engine in engines(encoder.tokenizer, as_text=encoder.special_as_text, names=engine_names):
        writer = _Writer(built, folder, manifest, encoder.by(engine), wanted)
        try:
            with system_memory():
                record = writer.write(identity, accept_dropped=accept_dropped, show_progress=show_progress)
        except UnequalError as error:
            logger.warning("%s; beginning again with another engine", error)
            continue
        write_record(folder, record)
        return record
    raise AssertionError("the last engine is the tokenizer itself, which differs from nothing")


class _Writer:
    """One pass over a built folder by one engine."""

    def __init__(self, built: Path, folder: Path, manifest: Manifest, encoder: Encoder, wanted: Wanted) -> None:
        self.built = built
        self.folder = folder
        self.manifest = manifest
        self.encoder = encoder
        self.wanted = wanted
        self.names = names_of(manifest, wanted.cluster)
        if wanted.cluster is not None and not self.names:
            clusters = {manifest.tasks[name].cluster for name in names_of(manifest)}
            raise TokenError(f"cluster {wanted.cluster}: {built} trains on none; {nearest(wanted.cluster, clusters)}")
        if unknown := set(wanted.weighing.tasks) - set(self.names):
            told = "; ".join(f"{name}: {nearest(name, self.names)}" for name in sorted(unknown))
            raise TokenError(f"weights of tasks that {built} does not train on: {told}")
        self.tally = Tally(self.names, max_length=wanted.max_length, cluster=wanted.cluster)

    def write(self, identity: Identity, *, accept_dropped: bool, show_progress: bool) -> TokenRecord:
        """Write all shards, and return what is to be recorded of them."""
        of = ("train", self.wanted.split)
        sources = [shard for shard in self.manifest.shards if (shard.config, shard.split) == of]
        firsts = accumulate((shard.rows for shard in sources), initial=0)
        with Progress(console=Console(stderr=True), disable=not show_progress) as progress:
            bar = progress.add_task("tokens", total=num_pairs(self.manifest, self.names, split=self.wanted.split))
            shards = [
                self._shard(source, first, lambda rows: progress.advance(bar, rows))
                for source, first in zip(sources, firsts, strict=False)
            ]
        self.tally.refuse_empty(self.built)
        if not accept_dropped:
            self.tally.refuse_dropped()
        engine = self.encoder.engine
        return TokenRecord(
            format_version=FORMAT_VERSION,
            code=code_hash(),
            identity=identity,
            engine=EngineRecord(name=engine.name, version=engine.version, checked=engine.checked),
            rows=sum(shard.rows for shard in shards),
            pairs=self.tally.pairs,
            mixing=self.tally.mixing(),
            largest_id=self.tally.largest_id,
            task_names=self.names,
            tasks=self.tally.tasks(),
            shards=[shard for shard in shards if shard.rows],
        )

    def _shard(self, source: Shard, first: int, advance: Callable[[int], None]) -> TokenShard:
        """Turn one Parquet file into one Arrow file; `first` is the position of its first pair."""
        origin = self.built / source.path
        if not origin.is_file() or file_hash(origin) != source.sha256:
            raise TokenError(
                f"{origin}: absent or not as the build left it; build the mixture again into an empty folder"
            )
        path = self.folder / f"{origin.stem}.arrow"
        rows = 0
        with committed(path) as beside, pa.OSFile(str(beside), "wb") as file, pa.ipc.new_stream(file, SCHEMA) as writer:
            columns = [*self.encoder.columns, *ORIGIN.values(), *self.wanted.weighing.columns]
            read = windows(origin, columns, first=first, tasks=self.names)
            for pairs, batch in ahead((pairs, self.encoder.batch(pairs)) for pairs in read):
                made = self._rows(pairs, batch)
                writer.write_batch(made)
                rows += len(made)
                advance(len(pairs))
        return TokenShard(path=path.name, rows=rows, sha256=file_hash(path))

    def _rows(self, pairs: pa.RecordBatch, batch: Batch) -> pa.RecordBatch:
        """Turn a window of pairs into rows."""
        _refuse_blank(batch, pairs)
        begin = self.tally.position
        tasks = pc.index_in(pairs["task"], pa.array(self.names, pa.string())).to_numpy().astype(np.int64)
        window = Window(pairs, batch, tasks)
        kept = np.flatnonzero(self.tally.keep(window))
        if not len(kept):
            return pa.RecordBatch.from_pylist([], schema=SCHEMA)
        packs = self._packs(kept + begin, window.lengths[kept])
        weighing = self.wanted.weighing
        weighed = None if weighing.is_even else weights(weighing, batch, pairs, self.encoder)
        rows = token_rows(window, kept, packs, weighed)
        self.tally.filled(window, kept, packs, rows)
        return rows

    def _packs(self, positions: Ints, lengths: Ints) -> Ints:
        """Give each pair the place of its row in the window."""
        if not self.wanted.packing:
            return np.arange(len(lengths))
        packs = best_fit(lengths, self.wanted.max_length)
        firsts = np.unique(packs, return_index=True)[1]
        shuffled = np.argsort(keys(positions[firsts].astype(np.uint64), "order of packs"), kind="stable")
        return np.argsort(shuffled)[packs]


def _refuse_blank(batch: Batch, pairs: pa.RecordBatch) -> None:
    """Refuse an output without tokens."""
    blank = np.flatnonzero(batch.sizes[:, 1] == 1)
    if len(blank):
        [row] = pairs.slice(int(blank[0]), 1).to_pylist()
        raise TokenError(
            f"{row['task']} {row['split']} row {row['row']}, template {row['template']}: its completion "
            f"{row['completion']!r} has no tokens, so there is nothing to learn; skip such rows in the task file"
        )
