"""The command `instruction-kit`: what a shell can do with the library. Each command's work lies in the room that it
names.
"""

import sys

from instruction_kit.cli.app import app
from instruction_kit.errors import InstructionKitError


def main() -> None:
    """Run the command; an error of ours is told in plain words, exit 1."""
    try:
        app()
    except InstructionKitError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)


__all__ = ["main"]
