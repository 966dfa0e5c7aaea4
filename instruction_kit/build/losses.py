"""What a build lost: rows in all, where that is more than a few of a split, and pairs that measured rows lack.

In: a manifest. Out: lines. A share above one in a hundred is named with its commonest reason, since a label that was
misspelt in a task file looks like bad data.
"""

from collections import Counter
from collections.abc import Iterator

from instruction_kit.build.leakage import OVERLAP
from instruction_kit.build.manifest import Ledger, Manifest
from instruction_kit.build.removal import REMOVED

NOTABLE_SHARE = 0.01


def totals(manifest: Manifest) -> str:
    """Rows read, skipped, rejected and removed, in one line."""
    counts: Counter[str] = Counter()
    for task in manifest.tasks.values():
        for part in task.splits.values():
            ledger = part.ledger
            counts.update(read=ledger.read, skipped=ledger.skipped)
            counts.update(rejected=sum(ledger.rejected.values()), removed=sum(ledger.removed.values()))
    return ", ".join(f"{what} {counts[what]:,}" for what in ("read", "skipped", "rejected", "removed")) + " rows"


def notable(manifest: Manifest) -> Iterator[str]:
    """One line for each split that lost many rows."""
    for name, task in manifest.tasks.items():
        for split, part in task.splits.items():
            lost, read = _lost(part.ledger), part.ledger.read
            if lost and sum(lost.values()) > NOTABLE_SHARE * read:
                reason, rows = max(lost.items(), key=lambda item: (item[1], item[0]))
                yield f"{name} {split} lost {sum(lost.values()):,} of {read:,} rows, most for: {reason} ({rows:,})"


def unmeasured(manifest: Manifest) -> Iterator[str]:
    """Pairs that measured rows lack, and held-out settings in which a task for that reason has none."""
    missed: Counter[str] = Counter()
    for name, task in manifest.tasks.items():
        here = sum((Counter(part.ledger.missed) for part in task.splits.values()), Counter[str]())
        missed += here
        if here and task.role == "held_out":
            empty = [key for key in manifest.mixture["held_out_settings"] if key not in task.settings]
            yield from (f"{name} has no pair in the held-out setting {key}" for key in empty)
    if missed:
        reason, pairs = max(missed.items(), key=lambda item: (item[1], item[0]))
        yield f"measured rows lack {missed.total():,} pairs, most for: {reason} ({pairs:,})"


def _lost(ledger: Ledger) -> Counter[str]:
    """Less what the mixture asks to take out, which is told apart."""
    removed = {why: rows for why, rows in ledger.removed.items() if why not in (OVERLAP, *REMOVED.values())}
    return Counter(ledger.rejected) + Counter(removed)
