"""The command `instruction-kit`: what a shell can do with the library. Each command's work lies in the room that it
names.
"""

import sys
from collections.abc import Sequence
from typing import NoReturn

from instruction_kit.cli.app import app
from instruction_kit.errors import InstructionKitError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; an error of ours, or of the disk, is told in plain words, exit 1."""
    try:
        app(arguments)
    except InstructionKitError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error))


def _fail(told: str) -> NoReturn:
    sys.stderr.write(f"error: {told}\n")
    sys.exit(1)


__all__ = ["main"]
