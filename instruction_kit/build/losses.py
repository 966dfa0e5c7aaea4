"""What a build lost: rows skipped, rejected and removed in all, and where that is more than a few.

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


def _lost(ledger: Ledger) -> Counter[str]:
    """Less what the mixture asks to take out, which is told apart."""
    removed = {why: rows for why, rows in ledger.removed.items() if why not in (OVERLAP, *REMOVED.values())}
    return Counter(ledger.rejected) + Counter(removed)
