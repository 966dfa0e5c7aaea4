"""URLs, through fsspec and whichever of its backends the user has installed.

In: a URL, chained with `::` where one lies in another (`zip://a.csv::data.zip`). Out: open files and names. What a
backend says no with becomes one kind of error; a backend that is not installed is told with its install line.
`datasets` brings fsspec itself.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from io import BufferedIOBase
from typing import Any

from instruction_kit.errors import SourceError, nearest

_OWN_ERRORS = {
    "aiohttp": "ClientError",
    "azure.core.exceptions": "AzureError",
    "botocore.exceptions": "BotoCoreError",
    "google.auth.exceptions": "GoogleAuthError",
}
"""Backends whose errors are no OSErrors: module -> the root of its errors."""


@contextmanager
def opened(url: str) -> Iterator[BufferedIOBase]:
    """The bytes behind a URL.

    Raises:
        SourceError: the backend is not installed, nothing is there, or it cannot be read.

    """
    with _told(url):
        system, path = _system(url)
        with system.open(path, "rb") as file:
            yield file


def exists(url: str) -> bool:
    """Whether there is a file."""
    with _told(url):
        system, path = _system(url)
        try:
            return bool(system.info(path)["type"] == "file")
        except FileNotFoundError as error:
            if isinstance(error.__cause__, _errors()) and not _absent(error.__cause__):
                raise error.__cause__ from error  # a server that refuses or does not answer, told as an absence
            return False


def _absent(error: BaseException) -> bool:
    return isinstance(error, FileNotFoundError) or getattr(error, "status", None) == HTTPStatus.NOT_FOUND


def beside(url: str) -> list[str]:
    """Names of the files where this one was looked for; none where the place cannot be listed."""
    with _told(url):
        system, path = _system(url)
        folder = path.rpartition("/")[0]
        try:
            return [name.rpartition("/")[2] for name in system.ls(folder, detail=False)]
        except (OSError, NotImplementedError):  # the latter is fsspec's word for a place that lists nothing
            return []


def matching(url: str) -> list[str]:
    """The URLs of the files that match a pattern."""
    with _told(url):
        system, path = _system(url)
        found = [name for name, about in system.glob(path, detail=True).items() if about["type"] == "file"]
    caches, inner, around = parts(url)
    protocol = inner.partition("://")[0]
    return ["::".join([*caches, name if "://" in name else f"{protocol}://{name}", *around]) for name in found]


def parts(url: str) -> tuple[list[str], str, list[str]]:
    """Of a chained URL: the caches in front, what names the file, and what it lies in.

    >>> parts("filecache::zip://a.csv::https://host/a.zip")
    (['filecache'], 'zip://a.csv', ['https://host/a.zip'])
    """
    chain = url.split("::")
    place = next(number for number, part in enumerate(chain) if "://" in part)
    return chain[:place], chain[place], chain[place + 1 :]


def _system(url: str) -> tuple[Any, str]:
    """The file system and the path in it. What lies in another file is opened anew, since that may have changed."""
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(url, **({"skip_instance_cache": True} if "::" in url else {}))
    except ImportError as error:
        raise SourceError(f"{url}: {_install_line(url)} ({error})") from error
    except ValueError as error:
        raise SourceError(f"{url}: {_unknown(url) or error}") from error
    return system, path


def _protocols(url: str) -> list[str]:
    return [part.partition("://")[0] for part in url.split("::") if "://" in part]


def _unknown(url: str) -> str:
    from fsspec import available_protocols

    known = available_protocols()
    absent = [protocol for protocol in _protocols(url) if protocol not in known]
    return f"no protocol {absent[0]}; {nearest(absent[0], known)}" if absent else ""


def _install_line(url: str) -> str:
    from fsspec import get_filesystem_class
    from fsspec.registry import known_implementations

    for protocol in _protocols(url):
        try:
            get_filesystem_class(protocol)
        except ImportError:
            package = str(known_implementations[protocol]["class"]).partition(".")[0]
            wanted = f"'fsspec[{protocol}]'" if package == "fsspec" else package
            return f"{protocol}:// needs a package that is not installed: pip install {wanted}"
    return "a package is not installed"


@contextmanager
def _told(url: str) -> Iterator[None]:
    try:
        yield
    except _errors() as error:
        detail = str(error).strip().split("\n")[0] or type(error).__name__
        raise SourceError(
            f"{url}: cannot be read ({detail}); check the address, the network and your access"
        ) from error


def _errors() -> tuple[type[Exception], ...]:
    loaded = [getattr(sys.modules[module], name) for module, name in _OWN_ERRORS.items() if module in sys.modules]
    return (OSError, *loaded)
