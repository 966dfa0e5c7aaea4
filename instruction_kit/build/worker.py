"""A worker process: does the units that it is sent, one after another, until the process that began it ends.

In: over a connection, a job in its carried form, then functions with units. Out: an `Outcome` of each. It reads tasks
and templates itself, by path, and checks that they are those of the job; no task is ever handed to it.
"""

import os
import pickle
import signal
import traceback
from collections.abc import Callable, Mapping
from functools import cached_property
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

from instruction_kit.build.job import Job, opened
from instruction_kit.errors import InstructionKitError

Asked = tuple[Callable[[Job, Any], Any], Any]
"""What to do, and with which unit."""


class Outcome(NamedTuple):
    """What became of one unit."""

    value: Any = None
    error: Exception | None = None


def main(handle: int) -> None:
    """Work for the process at the other end of a connection.

    It is told to stop by SIGTERM, so that files which are half written go; where that process is gone, at once.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what a task file's code raises is caught, this is not
    line: Connection[Any, Any] = Connection(handle)
    asked: SimpleQueue[Asked] = SimpleQueue()
    try:
        work = _Work(line.recv())
        Thread(target=_listen, args=(line, asked), daemon=True).start()
        while True:
            line.send(work.outcome(*asked.get()))
    except (KeyboardInterrupt, EOFError, OSError):
        os._exit(0)  # no thread of a library is waited for


def _listen(line: "Connection[Any, Any]", asked: "SimpleQueue[Asked]") -> None:
    """A thread of its own, so that the end of the other process is seen while a unit is done."""
    try:
        while True:
            asked.put(line.recv())
    except (EOFError, OSError):
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a worker that hears no more would be waited for
        traceback.print_exc()
        os._exit(1)


class _Work:
    """The job, opened when the first unit comes, so that what is wrong with it is an outcome, too."""

    def __init__(self, carried: Mapping[str, Any]) -> None:
        self._carried = carried

    @cached_property
    def _job(self) -> Job:
        return opened(self._carried)

    def outcome(self, do: Callable[[Job, Any], Any], unit: Any) -> Outcome:
        """Do one unit."""
        try:
            return Outcome(do(self._job, unit))
        except Exception as error:  # noqa: BLE001 - it is raised in the other process
            return Outcome(error=_handed(error))


def _handed(error: Exception) -> Exception:
    """As it can be raised in the other process; one that is not of ours says where it came from."""
    if not isinstance(error, InstructionKitError):
        error.add_note(f"In a worker process:\n{traceback.format_exc()}")
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - what was made in the line above
    except Exception:  # noqa: BLE001 - whatever its class raises
        told = RuntimeError(f"{type(error).__name__}: {error}")
        told.add_note("\n".join(getattr(error, "__notes__", [])))
        return told
    return error
