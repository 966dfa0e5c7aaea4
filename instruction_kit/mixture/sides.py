"""The two sides of a mixture: which of its tasks train, which are measured, and why the others leave.

In: a mixture whose names mean something. Out: its `HoldOut`, less the tasks that are not among
the first that are taken.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from instruction_kit.errors import MixtureError
from instruction_kit.holdout import HoldOut, resolve
from instruction_kit.mixture.check import name_problems, raise_all
from instruction_kit.mixture.filter import unverified
from instruction_kit.mixture.subset import leaving

if TYPE_CHECKING:
    from instruction_kit.mixture.mixture import Mixture


def sides(mixture: "Mixture") -> HoldOut:
    """What trains, what is measured, what leaves and why.

    Raises:
        MixtureError: names mean nothing, a listed task must leave, or nothing is left on a side.

    """
    tasks = mixture.chosen
    raise_all([MixtureError(why) for why in name_problems(mixture, tasks)])
    unseen = unverified(tasks, {*mixture.listed, *mixture.hold_out})
    found = resolve(
        tasks,
        mixture.hold_out,
        rotation=mixture.rotation,
        listed=mixture.listed,
        filtered=unseen | mixture.filter.leaving(tasks),
        trainless=[name for name, task in tasks.items() if "train" not in task.reading(mixture.data).split_names],
        only_held_out=mixture.only == "held_out",
    )
    return found if mixture.only == "held_out" else found.less(_not_first(mixture, found.training))


def _not_first(mixture: "Mixture", training: Sequence[str]) -> dict[str, str]:
    """Task -> why it is not among the first that are taken."""
    gone: dict[str, str] = {}
    problems = []
    for path, part in mixture.homes.items():
        mine = {name: mixture.chosen[name].cluster for name in training if mixture.home(name) == path}
        where = f"parts.{path}." if path else ""
        if not mine:
            problems.append(MixtureError(f"parts.{path}: none of its tasks trains; take it out, or hold out less"))
        try:
            gone |= leaving(part, mine, seed=mixture.seed)
        except MixtureError as error:
            problems += [MixtureError(f"{where}{line}") for line in str(error).split("\n")]
    raise_all(problems)
    return gone
