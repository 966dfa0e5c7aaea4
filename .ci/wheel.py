"""Install the wheel alone into empty environments, one for each Python that is at hand, and use it as a newcomer would.

In: the checkout. Out: one line a step, or the output of the step that failed and status 1. `--tune` also installs the
extra `tune` under the running Python, with the CPU build of torch, and tunes and measures a small model.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from environment import ROOT, TORCH, supported

MIXTURE = """\
tasks: [rte, sst2, gsm8k]
hold_out: [natural_language_inference]
data: sample
num_validation: 2
"""

READ = """\
from datasets import load_dataset
assert load_dataset("out", "train", split="train").num_rows
assert load_dataset("out", "held_out").num_rows
"""

MODEL = """\
from datasets import load_dataset
from instruction_kit.training.toy import make_toy
rows = load_dataset("out", "train", split="train")
make_toy("model", (row["prompt"] + row["completion"] for row in rows), vocab_size=400, hidden_size=32, num_layers=1)
"""


def main() -> None:
    """Build the wheel, then try it under every Python."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tune", action="store_true", help="try the extra `tune` under the running Python")
    tune = parser.parse_args().tune
    with tempfile.TemporaryDirectory(prefix="instruction-kit-wheel-") as folder:
        wheel = build(Path(folder))
        minors = supported((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        tried = [minor for minor in minors if attempt(Path(folder) / str(minor), wheel, minor)]
        if not tried:
            sys.exit("no Python that the project supports was found")
        if tune:
            tuned(Path(folder) / "tune", wheel)


def build(folder: Path) -> Path:
    """Build the wheel in a folder of its own."""
    step("wheel", [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder], cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def attempt(folder: Path, wheel: Path, minor: int) -> bool:
    """Use the wheel under one Python; False where this machine has none."""
    python = find(minor)
    if python is None:
        print(f"3.{minor}: not on this machine, not tried", flush=True)
        return False
    inside = environment(folder, python, [str(wheel)], label=f"3.{minor}")
    command = inside / "instruction-kit"
    for arguments in (["list", "tasks"], ["check"], ["plan", "mixture.yaml"], ["build", "mixture.yaml", "out"]):
        step(f"3.{minor}: {' '.join(arguments)}", [command, *arguments], cwd=folder)
    step(f"3.{minor}: load_dataset", [inside / "python", "-c", READ], cwd=folder)
    return True


def tuned(folder: Path, wheel: Path) -> None:
    """Use the extra `tune` under the Python that runs this."""
    inside = environment(folder, sys.executable, [TORCH, f"{wheel}[tune]"], label="tune")
    python = inside / "python"
    step("tune: build", [inside / "instruction-kit", "build", "mixture.yaml", "out"], cwd=folder)
    step("tune: model", [python, "-c", MODEL], cwd=folder)
    flags = ["--dataset_name", "out", "--model_name_or_path", "model", "--output_dir", "tuned", "--max_steps", "2"]
    step("tune: finetune", [python, "-m", "instruction_kit.training.finetune", *flags, "--use_cpu", "true"], cwd=folder)
    measure = ["--dataset_name", "out", "--model_name_or_path", "tuned", "--output_dir", "report"]
    measure += ["--rows_per_task", "2"]
    step("tune: evaluate", [python, "-m", "instruction_kit.evaluation.evaluate", *measure], cwd=folder)


def find(minor: int) -> str | None:
    """Path of a Python 3.`minor`; pyenv's shims start the version that the environment names."""
    command = [f"python3.{minor}", "-c", "import sys, venv; print(sys.executable)"]
    told = {**os.environ, "PYENV_VERSION": f"3.{minor}"}
    try:
        answer = subprocess.run(command, env=told, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


def environment(folder: Path, python: str, packages: list[str], *, label: str) -> Path:
    """Make an empty environment with these packages; the result is its folder of commands."""
    folder.mkdir()
    (folder / "mixture.yaml").write_text(MIXTURE, encoding="utf-8")
    step(f"{label}: venv", [python, "-m", "venv", folder / "venv"], cwd=folder)
    inside = folder / "venv" / "bin"
    pip = [inside / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for package in packages:
        step(f"{label}: install", [*pip, package], cwd=folder)
    return inside


def step(label: str, command: list[object], *, cwd: Path) -> None:
    """Run one command with nothing of this checkout in sight."""
    began = time.monotonic()
    outside = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=outside, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{label}: FAILED\n{done.stdout}{done.stderr}")
    print(f"{label}: ok, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
