"""What is wrong with the names in a mixture: tasks, hold-outs, filters, weights, settings; all of it at once.

In: a mixture whose values are checked. Out: every problem that can be told. Where one problem hides what another name
would be looked up in, that name is looked up in all that lies on the search path.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from instruction_kit.errors import InstructionKitError, MixtureError, TaskError, TemplateError
from instruction_kit.holdout import unknown
from instruction_kit.mixture.choose import choose
from instruction_kit.mixture.rate import FixedWeights
from instruction_kit.mixture.serve import all_templates, served_by_none
from instruction_kit.mixture.subset import unknown as not_ordered
from instruction_kit.task.task import Task

if TYPE_CHECKING:
    from instruction_kit.mixture.mixture import Mixture


def raise_all(problems: Sequence[InstructionKitError]) -> None:
    """Raise all of them as one, a line each; of one kind, if they are.

    Raises:
        MixtureError: problems of the mixture, or of several kinds.
        TaskError: problems of task files alone.
        TemplateError: problems of template files alone.

    """
    kinds = {type(problem) for problem in problems}
    for kind in (TaskError, TemplateError):
        if kinds == {kind}:
            raise kind(_lines(problems))
    if problems:
        raise MixtureError(_lines(problems))


def _lines(problems: Sequence[InstructionKitError]) -> str:
    return "\n".join(dict.fromkeys(line for problem in problems for line in str(problem).split("\n")))


def problems(mixture: "Mixture") -> list[InstructionKitError]:
    """Everything that can be told."""
    if wrong := _raised(lambda: mixture.folders):
        return wrong
    tasks, unread = mixture.choice
    every = choose("all", folders=mixture.folders, data=mixture.data)[0] | tasks if unread else tasks
    lost = [*unread, *(MixtureError(why) for why in name_problems(mixture, every))]
    if not lost:
        lost = _raised(lambda: mixture.held_out)
    training = None if lost else mixture.held_out.training
    weights = [MixtureError(why) for why in _weight_problems(mixture, every, training)]
    if not lost:
        return [*weights, *_raised(lambda: mixture.templates)]
    return [*lost, *weights, *([] if unread else _served_by_none(mixture, tasks))]


def _raised(view: Callable[[], object]) -> list[InstructionKitError]:
    try:
        view()
    except (MixtureError, TaskError, TemplateError) as error:
        return [error]
    return []


def name_problems(mixture: "Mixture", tasks: Mapping[str, Task]) -> Iterator[str]:
    """Names to hold out and to filter by that mean nothing among these tasks."""
    yield from unknown(tasks, mixture.hold_out)
    yield from mixture.filter.problems(
        tasks, lambda: [t for of in all_templates(tasks, folders=mixture.folders)[0].values() for t in of]
    )


def _weight_problems(mixture: "Mixture", tasks: Mapping[str, Task], training: Sequence[str] | None) -> Iterator[str]:
    for path, part in mixture.homes.items():
        mine = {name: task.cluster for name, task in tasks.items() if mixture.home(name) == path}
        where = f"parts.{path}." if path else ""
        told = [*not_ordered(part, mine)]
        if isinstance(part.rates, FixedWeights):
            told += part.rates.unknown(mine)
            told += part.rates.missing({name: mine[name] for name in training or () if name in mine})
        yield from (f"{where}{why}" for why in told)


def _served_by_none(mixture: "Mixture", tasks: Mapping[str, Task]) -> list[InstructionKitError]:
    """Settings that no chosen task serves, whichever of them will train or be measured."""
    found, _ = all_templates(tasks, folders=mixture.folders)
    read = {name: task for name, task in tasks.items() if name in found}
    return [
        MixtureError(why)
        for path, part in mixture.homes.items()
        for why in served_by_none(
            f"parts.{path}.settings" if path else "settings",
            list(part.settings),
            {name: task for name, task in read.items() if mixture.home(name) == path},
            found,
            part.exemplars.source,
        )
    ]
