"""Builds that are killed at chosen moments and then gone on with: `python killed_build.py FOLDER MOMENT …`.

A moment is counted in calls that change the disk (sync, rename, remove), before and after each. At the chosen one the
process sends itself SIGKILL, and a file that was about to be synced loses its second half first, as in a power cut.
Each build runs in a process of its own, forked from one that has imported everything and computed nothing.
"""

import json
import os
import shutil
import signal
import stat
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from small_task import claims, lines, phrasings, recitals, task_file, verdicts

from instruction_kit import Mixture
from instruction_kit.build import shard

SHARD_PAIRS = 50


def mixture(folder: Path) -> Mixture:
    """Tasks of both roles over files and frames; rows lost at every stage; several shards of `SHARD_PAIRS`."""
    paths = (folder / "mine", phrasings(folder / "phrasings"))
    if not (folder / "mine").exists():
        task_file(folder / "mine", "lines", train=lines(30), test=lines(9, start=100))
    held = verdicts({"test": claims(8)}, name="held", cluster="judged")
    tasks = ["lines", verdicts(claims(40)), recitals(9), held]
    return Mixture(
        tasks=tasks, paths=paths, hold_out=["held"], num_validation=4, phrasings=2, budget={"characters": 160}
    )


class Moments:
    """Counts the calls that change the disk."""

    def __init__(self, last: int) -> None:
        self.last, self.count = last, 0

    def watch(self, owner: Any, name: str) -> None:
        call: Callable[..., Any] = getattr(owner, name)

        def watched(*args: Any, **options: Any) -> Any:
            self.tick(args[0] if name == "fsync" else None)
            result = call(*args, **options)
            self.tick(None)
            return result

        setattr(owner, name, watched)

    def tick(self, handle: int | None) -> None:
        self.count += 1
        if self.count == self.last:
            if handle is not None and stat.S_ISREG(os.fstat(handle).st_mode):
                os.ftruncate(handle, os.fstat(handle).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)


def forked(do: Callable[[], None]) -> int:
    """Run in a process of its own; the result is its exit status, negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            do()
        except BaseException as error:  # noqa: BLE001 - told and ended here, whatever it is
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def build(folder: Path, sources: Path, moment: int) -> None:
    shard.SHARD_PAIRS = SHARD_PAIRS
    os.environ["INSTRUCTION_KIT_CACHE"] = str(folder / "cache")
    moments = Moments(moment)
    for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "rename"), (Path, "unlink"), (shutil, "rmtree")):
        moments.watch(owner, name)
    mixture(sources).build(folder / "out")
    if not (folder / "moments").exists():  # else it is the second build
        (folder / "moments").write_text(str(moments.count), encoding="utf-8")


def main() -> None:
    folder = Path(sys.argv[1])
    told = {}
    for moment in map(int, sys.argv[2:]):
        place = folder / f"killed at {moment}"
        place.mkdir(parents=True)
        told[moment] = [forked(partial(build, place, folder / "sources", last)) for last in (moment, 0)]
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
