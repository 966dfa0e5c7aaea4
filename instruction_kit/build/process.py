"""Local processes: the runner that has several Python processes of this machine do the units.

In: a job. Out: a runner whose results come in the order of the units. Each process is begun anew, not forked, because
Polars has threads; and it runs `instruction_kit.build.worker` and never the script that called, so a script needs no
`if __name__ == "__main__"`. They keep the lock of the folder, so no build can begin while one is left that writes.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import wait
from subprocess import DEVNULL, Popen, TimeoutExpired
from typing import Any

from instruction_kit.build.job import Job
from instruction_kit.build.runner import R, Runner, U
from instruction_kit.build.worker import Outcome
from instruction_kit.errors import BuildError

BEGIN = """\
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from instruction_kit.build.worker import main
main(int(sys.argv[2]))
"""
THREADS = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "RAYON_NUM_THREADS")
"""What says how many threads Polars, Arrow and tokenizers take; nothing that is built depends on it."""
GRACE_SECONDS = 10
"""So long a process that is told to stop may take to remove what it has half written."""


@contextmanager
def processes(job: Job, *, num_proc: int, lock: int) -> Iterator[Runner]:
    """Several at once; none is left when the block ends."""
    pool = _Pool(job.carried(), num_proc, lock)
    try:
        yield pool.run
    finally:
        pool.end()


class _Pool:
    """The processes, begun when there is work for them."""

    def __init__(self, carried: Mapping[str, Any], num_proc: int, lock: int) -> None:
        self._carried, self._num_proc, self._lock = carried, num_proc, lock
        self._workers: list[_Worker] = []

    def run(self, do: Callable[[Job, U], R], units: Sequence[U]) -> Iterator[R]:
        """Hand out the units in order, each to whoever is idle; after an error no more."""
        self._grow(min(self._num_proc, len(units)))
        ahead: Iterator[tuple[int, U]] = iter(enumerate(units))
        done: dict[int, Outcome] = {}
        idle = [*self._workers]
        busy: dict[Any, tuple[_Worker, int]] = {}
        for number in range(len(units)):
            while number not in done:
                while idle and (offer := next(ahead, None)):
                    worker = idle.pop()
                    worker.ask(do, offer[1])
                    busy[worker.line] = (worker, offer[0])
                for line in wait(list(busy)):
                    worker, place = busy.pop(line)
                    done[place] = worker.outcome()
                    ahead = iter(()) if done[place].error else ahead
                    idle.append(worker)
            outcome = done.pop(number)
            if outcome.error:
                raise outcome.error
            yield outcome.value

    def _grow(self, count: int) -> None:
        before = len(self._workers)
        for _ in range(count - before):
            self._workers.append(_Worker(self._lock, num_proc=self._num_proc))
        for worker in self._workers[before:]:  # when all have begun to begin
            worker.tell(self._carried)

    def end(self) -> None:
        """Stop all of them, whatever they are at."""
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            try:
                worker.process.wait(GRACE_SECONDS)
            except TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            worker.line.close()


class _Worker:
    """One process, and the connection to it."""

    def __init__(self, lock: int, *, num_proc: int) -> None:
        self._unit: Any = None
        self.line, theirs = Pipe()
        with theirs:
            command = [sys.executable, "-c", BEGIN, json.dumps(sys.path), str(theirs.fileno())]
            self.process = Popen(  # noqa: S603 - this very Python
                command,
                env={**dict.fromkeys(THREADS, str(max(1, _cores() // num_proc))), **os.environ},
                stdin=DEVNULL,
                pass_fds=(theirs.fileno(), lock),
                process_group=0,  # Ctrl-C is for the process that called, which ends the others
            )

    def ask(self, do: Callable[[Job, U], R], unit: U) -> None:
        """Have it do a unit."""
        self._unit = unit
        self.tell((do, unit))

    def tell(self, what: Any) -> None:
        """Send something.

        Raises:
            BuildError: it is gone.

        """
        try:
            self.line.send(what)
        except OSError as error:
            raise self._gone() from error

    def outcome(self) -> Outcome:
        """What became of its unit.

        Raises:
            BuildError: it is gone.

        """
        try:
            found: Outcome = self.line.recv()
        except (EOFError, OSError) as error:
            raise self._gone() from error
        return found

    def _gone(self) -> BuildError:
        code = self.process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended by itself with exit status {code}"
        where = f" while it did {self._unit}" if self._unit else ""
        mend = "if memory ran out, give a smaller num_proc; run the same build again, and it goes on where it stopped"
        return BuildError(f"a worker process {how}{where}; {mend}")


def _cores() -> int:
    """Those that this process may use, where the system says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
