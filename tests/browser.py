"""A real browser, told what to do over a pipe (the Chrome DevTools Protocol): a page at a width, and what it says.

Only where a Chromium is installed: none is among Python's packages.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any, BinaryIO, Self

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe")
HEIGHT = 900
PATIENCE = 60
"""Seconds; a browser that cannot run here must fail a test, not hold it."""


class Page:
    """One tab."""

    def __init__(self, source: int, write: BinaryIO) -> None:
        self._source, self._read, self._write = source, b"", write
        self._number, self._session = 0, dict[str, str]()
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = {"sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        for domain in ("Page", "Log", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its result; what happens meanwhile is kept in `events`."""
        self._number += 1
        told = {"id": self._number, "method": method, "params": params, **self._session}
        self._write.write(json.dumps(told).encode() + b"\0")
        self._write.flush()
        while (message := self._message()).get("id") != self._number:
            self.events.append(message)
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    def open(self, path: Path, *, width: int, dark: bool = False) -> Self:
        """Show a file in a window of this width."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=HEIGHT, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._message())
        return self

    def value(self, script: str) -> Any:
        """What an expression gives in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"]["value"]

    def complaints(self) -> list[str]:
        """All that the browser logged."""
        methods = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        return [json.dumps(event["params"]) for event in self.events if event["method"] in methods]

    def asked(self) -> list[str]:
        """Every address that the page wanted, but those inside itself."""
        sent = [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [url for url in sent if not url.startswith("data:")]

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select([self._source], [], [], PATIENCE)
            assert ready, f"the browser has said nothing for {PATIENCE} seconds"
            more = os.read(self._source, 2**16)
            assert more, "the browser is gone"
            self._read += more
        found, _, self._read = self._read.partition(b"\0")
        message: dict[str, Any] = json.loads(found)
        return message


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A browser with a profile of its own in this folder."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser is installed here ({', '.join(NAMES)})")
    (read_in, write_out), (read_out, write_in) = os.pipe(), os.pipe()
    command = [program, *FLAGS, f"--user-data-dir={folder}"]
    ends = f"import os; os.dup2({read_in}, 3); os.dup2({write_in}, 4); os.execv({program!r}, {command!r})"
    with subprocess.Popen(
        [sys.executable, "-c", ends],
        pass_fds=(read_in, write_in),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(read_in)
        os.close(write_in)
        with os.fdopen(read_out, "rb"), os.fdopen(write_out, "wb") as write:
            try:
                page = Page(read_out, write)
                yield page
                page.call("Browser.close")
            finally:
                process.kill()
