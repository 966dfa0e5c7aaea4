"""How long the commands of an author take from cold: `list`, `preview`, and `check` over the whole library.

    python benchmarks/commands.py [--runs 5]

Each run is a process of its own. The quickest of them counts, in seconds on the clock and in seconds of CPU: where the
machine does much else, as its load says, only the latter mean anything.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from typing import Any

from machine import write_results

COMMANDS = {
    "list tasks": (["list", "tasks"], 0.5),
    "list templates": (["list", "templates"], None),
    "preview snli": (["preview", "snli"], 1.0),
    "check": (["check", "--library"], 20.0),
}
"""Arguments, and the seconds that are wanted."""


def measured(arguments: list[str], runs: int) -> dict[str, float]:
    """Seconds of the quickest run: on the clock, and of CPU."""
    clock, cpu = [], []
    for _ in range(runs):
        before, start = _cpu_seconds(), time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "instruction_kit.cli", *arguments], capture_output=True, check=False
        )
        clock.append(time.perf_counter() - start)
        cpu.append(_cpu_seconds() - before)
        if done.returncode not in (0, 1):  # 1: check has something to say
            raise SystemExit(done.stderr.decode())
    return {"seconds": round(min(clock), 3), "cpu_seconds": round(min(cpu), 3)}


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="of which the quickest counts")
    runs = parser.parse_args().runs
    results: dict[str, Any] = {"load": round(os.getloadavg()[0], 1)}
    for name, (arguments, wanted) in COMMANDS.items():
        results[name] = {**measured(arguments, runs), "wanted": wanted}
        sys.stdout.write(f"{name}: {results[name]}\n")
    sys.stdout.write(f"written to {write_results('commands', results)}\n")


if __name__ == "__main__":
    main()
