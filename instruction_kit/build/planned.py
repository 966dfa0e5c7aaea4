"""How many pairs go to each split of the built mixture, which is their home, as far as counts alone can tell.

In: the draw. Out: pairs by home, from which only the number of shards follows; and the splits that are held out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from instruction_kit.build.draw import PAIRS, ROLE, Drawn, Role
from instruction_kit.build.scan import Scan
from instruction_kit.build.unit import ScanUnit

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture


def home(unit: ScanUnit, role: Role) -> str:
    """Where pairs of this role go."""
    return f"{unit.task}__{unit.split}" if role == "held_out" else role


def planned_pairs(mixture: "Mixture", scans: Sequence[Scan], drawn: Drawn) -> dict[str, int]:
    """Home -> pairs."""
    planned: Counter[str] = Counter(train=0, validation=0, seen=0)
    for done in scans:
        rows, task = drawn.rows[done.unit.key], done.unit.task
        each = len(mixture.templates[task]) * len(mixture.held_out_settings)
        planned["train"] += int(rows[PAIRS].sum())
        for role in _MEASURED:
            if count := rows.filter(pl.col(ROLE) == role).height:
                planned[home(done.unit, role)] += count * each
    return dict(planned)


_MEASURED: tuple[Role, ...] = ("validation", "seen", "held_out")


def homes_of(unit: ScanUnit, counts: Mapping[str, int]) -> dict[str, int]:
    """Those to which pairs of one scan can go."""
    mine = ("train", *(home(unit, role) for role in _MEASURED))
    return {name: counts[name] for name in mine if name in counts}


def held_out_splits(scans: Sequence[Scan], drawn: Drawn) -> list[str]:
    """Splits that are planned in `held_out`."""
    measured = [s.unit for s in scans if (drawn.rows[s.unit.key][ROLE] == "held_out").any()]
    return sorted({home(unit, "held_out") for unit in measured})
