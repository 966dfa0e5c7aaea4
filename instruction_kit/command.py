"""A program of ours in a shell: where it writes, and how it ends.

In: a typer app. Out: an exit status. What is wrong with what it was given, or with the disk, is told in a line, exit 1.
A reader that stops reading (`| head -1`) ends it as it ends any Unix tool, with nothing said.
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import typer
from rich.console import Console

from instruction_kit.errors import InstructionKitError

READER_GONE = 128 + 13
"""What a shell reports of a tool that wrote to nobody: 128, and the number of SIGPIPE."""


class Output(Console):
    """A console whose reader may stop reading, and may want plain text.

    Rich by itself takes `NO_COLOR` for colours alone, and goes on with bold, dim and reverse.
    """

    def __init__(self, **options: Any) -> None:
        plain = {"color_system": None} if os.environ.get("NO_COLOR") else {}
        super().__init__(**(options | plain))

    def on_broken_pipe(self) -> NoReturn:
        """Rich asks here what to do then; its own answer is exit 1."""
        _reader_gone()


def write(text: str) -> None:
    """Write to standard output, with nothing added."""
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        _reader_gone()


def run(app: typer.Typer, arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and exit where it does not end well."""
    try:
        try:
            app(arguments)
        finally:
            sys.stdout.flush()  # while a full disk can still be told
    except InstructionKitError as error:
        _fail(str(error))
    except BrokenPipeError:
        _reader_gone()
    except OSError as error:
        _drop_output()
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error))


def run_alone(program: Callable[..., Any]) -> None:
    """Run a command line of one command, whose options are the function's arguments."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(program)
    run(app)


def _drop_output() -> None:
    """What could not be written would be tried again when Python ends, and end in its own words."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _reader_gone() -> NoReturn:
    _drop_output()
    sys.exit(READER_GONE)


def _fail(told: str) -> NoReturn:
    sys.stderr.write(f"error: {told}\n")
    sys.exit(1)
