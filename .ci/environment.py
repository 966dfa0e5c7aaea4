"""Make `.venv`, or bring it up to date; where it is fresh, do nothing, quickly.

In: `pyproject.toml` and any Python. Out: `.venv` with the package (editable), its extras `fast`, `metrics`, `near`,
`qlora`, `tune` and `dev`, and a stamp that names what it was made from. The stamp is written last, so an install that
was interrupted is simply gone on with. A `.venv` whose Python is broken or of a version that the project does not
support is made anew. Started by an older Python, it starts itself again under one that the project supports.
"""

from __future__ import annotations  # an older Python must get as far as `main`

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "instruction-kit-stamp"
INSIDE = VENV / "bin" / "python"
TORCH = "torch==2.13.0"
"""What a machine without a GPU gets, before all else: the one release whose CPU build the tests run with."""


def main() -> None:
    """Leave a `.venv` that fits `pyproject.toml`, or end with a message and status 1."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    minors = supported(project)
    if sys.version_info[1] not in minors:
        python = find(minors)
        os.execv(python, [python, __file__])  # noqa: S606 - no shell is wanted
    lock = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)  # a second `make` waits for the first one; the lock ends with the process
    try:
        refresh(project, minors)
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd))
        sys.exit(f".venv is not complete: `{command}` failed. `make venv` goes on where it stopped.")
    finally:
        os.close(lock)


def supported(project: str) -> range:
    """Minor versions of Python 3 that `requires-python` allows."""
    found = re.search(r'^requires-python = ">=3\.(\d+),<3\.(\d+)"$', project, re.MULTILINE)
    if not found:
        sys.exit("pyproject.toml: requires-python is not of the form >=3.x,<3.y, which .ci/environment.py reads")
    return range(int(found[1]), int(found[2]))


def refresh(project: str, minors: range) -> None:
    """Make the environment where none works, and install into it where its stamp is not the wanted one."""
    if inside() not in minors:
        make(minors)
    wanted = stamp(project)
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted:
        return
    STAMP.unlink(missing_ok=True)
    install()
    STAMP.write_text(wanted, encoding="utf-8")


def inside() -> int | None:
    """Minor version of the Python in `.venv`; None where it does not start or has no pip."""
    return minor(INSIDE, needs="pip")


def minor(python: str | Path, *, needs: str) -> int | None:
    """Minor version of a Python 3 that starts and can import `needs`."""
    code = f"import sys, {needs}; print(sys.version_info[0] == 3 and sys.version_info[1])"
    try:
        answer = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return int(answer.stdout) if answer.stdout.strip().isdigit() else None


def make(minors: range) -> None:
    """Put an empty environment in place of whatever is there."""
    python = find(minors)
    print(f"Making .venv with {python}", flush=True)
    if VENV.exists():
        shutil.rmtree(VENV)
    subprocess.run([python, "-m", "venv", VENV], check=True)


def find(minors: range) -> str:
    """Take the first supported Python that can make environments: the running one, then the newest."""
    own = getattr(sys, "_base_executable", sys.executable)  # not the one inside a .venv that is about to be removed
    names = [own, *(f"python3.{number}" for number in reversed(minors))]
    for path in filter(None, map(shutil.which, names)):
        if minor(path, needs="venv, ensurepip") in minors:
            return path
    versions = ", ".join(f"3.{number}" for number in minors)
    sys.exit(
        f"No Python {versions} with venv and pip was found. Install one (on Debian and Ubuntu with its package "
        "python3-venv), or name one: make venv PYTHON=/path/to/python"
    )


def stamp(project: str) -> str:
    """Hash of what decides the content of `.venv`: versions, dependencies, and the folder that it points back to."""
    import tomllib  # not in the older Pythons that may start this file

    content = tomllib.loads(project)
    parts = [content["build-system"], content["project"], content["tool"]["hatch"], TORCH, inside(), str(ROOT)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def install() -> None:
    """Install the package with all that its tests need. Where there is no GPU, torch comes first and stays as it is."""
    fixed = [] if has_gpu() else [TORCH]
    pip = [str(INSIDE), "-m", "pip", "install", "--disable-pip-version-check"]
    print("Installing into .venv: some minutes the first time", flush=True)
    if fixed:
        subprocess.run([*pip, *fixed], check=True)
    subprocess.run([*pip, *fixed, "--editable", f"{ROOT}[fast,metrics,near,qlora,tune,dev]"], check=True)


def has_gpu() -> bool:
    """Ask the driver's own tool."""
    tool = shutil.which("nvidia-smi")
    return tool is not None and subprocess.run([tool, "-L"], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
