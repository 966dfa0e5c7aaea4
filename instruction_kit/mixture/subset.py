"""Which of the tasks that could train do: the first clusters, the first tasks of each, so many in all.

In: tasks by cluster and a part's numbers. Out: the tasks that stay, and why the others leave. Clusters and tasks stand
in one order, those that the mixture names before the others, which follow by hash; so a larger number keeps all that a
smaller one keeps.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from instruction_kit import choice
from instruction_kit.errors import MixtureError, nearest
from instruction_kit.mixture.part import Part


def leaving(part: Part, tasks: Mapping[str, str], *, seed: int) -> dict[str, str]:
    """Task -> why it does not train, given the cluster of each that could.

    Raises:
        MixtureError: `order` names what is not there, or there are fewer than are asked for.

    """
    if problems := [*_problems(part, tasks)]:
        raise MixtureError("\n".join(problems))
    clusters: dict[str, list[str]] = {}
    for name in _ordered(sorted(tasks), part.order or (), seed, "task order"):
        clusters.setdefault(tasks[name], []).append(name)
    first = dict.fromkeys(tasks.get(name, name) for name in part.order or ())  # a task brings its cluster forward
    order = _ordered(sorted(clusters), [*first], seed, "cluster order")
    gone: dict[str, str] = {}
    for cluster in order[part.num_clusters :] if part.num_clusters else ():
        told = f"cluster {cluster} is not among the first {part.num_clusters}"
        gone |= dict.fromkeys(clusters[cluster], f"{told} (num_clusters)")
    kept = [clusters[cluster] for cluster in order[: part.num_clusters]]
    if part.num_tasks_per_cluster:
        told = f"not among the first {part.num_tasks_per_cluster} of its cluster (num_tasks_per_cluster)"
        gone |= dict.fromkeys((name for names in kept for name in names[part.num_tasks_per_cluster :]), told)
    turns = [name for turn in zip_longest(*kept) for name in turn if name and name not in gone]
    if part.num_tasks:
        if part.num_tasks > len(turns):
            raise MixtureError(f"num_tasks: {part.num_tasks}, and there are only {len(turns)} that could train")
        told = f"not among the first {part.num_tasks} (num_tasks)"
        gone |= dict.fromkeys(turns[part.num_tasks :], told)
    return gone


def _problems(part: Part, tasks: Mapping[str, str]) -> Iterator[str]:
    there = len(set(tasks.values()))
    if part.num_clusters and part.num_clusters > there:
        yield f"num_clusters: {part.num_clusters}, and there are only {there} that could train"
    if part.order and not (part.num_clusters or part.num_tasks or part.num_tasks_per_cluster):
        yield "order: says which come first, and all are taken; give num_clusters, num_tasks or num_tasks_per_cluster"


def unknown(part: Part, tasks: Mapping[str, str]) -> Iterator[str]:
    """Names in `order` that are nothing among these tasks, given the cluster of each."""
    known = {*tasks, *tasks.values()}
    for name in part.order or ():
        if name not in known:
            yield f"order: {name} is neither a task nor a cluster of this mixture; {nearest(name, known)}"


def _ordered(names: Sequence[str], first: Sequence[str], seed: int, what: str) -> list[str]:
    keys = dict(zip(names, choice.keys(choice.row_hashes(names), seed, what).tolist(), strict=True))
    places = {name: place for place, name in enumerate(first)}
    return sorted(names, key=lambda name: (places.get(name, len(places)), keys[name]))
