"""Where files lie: what a task calls them, where that is on this machine, and what reports call them.

In: names as a task gives them, paths or URLs. Out: addresses to open, and portable names without what only this machine
knows. A name with a `*` stands for all files that match, by code points: the same order on every machine.
"""

import glob
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from instruction_kit.errors import SourceError, nearest
from instruction_kit.source import remote
from instruction_kit.source.raw import Where

_LOCAL = ("file://", "local://")


def is_url(name: str) -> bool:
    """Whether fsspec opens it."""
    return "://" in name


def is_pattern(name: str) -> bool:
    """Whether a name stands for all files that it matches."""
    return "*" in name


def holds_password(name: str) -> bool:
    """Whether a URL gives away what no file should hold."""
    return any(urlsplit(part).password for part in name.split("::") if is_url(part))


def located(name: str, where: Where) -> str:
    """The address on this machine: a relative path resolves, also where it is the file that a URL looks into."""
    *outer, last = name.split("::") if is_url(name) else [name]
    return "::".join([*outer, last if is_url(last) else str(where.resolve(last))])


def existing(name: str, where: Where) -> str:
    """The address of a file that is there.

    Raises:
        SourceError: it is not; told with the nearest one beside it.

    """
    address = located(name, where)
    if is_url(name):
        if not remote.exists(address):
            raise SourceError(
                f"{address}: no such file; {nearest(PurePosixPath(remote.parts(name)[1]).name, remote.beside(address))}"
            )
    elif not Path(address).is_file():
        raise SourceError(f"{address}: no such file; {_instead(Path(address))} ({_base(where)})")
    return address


def _instead(path: Path) -> str:
    if path.is_dir():
        return f"it is a folder; for the files in it write a pattern such as {path.name}/*"
    if not path.parent.is_dir():
        return "the folder does not exist either"
    return nearest(path.name, [file.name for file in path.parent.iterdir()])


def _base(where: Where) -> str:
    if where.data_dir:
        return "paths are relative to data_dir"
    return "paths are relative to the folder of the task file; set data_dir (--data-dir) if the data lie elsewhere"


def matching(pattern: str, where: Where) -> list[str]:
    """The names that match a pattern.

    Raises:
        SourceError: there is none.

    """
    found = _remote(pattern, where) if is_url(pattern) else _local(pattern, where)
    if not found:
        told = "" if is_url(pattern) else f" ({_base(where)})"
        raise SourceError(f"{located(pattern, where)}: no file matches{told}")
    return sorted(found)


def _local(pattern: str, where: Where) -> list[str]:
    names = glob.glob(pattern, root_dir=where.resolve(""), recursive=True)  # noqa: PTH207 - Path.glob takes no absolute one
    return [Path(name).as_posix() for name in names if where.resolve(name).is_file()]


def _remote(pattern: str, where: Where) -> list[str]:
    """In the words of the task: what the last part resolved to is put back."""
    resolved, said = located(pattern, where).rpartition("::")[2], pattern.rpartition("::")[2]
    found = remote.matching(located(pattern, where))
    return [f"{name.removesuffix(resolved)}{said}" for name in found] if "::" in pattern else found


def portable(name: str, names: Iterable[str]) -> str:
    """A name for row ids and reports: a path that is absolute loses what all absolute ones of the source share."""
    *outer, last = name.split("::") if is_url(name) else [name]
    absolute = _absolute(last)
    if absolute is None:
        return name
    fixed = [path for other in names if (path := _absolute(other.rpartition("::")[2]))]
    shared = os.path.commonpath([PurePosixPath(path.partition("*")[0] + "_").parent for path in fixed])
    return "::".join([*outer, PurePosixPath(absolute).relative_to(shared).as_posix()])


def _absolute(name: str) -> str | None:
    """The path of what lies on this machine under an absolute one."""
    for scheme in _LOCAL:
        if name.startswith(scheme):
            return name.removeprefix(scheme)
    return name if Path(name).is_absolute() else None
