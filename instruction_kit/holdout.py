"""What leaves the training side, and why.

In: the tasks of a mixture and the names to hold out. Out: which are measured, which leave with them and by which path,
and which train. A name is looked up as cluster, then task, then family. What is named leaves and is measured; what
meets it by a pair rule or a shared family leaves too, is not measured, and takes nobody further.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from instruction_kit.errors import MixtureError, nearest
from instruction_kit.task.task import Task

LEAVE_TOGETHER: Mapping[str, tuple[str, ...]] = {
    "natural_language_inference": ("paraphrase",),
    "paraphrase": ("natural_language_inference",),
    "reading_comprehension": ("reading_comprehension_with_commonsense",),
    "commonsense": ("reading_comprehension_with_commonsense",),
    "reading_comprehension_with_commonsense": ("reading_comprehension", "commonsense"),
}
"""Held-out cluster -> clusters that do not train beside it. Rules of `generate_inter_cluster_splits` in
google-research/FLAN, flan/task_splits.py, https://github.com/google-research/FLAN."""


@dataclass(frozen=True)
class HoldOut:
    """The tasks of a mixture, told apart."""

    training: tuple[str, ...]
    measured: tuple[str, ...]
    leaving: Mapping[str, str]
    """Task -> the path by which it leaves, as in `qnli -> squad`."""


def resolve(tasks: Mapping[str, Task], hold_out: Sequence[str], *, listed: Iterable[str] = ()) -> HoldOut:
    """Tell training, measured and leaving tasks apart.

    `listed` are the tasks that the user asked for by name: one of them that must leave is an error.

    Raises:
        MixtureError: a name is neither cluster, task nor family; nothing is left to train; a listed task must leave.

    """
    named = {name: why for entry in hold_out for name, why in _looked_up(tasks, entry).items()}
    leaving = _by_rule(tasks, hold_out, named) | _by_family(tasks, named)
    training = tuple(name for name in tasks if name not in named and name not in leaving)
    for name in listed:
        if name in leaving:
            mend = "take it out, or hold out something else"
            raise MixtureError(f"tasks: {name} is listed and must leave: {leaving[name]}; {mend}")
    if not training:
        told = f"{list(hold_out)} leaves nothing to train on: {_told(named, leaving)}"
        raise MixtureError(f"hold_out: {told}; hold out less or add tasks")
    return HoldOut(training, tuple(sorted(named)), dict(sorted(leaving.items())))


def _looked_up(tasks: Mapping[str, Task], entry: str) -> dict[str, str]:
    clusters = {task.cluster for task in tasks.values()}
    families = {family for task in tasks.values() for family in task.families}
    if entry in clusters:
        return {name: f"cluster {entry}" for name, task in tasks.items() if task.cluster == entry}
    if entry in tasks:
        return {entry: f"task {entry}"}
    if entry in families:
        return {name: f"family {entry}" for name, task in tasks.items() if entry in task.families}
    known = clusters | set(tasks) | families
    raise MixtureError(
        f"hold_out: {entry} is neither a cluster, a task nor a family of this mixture; {nearest(entry, known)}"
    )


def _by_rule(tasks: Mapping[str, Task], hold_out: Sequence[str], named: Mapping[str, str]) -> dict[str, str]:
    clusters = {entry for entry in hold_out if any(task.cluster == entry for task in tasks.values())}
    pairs = {other: entry for entry in sorted(clusters) for other in LEAVE_TOGETHER.get(entry, ())}
    return {
        name: f"cluster {task.cluster} -> cluster {pairs[task.cluster]}"
        for name, task in tasks.items()
        if name not in named and task.cluster in pairs
    }


def _by_family(tasks: Mapping[str, Task], named: Mapping[str, str]) -> dict[str, str]:
    held = {family: name for name in sorted(named) for family in tasks[name].families}
    leaving = {}
    for name, task in tasks.items():
        shared = [family for family in task.families if family in held]
        if name not in named and shared:
            leaving[name] = f"{name} -> {held[shared[0]]} (family {shared[0]})"
    return leaving


def _told(named: Mapping[str, str], leaving: Mapping[str, str]) -> str:
    parts = [f"{len(named)} named", *([f"{len(leaving)} more with them"] if leaving else [])]
    return ", ".join(parts)
