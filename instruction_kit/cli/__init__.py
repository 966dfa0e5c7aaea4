"""The command `instruction-kit`: what a shell can do with the library. Each command's work lies in the room that it
names.
"""

from collections.abc import Sequence

from instruction_kit.cli.app import app
from instruction_kit.command import run


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    run(app, arguments)


__all__ = ["main"]
