"""The command `instruction-kit`: what a shell can do with the library. Each command's work lies in the room that it
names.
"""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from instruction_kit.cli.app import app
from instruction_kit.errors import InstructionKitError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; an error of ours, or of the disk, is told in plain words, exit 1."""
    try:
        try:
            app(arguments)
        finally:
            sys.stdout.flush()  # while a full disk can still be told
    except InstructionKitError as error:
        _fail(str(error))
    except OSError as error:
        _drop_output()
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error))


def _drop_output() -> None:
    """What could not be written would be tried again when Python ends, and end in its own words."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(told: str) -> NoReturn:
    sys.stderr.write(f"error: {told}\n")
    sys.exit(1)


__all__ = ["main"]
