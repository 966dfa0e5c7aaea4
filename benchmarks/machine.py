"""Where and when figures were measured: results go in, a file under `benchmarks/results/` comes out.

A file is named by what was measured and on what kind of device; a later run takes its place. It holds no host name.
"""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = ("instruction-kit", "polars", "datasets", "tokenizers", "torch", "transformers", "trl")


def write_results(name: str, results: Mapping[str, Any], *, device: str = "cpu", packages: Sequence[str] = ()) -> Path:
    """Write what was measured beside the hardware, the versions and the date."""
    record = {
        "measured": name,
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _commit(),
        "hardware": hardware(device),
        "versions": {"python": platform.python_version(), **_versions((*PACKAGES, *packages))},
        "results": results,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}_{device.partition(':')[0]}.json"
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return path


def hardware(device: str) -> dict[str, Any]:
    """Name the processor, the cores that this process may use, the memory, and the GPU where it is asked for."""
    found: dict[str, Any] = {"processor": _processor(), "cores": len(os.sched_getaffinity(0)), "memory_gib": _memory()}
    if device.startswith("cuda"):
        import torch

        found["gpu"] = torch.cuda.get_device_name(device)
    return found


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _versions(packages: Sequence[str]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _commit() -> str:
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"
