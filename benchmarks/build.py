"""How long a build takes in one process and in several.

    python benchmarks/build.py MIXTURE.yaml --data-dir RAW [--num-proc 1 2]

Each build is a process of its own over files that nothing has read before, with a cache of scans of its own. Seconds
are told by the clock and by the processors (of all its processes): on a machine that others use too, the clock says
less. That the folders are the same, byte by byte, is looked at.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import write_results


def main() -> None:
    """Measure, compare, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mixture", type=Path)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--num-proc", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    options = ["--data-dir", str(arguments.data_dir)] if arguments.data_dir else []
    results: dict[str, Any] = {"load": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / str(number) for number in arguments.num_proc]
        for number, place in zip(arguments.num_proc, places, strict=True):
            results[f"{number}_processes"] = measured(
                [str(arguments.mixture), str(place / "built"), *options, "--num-proc", str(number)], place / "cache"
            )
            print(number, results[f"{number}_processes"], flush=True)
        if any(contents(place / "built") != contents(places[0] / "built") for place in places):
            raise SystemExit("the folders differ")
    print(f"the folders are the same; written to {write_results('build_real', results)}")


def measured(arguments: list[str], cache: Path) -> dict[str, float]:
    """Seconds on the clock and of CPU."""
    before, start = _cpu_seconds(), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "instruction_kit.cli", "build", *arguments],
        env={**os.environ, "INSTRUCTION_KIT_CACHE": str(cache)},
        capture_output=True,
        check=True,
    )
    seconds = time.perf_counter() - start
    return {"seconds": round(seconds, 1), "cpu_seconds": round(_cpu_seconds() - before, 1)}


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def contents(folder: Path) -> dict[str, bytes]:
    """Every file by its name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


if __name__ == "__main__":
    main()
