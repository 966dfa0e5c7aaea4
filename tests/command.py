"""The command `instruction-kit` as a shell sees it: arguments go in; exit code, output and errors come out."""

import io
import os
import pty
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from instruction_kit.cli import console, main

INSTALLED = Path(sys.executable).with_name("instruction-kit")


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


def command(*arguments: str | Path) -> Outcome:
    """In this process, through the function that the installed command calls."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            return Outcome(int(stop.code or 0), out.getvalue(), err.getvalue())
    return Outcome(0, out.getvalue(), err.getvalue())


def refused(*arguments: str | Path) -> str:
    """The one message of a command that ends with exit 1 and prints nothing else."""
    code, out, err = command(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    return err.removeprefix("error: ").removesuffix("\n")


def on_a_terminal(*arguments: str | Path) -> list[str]:
    """The lines that a command which ends well writes to a terminal of 80 columns, wherever the tests run."""
    with patch.multiple(console.out, _force_terminal=True, _width=80, _height=25):
        code, out, err = command(*arguments)
    assert code == 0, err
    return out.splitlines()


def on_a_real_terminal(*arguments: str | Path, columns: int = 80) -> list[str]:
    """As the installed command does it, on a terminal that the system makes."""
    above, below = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    with subprocess.Popen([INSTALLED, *arguments], stdout=below, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(below)
        parts = []
        with suppress(OSError):  # how Linux says that the other end is closed
            while part := os.read(above, 65536):
                parts.append(part)
    os.close(above)
    assert process.returncode == 0
    return re.sub(r"\x1b\[[\d;]*m", "", b"".join(parts).decode()).splitlines()
