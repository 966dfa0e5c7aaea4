"""What leaves the training side, and why.

In: the tasks of a mixture and the names to hold out. Out: which are measured, which leave with them and by which path,
and which train. A name is looked up as cluster, then task, then family. What is named leaves and is measured; what
meets it by a pair rule or a shared family leaves too, is not measured, and takes nobody further.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
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


NOT_BUILT = "only what is held out is built (only: held_out)"
NO_TRAIN = "has no train split, so it can only be held out"


@dataclass(frozen=True)
class HoldOut:
    """The tasks of a mixture, told apart."""

    training: tuple[str, ...]
    measured: tuple[str, ...]
    leaving: Mapping[str, str]
    """Task -> the path by which it leaves, as in `qnli -> squad`."""

    def less(self, gone: Mapping[str, str]) -> "HoldOut":
        """The same without tasks that do not train for another reason."""
        training = tuple(name for name in self.training if name not in gone)
        return HoldOut(training, self.measured, dict(sorted({**self.leaving, **gone}.items())))


def resolve(
    tasks: Mapping[str, Task],
    hold_out: Sequence[str],
    *,
    rotation: int | None = None,
    listed: Collection[str] = (),
    filtered: Mapping[str, str] | None = None,
    trainless: Collection[str] = (),
    only_held_out: bool = False,
) -> HoldOut:
    """Tell training, measured and leaving tasks apart.

    `listed` are the tasks that the user asked for by name: one of them that must leave is an error. `filtered` leave
    before anything is looked up, each with its reason; `trainless` have no rows to train on. With a `rotation` those
    whose turn it is are held out, too. With `only_held_out` nothing trains, and what would have leaves.

    Raises:
        MixtureError: a name is neither cluster, task nor family; nothing is left to train, or to measure where only
            that is asked for; a listed task must leave.

    """
    gone = dict(filtered or {})
    wrong = [*unknown(tasks, hold_out), *_filtered_away(tasks, hold_out, gone)]
    here = {name: task for name, task in tasks.items() if name not in gone}
    named = {name for entry in hold_out for name in _looked_up(here, entry)}
    named |= rotated({name: task for name, task in here.items() if name not in trainless}, rotation)
    leaving = _by_rule(here, hold_out, named) | _by_family(here, named)
    unable = {name: f"{name} {NO_TRAIN}" for name in trainless if name in here and name not in {*named, *leaving}}
    wrong += _listed_problems(listed, gone, leaving, unable)
    training = tuple(name for name in here if name not in {*named, *leaving, *unable})
    if only_held_out and not named and not wrong:
        wrong.append("only: held_out, and nothing is held out; name clusters, tasks or families in hold_out")
    if not training and not only_held_out and not wrong:
        wrong.append(_nothing_left(hold_out, sorted(named), leaving, unable, gone))
    if wrong:
        raise MixtureError("\n".join(wrong))
    found = HoldOut(training, tuple(sorted(named)), dict(sorted((gone | leaving | unable).items())))
    return found.less(dict.fromkeys(training, NOT_BUILT)) if only_held_out else found


def rotated(tasks: Mapping[str, Task], turn: int | None) -> set[str]:
    """One task of every cluster that has others, with its siblings: those of the cluster that share a family with it.

    After `generate_intra_cluster_splits` in google-research/FLAN, flan/task_splits.py. Turns go by the names of tasks,
    and begin again where a cluster has had all.
    """
    found: set[str] = set()
    for cluster in {task.cluster for task in tasks.values()} if turn is not None else ():
        siblings = _siblings({name: task for name, task in tasks.items() if task.cluster == cluster})
        if len(siblings) > 1 and turn is not None:
            found |= siblings[turn % len(siblings)]
    return found


def _siblings(tasks: Mapping[str, Task]) -> list[set[str]]:
    """Tasks that share a family, directly or over others, together; in the order of their first names."""
    groups: list[tuple[set[str], set[str]]] = []
    for name, task in tasks.items():
        met = [group for group in groups if group[1] & {*task.families}]
        names, families = {name}.union(*(g[0] for g in met)), {*task.families}.union(*(g[1] for g in met))
        groups = [*(group for group in groups if group not in met), (names, families)]
    return sorted((names for names, _ in groups), key=min)


def unknown(tasks: Mapping[str, Task], hold_out: Sequence[str]) -> Iterator[str]:
    """Names to hold out that are nothing among these tasks."""
    for entry in hold_out:
        if not _looked_up(tasks, entry):
            known = {name for name, task in tasks.items() for name in (name, task.cluster, *task.families)}
            told = nearest(entry, known)
            yield f"hold_out: {entry} is neither a cluster, a task nor a family of this mixture; {told}"


def _looked_up(tasks: Mapping[str, Task], entry: str) -> list[str]:
    """A cluster's tasks, else the task, else a family's tasks."""
    if found := [name for name, task in tasks.items() if task.cluster == entry]:
        return found
    return [entry] if entry in tasks else [name for name, task in tasks.items() if entry in task.families]


def _filtered_away(tasks: Mapping[str, Task], hold_out: Sequence[str], gone: Mapping[str, str]) -> Iterator[str]:
    """Names to hold out of which the filters leave nothing to measure."""
    for entry in hold_out:
        found = _looked_up(tasks, entry)
        if found and all(name in gone for name in found):
            why = "; ".join(f"{name}: {gone[name]}" for name in found)
            yield f"hold_out: the filters leave nothing of {entry} ({why}); hold out something else, or filter less"


def _listed_problems(
    listed: Collection[str], gone: Mapping[str, str], leaving: Mapping[str, str], unable: Mapping[str, str]
) -> Iterator[str]:
    for name in dict.fromkeys(listed):
        if name in gone:
            yield f"tasks: {name} is listed and must leave: {gone[name]}; take it out, or filter less"
        if name in leaving:
            yield f"tasks: {name} is listed and must leave: {leaving[name]}; take it out, or hold out something else"
        if name in unable:
            yield f"tasks: {unable[name]}; add it to hold_out, or take it out"


def _nothing_left(
    hold_out: Sequence[str],
    named: Sequence[str],
    leaving: Mapping[str, str],
    unable: Mapping[str, str],
    gone: Mapping[str, str],
) -> str:
    if not named:
        why = "; ".join([*unable.values(), *(f"{name}: {gone[name]}" for name in gone)])
        return f"tasks: nothing is left to train on: {why}; add tasks{' or filter less' if gone else ''}"
    counts = ((leaving, "more with them"), (unable, "without a train split"), (gone, "filtered away"))
    told = ", ".join([f"{len(named)} named", *(f"{len(names)} {why}" for names, why in counts if names)])
    return f"hold_out: {list(hold_out)} leaves nothing to train on: {told}; hold out less or add tasks"


def _by_rule(tasks: Mapping[str, Task], hold_out: Sequence[str], named: Collection[str]) -> dict[str, str]:
    clusters = {entry for entry in hold_out if any(task.cluster == entry for task in tasks.values())}
    pairs = {other: entry for entry in sorted(clusters) for other in LEAVE_TOGETHER.get(entry, ())}
    return {
        name: f"cluster {task.cluster} -> cluster {pairs[task.cluster]}"
        for name, task in tasks.items()
        if name not in named and task.cluster in pairs
    }


def _by_family(tasks: Mapping[str, Task], named: Collection[str]) -> dict[str, str]:
    held = {family: name for name in sorted(named) for family in tasks[name].families}
    leaving = {}
    for name, task in tasks.items():
        shared = [family for family in task.families if family in held]
        if name not in named and shared:
            leaving[name] = f"{name} -> {held[shared[0]]} (family {shared[0]})"
    return leaving
