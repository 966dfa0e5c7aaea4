"""How units of work are run. A runner takes a function of a job and a unit, and units, and gives the results in the
order of the units.

What a unit does follows from job and unit alone, so a runner cannot change what is built. Each is a context, given a
job: `serial` here, local processes in `instruction_kit.build.process`. Of the job a runner hands on only the carried
form, which is plain data; of a unit, and of its result, what can be pickled.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from instruction_kit.build.job import Job
from instruction_kit.errors import BuildError
from instruction_kit.mixture.portable import task_objects

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

U = TypeVar("U")
R = TypeVar("R")


class Runner(Protocol):
    """Runs units of one job."""

    def __call__(self, do: Callable[[Job, U], R], units: Sequence[U]) -> Iterator[R]:
        """Give the result of each unit, in order; the first error in that order is raised."""


@contextmanager
def serial(job: Job) -> Iterator[Runner]:
    """One after another, in this process."""

    def run(do: Callable[[Job, U], R], units: Sequence[U]) -> Iterator[R]:
        return (do(job, unit) for unit in units)

    yield run


def runner(job: Job, *, num_proc: int, lock: int) -> AbstractContextManager[Runner]:
    """The runner for so many processes; `lock` is what owns the folder as long as it is open anywhere."""
    from instruction_kit.build.process import processes

    return serial(job) if num_proc == 1 else processes(job, num_proc=num_proc, lock=lock)


def check_num_proc(mixture: "Mixture", num_proc: int) -> None:
    """Refuse what cannot be run so.

    Raises:
        BuildError: it is no number of processes, or the mixture holds what other processes cannot read.

    """
    if num_proc < 1:
        raise BuildError(f"num_proc: {num_proc} is no number of processes; give 1 or more")
    if num_proc > 1 and (names := task_objects(mixture)):
        raise BuildError(
            f"num_proc: {', '.join(names)}: a Task object lives in this process alone; leave num_proc at 1, or write "
            "it as a task file, tasks/<cluster>/<task>.py in a folder of `paths`"
        )
